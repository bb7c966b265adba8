import type { ReleaseView } from '../../server/release-resource.ts';
import type { ApiClient } from '../api-client.ts';
import { type AddCommand, examples, targetOf } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { findObjects } from '../objects/find-objects.ts';
import { noneThere } from '../objects/none-there.ts';
import { readObjectArguments } from '../objects/object-arguments.ts';
import { describeRelease } from '../reports/describe-release.ts';
import type { Style } from '../terminal/style.ts';

/** How many of a release's events its report shows; `perch history` has them all. */
const LAST_EVENTS = 5;

/** `perch describe`. */
export const addDescribe: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('describe')
    .description('a report about objects: of a release where it stands, its steps, requests and last events; of routes what is woven in')
    .argument('[object...]', 'KIND, KIND NAME... or KIND/NAME... (default: every release)')
    .addHelpText(
      'after',
      examples(
        ['perch describe release reviews', 'all about one release'],
        ['perch describe vs reviews', 'its rules as applied and as served'],
        ['perch describe gateway', 'every gateway, and who is bound to it'],
      ),
    )
    .action(async (words: readonly string[], _options: unknown, command) => {
      const { client, namespace } = targetOf(command, context);
      const asked = readObjectArguments(words, namespace);
      const { kinds, missing } = await findObjects(client, asked, namespace, 'served');
      const options = { now: Date.now(), style: terminal.style, columns: terminal.outColumns() };
      const reports: (readonly string[])[] = [];
      for (const { kind, objects } of kinds) {
        if (kind === 'CanaryRelease') {
          for (const release of objects as readonly ReleaseView[]) {
            reports.push(await reportOf(client, release, options));
          }
        } else if (objects.length > 0) {
          // Compiling routes takes time to load.
          const { readSurroundings } = await import('../reports/surroundings.ts');
          const { describeObject } = await import('../reports/describe-object.ts');
          const around = await readSurroundings(client);
          for (const object of objects) reports.push(describeObject(kind, object, around, options));
        }
      }
      for (const [index, lines] of reports.entries()) terminal.out([...(index === 0 ? [] : ['', '']), ...lines].join('\n'));
      if (missing.length > 0) throw new CommandError(missing.join('\n'));
      if (reports.length === 0) terminal.err(noneThere(asked.kinds, namespace));
    });
};

async function reportOf(
  client: ApiClient,
  release: ReleaseView,
  { now, style, columns }: { readonly now: number; readonly style: Style; readonly columns: number },
): Promise<readonly string[]> {
  const { namespace, name } = release.metadata;
  const findings = await client.findings(namespace, name);
  const events = (await client.history(namespace, name, LAST_EVENTS))?.items ?? [];
  return describeRelease(release, { findings, events }, now, style, columns);
}
