import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { wrap } from '../../core/diagnostics/wrap.ts';
import { formatDuration } from '../../core/release/durations.ts';
import type { ReleaseEvent } from '../../core/release/release-event.ts';
import { issuingRoute, routedKind, routedName, routeForm } from '../../core/release/route-form.ts';
import { describeVersion } from '../../core/release/version.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { type Invocation, PLAIN_INVOCATION } from '../invocation.ts';
import { ageText, timeText } from '../terminal/age.ts';
import { printable } from '../terminal/clip.ts';
import type { Style } from '../terminal/style.ts';
import { table } from '../terminal/table.ts';
import { eventLines, pastReleaseLines } from './history-text.ts';
import { isDrawn, percent } from './release-text.ts';
import { renderRelease } from './release-view.ts';
import { factLines, findingLines, section } from './report-lines.ts';

function timeOr(at: string | undefined, otherwise: string): string {
  return at === undefined ? otherwise : timeText(at);
}

/** What each step is: over, current or to come. */
function stepLines({ spec, status }: ReleaseView): readonly string[] {
  const current = status?.step ?? -1;
  const rows = spec.steps.map(({ weight = 0, match, hold }, index) => {
    const isCurrent = index === current && (status?.phase === 'Progressing' || status?.phase === 'Paused');
    return [
      isCurrent ? '>' : '',
      String(index + 1),
      match === undefined ? percent(weight) : 'picked',
      hold,
      isCurrent ? timeOr(status?.stepStartedAt, 'routes are being changed') : '-',
      isCurrent ? timeOr(status?.holdUntil, '-') : '-',
    ];
  });
  return table(['', 'STEP', 'WEIGHT', 'HOLD', 'SINCE', 'UNTIL'], rows);
}

/** How visitors are told apart. */
function drawText(release: ReleaseView): string {
  const { status } = release;
  if (status?.canaryCookie !== undefined) {
    const { name, value, maxAge } = status.canaryCookie;
    const issueAt = issuingRoute(release)?.name ?? routedName(release);
    const what = issueAt === routedName(release) ? 'request' : 'page';
    return `by weight, at each ${what} without the cookie ${name}=${value} (kept ${formatDuration(maxAge * 1000)})`;
  }
  if (status?.offset === undefined) return '-';
  return `cutoff ${status.cutoff} of 4096, at digit ${status.offset} of the id's last group`;
}

/** A release as a short report, with what weaving says about it, and its last events, newest first. `now` is in ms since the epoch. */
export function describeRelease(
  release: ReleaseView,
  { findings, events }: { readonly findings: readonly Diagnostic[]; readonly events: readonly ReleaseEvent[] },
  now: number,
  style: Style,
  columns: number,
  invocation: Invocation = PLAIN_INVOCATION,
): readonly string[] {
  const { metadata, spec, status } = release;
  const request = status?.lastRequest;
  const issueAt = issuingRoute(release)?.name;
  const facts = [
    ['service', `${spec.service.host}:${spec.service.port}`],
    [
      'routes',
      `${routedKind(release)} ${routedName(release)} (${routeForm(release)}), ${isDrawn(release) ? 'visitors drawn' : 'ids issued'} ${issueAt === undefined ? 'there too' : `at ${issueAt}`}`,
    ],
    ['live', status?.liveVersion === undefined ? 'not known yet' : describeVersion(status.liveVersion)],
    ['draw', drawText(release)],
    [
      'age',
      `${ageText(metadata.creationTimestamp, now)}, generation ${metadata.generation}, seen ${status?.observedGeneration ?? 'not yet'}`,
    ],
    ['message', status === undefined ? 'not looked at yet' : printable(status.message)],
  ] as const;
  return [
    ...renderRelease(release, now, style, columns, invocation),
    '',
    ...factLines(facts, columns),
    ...section('Steps', stepLines(release), style),
    ...section(
      'Last request',
      request === undefined
        ? []
        : wrap(
            `${request.action} by ${printable(request.by)} at ${timeText(request.at)}: ${request.outcome}, ${printable(request.message)}`,
            columns - 2,
          ),
      style,
    ),
    ...section(
      'Conditions',
      (status?.conditions ?? []).map(
        ({ type, status: value, reason, message }) =>
          `${type.padEnd(12)}${value.padEnd(7)}${reason}${message === status?.message ? '' : `: ${printable(message)}`}`,
      ),
      style,
    ),
    ...section('Findings', findingLines(findings, style, columns - 2), style),
    ...section('Past releases', pastReleaseLines([...(status?.history ?? [])].reverse(), style, columns - 2), style),
    ...section('Last events', eventLines([...events].reverse(), style, columns - 2), style),
  ];
}
