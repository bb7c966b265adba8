import { holdEnd, holdLeft } from './hold.ts';
import type { ReleaseStatus } from './status.ts';
import { withChanges } from './status-change.ts';
import { event, type Move, type Turn } from './turn.ts';

/**
 * Follows `spec.suspend`: the rest of a hold is kept while it is true, to the ms, and goes on when it is taken away. What someone paused
 * stays paused.
 */
export function followSuspension(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { suspend } = turn.release.spec;
  if (suspend === (status.suspended === true)) return undefined;
  if (suspend) {
    const next = withChanges(status, { suspended: true, holdUntil: undefined, holdRemainingMs: holdLeft(turn, status) });
    return { status: next, events: [event(turn, 'Suspended', 'suspended: nothing starts, nothing widens')] };
  }
  const left = status.phase === 'Progressing' ? status.holdRemainingMs : undefined;
  const goesOn = left === undefined ? {} : { holdRemainingMs: undefined, holdUntil: holdEnd(turn.now, left) };
  const next = withChanges(status, { suspended: undefined, ...goesOn });
  return { status: next, events: [event(turn, 'SuspensionEnded', 'no longer suspended')] };
}
