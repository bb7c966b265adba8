import { suggest } from '../../core/diagnostics/suggest.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';

/** `perch help`. Commander's own knows no suggestions. */
export const addHelp: AddCommand = (program) => {
  program
    .command('help')
    .description('say what a command does, with its options and examples')
    .configureHelp({ showGlobalOptions: false })
    .argument('[command]', 'its name (default: an overview of all)')
    .addHelpText('after', examples(['perch help status', 'the same as perch status --help'], ['perch help', 'all commands']))
    .action((name: string | undefined) => {
      const command = name === undefined ? program : program.commands.find((each) => each.name() === name);
      if (command !== undefined) {
        command.outputHelp();
        return;
      }
      const names = program.commands.map((each) => each.name());
      const near = suggest(name ?? '', names);
      throw new CommandError(
        `there is no command ${name}${near === undefined ? '' : `: did you mean ${near}?`} (commands: ${names.join(', ')})`,
      );
    });
};
