import type { ObjectView, ReleaseView } from '../../server/release-resource.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { findObjects } from '../objects/find-objects.ts';
import type { Kind } from '../objects/kinds.ts';
import { noneThere } from '../objects/none-there.ts';
import { readObjectArguments } from '../objects/object-arguments.ts';
import { refOfView } from '../objects/object-name.ts';
import type { ReleaseClient } from '../release-client.ts';
import { describeRelease } from '../reports/describe-release.ts';
import { targetOf } from '../target.ts';
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
      const { client, namespace } = await targetOf(command, context);
      const asked = readObjectArguments(words, namespace);
      const { kinds, missing } = await findObjects(client, asked, namespace, 'served');
      const options = { now: Date.now(), style: terminal.style, columns: terminal.outColumns() };
      const reports: (readonly string[])[] = [];
      const notes = new Set<string>();
      for (const { kind, objects } of kinds) {
        if (objects.length === 0) continue;
        const made =
          kind === 'CanaryRelease'
            ? await releaseReports(client, objects as readonly ReleaseView[], options)
            : await objectReports(client, kind, objects, options);
        reports.push(...made.reports);
        if (made.note !== undefined) notes.add(made.note);
      }
      for (const [index, lines] of reports.entries()) terminal.out([...(index === 0 ? [] : ['', '']), ...lines].join('\n'));
      for (const note of notes) terminal.err(`note: ${note}`);
      if (missing.length > 0) throw new CommandError(missing.join('\n'));
      if (reports.length === 0) terminal.err(noneThere(asked.kinds, namespace));
    });
};

interface ReportOptions {
  readonly now: number;
  readonly style: Style;
  readonly columns: number;
}

/** Reports, and what has to be said about all of them. */
interface Reports {
  readonly reports: readonly (readonly string[])[];
  readonly note?: string;
}

async function objectReports(
  client: ReleaseClient,
  kind: Exclude<Kind, 'CanaryRelease'>,
  objects: readonly ObjectView[],
  options: ReportOptions,
): Promise<Reports> {
  // Compiling routes takes time to load.
  const { readSurroundings } = await import('../reports/surroundings.ts');
  const { describeObject } = await import('../reports/describe-object.ts');
  const around = await readSurroundings(client, [...new Set(objects.map(({ metadata }) => metadata.namespace))]);
  const reports = objects.map((object) => describeObject(kind, object, around, options));
  return around.hidden === undefined ? { reports } : { reports, note: `findings are left out: ${around.hidden}` };
}

async function releaseReports(
  client: ReleaseClient,
  releases: readonly ReleaseView[],
  { now, style, columns }: ReportOptions,
): Promise<Reports> {
  const said = await client.findings(releases.map(refOfView));
  const reports: (readonly string[])[] = [];
  for (const [index, release] of releases.entries()) {
    const { namespace, name } = release.metadata;
    const events = (await client.history(namespace, name, LAST_EVENTS))?.items ?? [];
    const findings = said.kind === 'known' ? (said.findings[index] ?? []) : [];
    reports.push(describeRelease(release, { findings, events }, now, style, columns, client.invocation));
  }
  return said.kind === 'known' ? { reports } : { reports, note: `what weaving says is left out: ${said.why}` };
}
