import { type AddCommand, examples, targetOf } from '../cli-context.ts';
import { missingObject } from '../missing-object.ts';
import { outputOption } from '../options.ts';
import { listOf, writeValue } from '../output.ts';
import { openReleaseScreen } from '../release-screen.ts';
import { renderRelease } from '../release-view.ts';
import { watchReleases } from '../watch-releases.ts';

interface StatusOptions {
  readonly watch?: true;
  readonly output?: 'json' | 'yaml';
}

/** `perch status`. */
export const addStatus: AddCommand = (program, context) => {
  const { terminal, signal } = context;
  program
    .command('status')
    .description('where a release stands, and who sees it: measured in visitors')
    .argument('[name]', 'the release (default: all of the namespace)')
    .option('-w, --watch', 'follow it until Ctrl-C: redrawn in place on a terminal, a line per change elsewhere')
    .addOption(outputOption('json', 'yaml').conflicts('watch'))
    .addHelpText(
      'after',
      examples(
        ['perch status reviews', 'a short report'],
        ['perch status reviews --watch', 'follow it'],
        ['perch status reviews -o json', 'everything, the measured exposure included'],
      ),
    )
    .action(async (name: string | undefined, options: StatusOptions, command) => {
      const { client, namespace } = targetOf(command, context);
      const all = (await client.releases()).filter((release) => release.metadata.namespace === namespace);
      const releases = name === undefined ? all : all.filter((release) => release.metadata.name === name);
      if (name !== undefined && releases.length === 0) throw await missingObject(client, { kind: 'CanaryRelease', namespace, name });

      if (options.output !== undefined) {
        await writeValue(terminal, options.output, name === undefined ? listOf(releases) : releases[0]);
        return;
      }
      const none = `no release in namespace ${namespace}`;
      if (options.watch !== true) {
        if (releases.length === 0) terminal.err(none);
        const { columns } = terminal.size();
        const now = Date.now();
        for (const release of releases) for (const line of renderRelease(release, now, terminal.style, columns)) terminal.out(line);
        return;
      }
      const screen = openReleaseScreen(terminal, [], none);
      try {
        await watchReleases(client, screen, (where, which) => where === namespace && (name === undefined || which === name), signal);
      } finally {
        screen.close();
      }
    });
};
