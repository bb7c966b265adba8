import { holdLeft } from './hold.ts';
import type { ReleaseStatus } from './status.ts';
import { withChanges } from './status-change.ts';
import type { Turn } from './turn.ts';

/** The release where it stands, with what is left of its hold kept for later. */
export function paused(turn: Turn, status: ReleaseStatus, pausedBy: NonNullable<ReleaseStatus['pausedBy']>): ReleaseStatus {
  return withChanges(status, { phase: 'Paused', pausedBy, holdUntil: undefined, holdRemainingMs: holdLeft(turn, status) });
}
