import { type AddCommand, examples } from '../cli-context.ts';
import { outputOption } from '../options.ts';
import { perchVersion, versionLine } from '../perch-version.ts';
import { writeValue } from '../terminal/output.ts';

/** `perch version`. */
export const addVersion: AddCommand = (program, { terminal }) => {
  program
    .command('version')
    .description('print the version of perch and of the Node that runs it')
    .configureHelp({ showGlobalOptions: false })
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', examples(['perch version', 'for people'], ['perch version -o json', 'for programs']))
    .action(async (options: { output?: 'json' | 'yaml' }) => {
      if (options.output === undefined) terminal.out(versionLine());
      else await writeValue(terminal, options.output, { version: perchVersion(), node: process.versions.node });
    });
};
