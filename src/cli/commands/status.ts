import type { Phase } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import type { Invocation } from '../invocation.ts';
import { findObjects } from '../objects/find-objects.ts';
import { noneThere } from '../objects/none-there.ts';
import { refOfView } from '../objects/object-name.ts';
import { outputOption } from '../options.ts';
import type { ReleaseClient } from '../release-client.ts';
import { renderRelease } from '../reports/release-view.ts';
import { targetOf } from '../target.ts';
import { listOf, writeValue } from '../terminal/output.ts';
import { openReleaseScreen } from '../watching/release-screen.ts';
import { WAIT_HELP, waitForPhase, waitOption, waitTimeoutOption } from '../watching/wait-for-phase.ts';
import { type ReleaseFilter, watchReleases } from '../watching/watch-releases.ts';

interface StatusOptions {
  readonly watch?: true;
  readonly output?: 'json' | 'yaml';
  readonly wait?: Phase;
  readonly timeout?: number;
}

/** `perch status`. */
export const addStatus: AddCommand = (program, context) => {
  const { terminal, signal } = context;
  program
    .command('status')
    .description('where a release stands, and who sees it: measured in visitors')
    .argument('[release...]', 'releases (default: all of the namespace)')
    .option('-w, --watch', 'follow it until Ctrl-C: redrawn in place on a terminal, a line per change elsewhere')
    .addOption(waitOption().conflicts('watch'))
    .addOption(waitTimeoutOption())
    .addOption(outputOption('json', 'yaml').conflicts('watch'))
    .addHelpText('after', WAIT_HELP)
    .addHelpText(
      'after',
      examples(
        ['perch status reviews', 'a short report'],
        ['perch status reviews --watch', 'follow it'],
        ['perch status --wait succeeded --timeout 1h', 'for CI: 0, or 1 and why'],
        ['perch status reviews -o json', 'everything, the exposure included'],
      ),
    )
    .action(async (names: readonly string[], options: StatusOptions, command) => {
      const { client, namespace } = await targetOf(command, context);
      const listed = names.length === 0 ? undefined : names;
      const named = names.map((name) => ({ kind: 'CanaryRelease' as const, namespace, name }));
      const find = async (): Promise<readonly ReleaseView[]> => {
        const { kinds, missing } = await findObjects(client, { kinds: ['CanaryRelease'], named }, namespace, 'base');
        if (missing.length > 0) throw new CommandError(missing.join('\n'));
        return kinds.flatMap(({ objects }) => objects as readonly ReleaseView[]);
      };
      const none = noneThere(['CanaryRelease'], namespace);
      if (options.timeout !== undefined && options.wait === undefined) throw new CommandError('--timeout goes with --wait PHASE');

      let releases = await find();
      const isQuiet = options.output !== undefined;
      if (options.wait !== undefined) {
        if (releases.length === 0) throw new CommandError(none);
        await waitForPhase(context, client, releases.map(refOfView), { goal: options.wait, timeoutMs: options.timeout, isQuiet });
        releases = isQuiet ? await find() : [];
      }
      if (options.output !== undefined) {
        await writeValue(terminal, options.output, names.length === 1 ? releases[0] : listOf(releases));
      } else if (options.watch === true) {
        await watch({ namespace, names: listed }, client, none, releases.length === 0);
      } else if (options.wait === undefined) {
        print(releases, none, client.invocation);
      }
    });

  function print(releases: readonly ReleaseView[], none: string, invocation: Invocation): void {
    if (releases.length === 0) terminal.err(none);
    const columns = terminal.outColumns();
    const now = Date.now();
    for (const release of releases) for (const line of renderRelease(release, now, terminal.style, columns, invocation)) terminal.out(line);
  }

  async function watch(filter: ReleaseFilter, client: ReleaseClient, none: string, isNone: boolean): Promise<void> {
    // A terminal shows it for as long as it is so.
    if (isNone && !terminal.interactive) terminal.err(none);
    const screen = openReleaseScreen(terminal, [], none, client.invocation);
    try {
      await watchReleases(client, screen, filter, signal);
    } finally {
      screen.close();
    }
  }
};
