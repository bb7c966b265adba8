import type { ReleaseEvent } from '../../core/release/release-event.ts';
import type { HistoryEntry } from '../../core/release/status.ts';
import { describeVersion } from '../../core/release/version.ts';
import { spanText, timeText } from '../terminal/age.ts';
import { printable } from '../terminal/clip.ts';
import type { Style } from '../terminal/style.ts';
import { textTable } from '../terminal/table.ts';

/** What happened to a release, in the order given: a line each where `columns` allow; what is too long goes on below itself. */
export function eventLines(events: readonly ReleaseEvent[], style: Style, columns: number): readonly string[] {
  if (events.length === 0) return [];
  const rows = events.map((event) => [timeText(event.at), reasonText(event, style), withBy(event.message, event.by)]);
  return textTable(['TIME', 'EVENT', 'WHAT HAPPENED'], rows, columns);
}

/** The releases that have ended, in the order given. */
export function pastReleaseLines(entries: readonly HistoryEntry[], style: Style, columns: number): readonly string[] {
  if (entries.length === 0) return [];
  const rows = entries.map((entry) => [
    timeText(entry.endedAt),
    entry.outcome === 'Succeeded' ? style.good(entry.outcome) : style.attention(entry.outcome),
    spanText(Date.parse(entry.endedAt) - Date.parse(entry.startedAt)),
    withBy([pairText(entry), entry.reason].filter((part) => part !== undefined).join(', '), entry.by),
  ]);
  return textTable(['ENDED', 'OUTCOME', 'TOOK', 'VERSIONS'], rows, columns);
}

function pairText({ stable, canary, revision }: HistoryEntry): string {
  return `${describeVersion(stable)} → ${describeVersion(canary)}${revision === undefined ? '' : `, revision ${revision}`}`;
}

function reasonText({ type, reason }: ReleaseEvent, style: Style): string {
  if (type === 'Warning') return style.attention(reason);
  return reason === 'Succeeded' ? style.good(reason) : reason;
}

function withBy(text: string, by: string | undefined): string {
  return by === undefined ? printable(text) : `${printable(text)} (by ${printable(by)})`;
}
