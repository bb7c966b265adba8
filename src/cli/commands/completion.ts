import { Argument } from 'commander';
import { type AddCommand, examples } from '../cli-context.ts';
import { completionScript, SHELLS, type Shell } from '../completion/completion-script.ts';

/** `perch completion`. */
export const addCompletion: AddCommand = (program, { terminal }) => {
  program
    .command('completion')
    .description('print what makes your shell complete commands, options and the names of objects')
    .configureHelp({ showGlobalOptions: false })
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        ['perch completion bash >> ~/.bashrc', 'for bash'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for zsh.
        ['perch completion zsh > "${fpath[1]}/_perch"', 'for zsh, which loads it with compinit'],
        ['perch completion fish > ~/.config/fish/completions/perch.fish', 'for fish'],
      ),
    )
    .addHelpText(
      'after',
      '\nIt works in shells that start afterwards and find perch on their PATH. In a\nclone: export PATH="$PWD/node_modules/.bin:$PATH"',
    )
    .action((shell: Shell) => terminal.raw(completionScript(shell)));
};
