import { describeVersion } from '../core/release/version.ts';
import type { ReleaseView } from '../server/release-resource.ts';
import { ageText } from './age.ts';
import { printable } from './clip.ts';
import { percent } from './release-text.ts';
import { renderRelease } from './release-view.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';

function section(title: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : ['', style.bold(title), ...lines.map((line) => `  ${line}`)];
}

/** What each step is: over, current or to come. */
function stepLines({ spec, status }: ReleaseView): readonly string[] {
  const current = status?.step ?? -1;
  const rows = spec.steps.map(({ weight, hold }, index) => {
    const isCurrent = index === current && (status?.phase === 'Progressing' || status?.phase === 'Paused');
    const state = isCurrent ? `since ${status?.stepStartedAt ?? '(routes are being changed)'}` : '';
    return [
      isCurrent ? '>' : '',
      String(index + 1),
      percent(weight),
      hold,
      isCurrent && status?.holdUntil !== undefined ? status.holdUntil : '-',
      state,
    ];
  });
  return table(['', 'STEP', 'WEIGHT', 'HOLD', 'UNTIL', ''], rows);
}

function historyLines({ status }: ReleaseView): readonly string[] {
  const entries = status?.history ?? [];
  if (entries.length === 0) return [];
  const rows = entries.map((entry) => [
    entry.endedAt,
    `${describeVersion(entry.stable)} → ${describeVersion(entry.canary)}`,
    entry.outcome,
    entry.revision === undefined ? '-' : String(entry.revision),
    printable(entry.by ?? '-'),
  ]);
  return table(['ENDED', 'VERSIONS', 'OUTCOME', 'REVISION', 'BY'], rows);
}

/** A release as a short report. `now` is in ms since the epoch. */
export function describeRelease(release: ReleaseView, now: number, style: Style, columns: number): readonly string[] {
  const { metadata, spec, status } = release;
  const request = status?.lastRequest;
  const visitorId = spec.visitorId;
  const facts = [
    ['service', `${spec.service.host}:${spec.service.port}`],
    ['routes', `VirtualService ${spec.route.adopt.virtualService}, ids issued at ${visitorId?.issueAt?.virtualService ?? 'the same'}`],
    ['live', status?.liveVersion === undefined ? 'not known yet' : describeVersion(status.liveVersion)],
    ['draw', status === undefined ? '-' : `cutoff ${status.cutoff} of 4096, at digit ${status.offset} of the id's last group`],
    [
      'age',
      `${ageText(metadata.creationTimestamp, now)}, generation ${metadata.generation}, seen ${status?.observedGeneration ?? 'not yet'}`,
    ],
    ['message', status === undefined ? 'not looked at yet' : printable(status.message)],
  ] as const;
  return [
    ...renderRelease(release, now, style, columns),
    '',
    ...facts.map(([label, text]) => `  ${label.padEnd(9)}${text}`),
    ...section('Steps', stepLines(release), style),
    ...section(
      'Last request',
      request === undefined
        ? []
        : [`${request.action} by ${printable(request.by)} at ${request.at}: ${request.outcome}, ${printable(request.message)}`],
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
    ...section('History', historyLines(release), style),
  ];
}
