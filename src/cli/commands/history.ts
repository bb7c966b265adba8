import { InvalidArgumentError, Option } from 'commander';
import { MAX_EVENTS } from '../../core/release/release-event.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { missingObject } from '../objects/missing-object.ts';
import { outputOption } from '../options.ts';
import type { ReleaseClient } from '../release-client.ts';
import { eventLines, pastReleaseLines } from '../reports/history-text.ts';
import { section } from '../reports/report-lines.ts';
import { targetOf } from '../target.ts';
import { writeValue } from '../terminal/output.ts';

interface HistoryOptions {
  readonly limit: number;
  readonly releases?: true;
  readonly output?: 'json' | 'yaml';
}

/** `perch history`. */
export const addHistory: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('history')
    .description('what happened to a release, when, why and by whom: the newest at the end; also of one that was deleted')
    .argument('<release>', 'its name')
    .addOption(new Option('--limit <count>', `so many events, the newest (at most ${MAX_EVENTS})`).argParser(parseLimit).default(50))
    .option('--releases', 'only the releases that have ended: versions, outcome, how long, why')
    .addOption(outputOption('json', 'yaml'))
    .addHelpText(
      'after',
      examples(
        ['perch history reviews', 'its past releases, and its last events'],
        ['perch history reviews --limit 200', 'all that is kept'],
        ['perch history reviews --releases', 'how the last ten releases went'],
        ['perch history reviews -o json | jq .events', 'for programs'],
      ),
    )
    .action(async (name: string, options: HistoryOptions, command) => {
      const { client, namespace } = await targetOf(command, context);
      const history = await client.history(namespace, name, options.limit);
      if (history === undefined) throw await missingObject(client, { kind: 'CanaryRelease', namespace, name });
      const release = await client.release(namespace, name);
      const releases = [...(release?.status?.history ?? [])].reverse();
      const events = [...history.items].reverse();
      if (options.output !== undefined) {
        await writeValue(terminal, options.output, { namespace, name, releases, ...(options.releases === true ? {} : { events }) });
        return;
      }
      const { style } = terminal;
      const columns = terminal.outColumns();
      const past = pastReleaseLines(releases, style, columns - 2);
      const happened = options.releases === true ? [] : eventLines(events, style, columns - 2);
      const lines = [...section('Past releases', past, style), ...section('Events', happened, style)].slice(1);
      if (lines.length > 0) terminal.out(lines.join('\n'));
      if (options.releases !== true && happened.length === 0) terminal.err(noEvents(name, client));
      if (options.releases === true && past.length === 0) terminal.err(noPast(name, release === undefined));
      else if (options.releases !== true && history.next !== undefined) {
        terminal.err(`there are earlier events: --limit ${MAX_EVENTS} shows all that are kept`);
      }
    });
};

function noEvents(name: string, { counts }: ReleaseClient): string {
  return counts
    ? `nothing has happened to ${name} yet`
    : `there is no Event about ${name}: a cluster keeps them for an hour, unless it is set up otherwise`;
}

function noPast(name: string, isDeleted: boolean): string {
  return isDeleted
    ? `${name} was deleted, and its past releases with it: without --releases there are its events`
    : `no release of ${name} has ended yet`;
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > MAX_EVENTS)
    throw new InvalidArgumentError(`It is not a whole number from 1 to ${MAX_EVENTS}.`);
  return Number(text);
}
