import { type AddCommand, examples } from '../cli-context.ts';
import { outputOption } from '../options.ts';
import { writeValue } from '../terminal/output.ts';

/** `perch explain`. */
export const addExplain: AddCommand = (program, { terminal }) => {
  program
    .command('explain')
    .description('what an error code means, and what to do; needs no runtime')
    .configureHelp({ showGlobalOptions: false })
    .argument('[code]', 'such as PERCH1104, or 1104 (default: all of them)')
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', examples(['perch explain PERCH1104', 'one code'], ['perch explain', 'all of them']))
    .action(async (text: string | undefined, { output }: { readonly output?: 'json' | 'yaml' }) => {
      const { allCodes, codeList, explainedCode, explanation } = await import('../reports/explain-code.ts');
      const one = text === undefined ? undefined : explainedCode(text);
      if (output !== undefined) {
        await writeValue(terminal, output, one ?? allCodes());
        return;
      }
      const columns = terminal.outColumns();
      const lines = one === undefined ? codeList(terminal.style, columns) : explanation(one, terminal.style, columns);
      for (const line of lines) terminal.out(line);
    });
};
