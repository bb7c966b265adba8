import { type AddCommand, examples } from '../cli-context.ts';
import { outputOption } from '../options.ts';
import { writeValue } from '../output.ts';
import { perchVersion } from '../perch-version.ts';

/** `perch version`. */
export const addVersion: AddCommand = (program, { terminal }) => {
  program
    .command('version')
    .description('print the version of perch and of the Node that runs it')
    .configureHelp({ showGlobalOptions: false })
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', examples(['perch version', 'for people'], ['perch version -o json', 'for programs']))
    .action(async (options: { output?: 'json' | 'yaml' }) => {
      const version = perchVersion();
      if (options.output === undefined) terminal.out(`perch ${version} (Node ${process.versions.node})`);
      else await writeValue(terminal, options.output, { version, node: process.versions.node });
    });
};
