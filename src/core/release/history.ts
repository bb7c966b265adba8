import type { HistoryEntry, ReleaseStatus } from './status.ts';
import { withChanges } from './status-change.ts';
import type { Turn } from './turn.ts';

/** How many releases are remembered. */
const MAX_HISTORY = 10;

/** The status with the release that ends now recorded, newest first. */
export function withHistory(
  turn: Turn,
  status: ReleaseStatus,
  outcome: HistoryEntry['outcome'],
  { reason, by }: { readonly reason?: string | undefined; readonly by?: string | undefined } = {},
): ReleaseStatus {
  const { stable, canary, revision, startedAt, canaryCookie } = status;
  if (stable === undefined || canary === undefined) throw new Error(`a release in ${status.phase} has no pair`);
  const entry: HistoryEntry = {
    stable,
    canary,
    ...(revision === undefined ? {} : { revision }),
    startedAt: startedAt ?? turn.at,
    endedAt: turn.at,
    outcome,
    ...(canaryCookie === undefined ? {} : { canaryCookie }),
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
  };
  return withChanges(status, { history: [entry, ...status.history].slice(0, MAX_HISTORY) });
}
