import { withHistory } from './history.ts';
import type { ReleaseStatus } from './status.ts';
import { atWeight, NO_HOLD, withChanges } from './status-change.ts';
import { event, type Move, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** Sends everyone back to stable. Whoever calls has made sure that stable can take them. */
export function rollBack(turn: Turn, status: ReleaseStatus, reason: string, by?: string): Move {
  const { stable } = status;
  if (stable === undefined) throw new Error(`a release in ${status.phase} has no stable version`);
  const who = by === undefined ? {} : { by };
  const next = withChanges(status, {
    ...NO_HOLD,
    phase: 'RollingBack',
    ...atWeight(status, 0),
    liveVersion: stable,
    canaryLostSince: undefined,
    rollback: { reason, weight: status.weight, ...who },
  });
  const message = `rolling back to ${describeVersion(stable)} from ${status.weight} %: ${reason}`;
  return { status: next, events: [event(turn, 'RollingBack', message, { type: 'Warning', ...who })] };
}

/** RollingBack: done once the data plane serves stable to everyone. */
export function finishRollback(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!turn.confirmed) return undefined;
  const { reason, by } = status.rollback ?? { reason: 'unknown' };
  const next = withChanges(withHistory(turn, status, 'RolledBack', reason, by), { phase: 'RolledBack' });
  const message = `everyone is on ${status.stable === undefined ? 'the former version' : describeVersion(status.stable)}`;
  return { status: next, events: [event(turn, 'RolledBack', message, { type: 'Warning', ...(by === undefined ? {} : { by }) })] };
}
