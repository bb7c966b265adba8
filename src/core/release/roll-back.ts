import { withHistory } from './history.ts';
import { isExposed } from './phase.ts';
import type { ReleaseStatus, RollbackCause } from './status.ts';
import { atWeight, NO_HOLD, withChanges, withScaling } from './status-change.ts';
import { event, type Move, servedEvent, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** Sends everyone back to stable. Whoever calls has made sure that stable can take them. */
export function rollBack(turn: Turn, status: ReleaseStatus, reason: string, by?: string): Move {
  const who = by === undefined ? {} : { by };
  // Of a release that has ended everyone is on the canary, though another one may wait to begin.
  const weight = isExposed(status.phase) ? status.weight : 100;
  const next = backToStable(withScaling(status, { former: undefined }), 'RollingBack', { reason, weight, ...who });
  const message = `rolling back to ${stableName(status)} from ${weight} %: ${reason}`;
  return { status: next, events: [event(turn, 'RollingBack', message, { type: 'Warning', ...who })] };
}

/** RollingBack: done once the data plane serves stable to everyone. */
export function finishRollback(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!turn.confirmed) return undefined;
  const { reason, by } = status.rollback ?? { reason: 'unknown' };
  const next = withChanges(withHistory(turn, status, 'RolledBack', { reason, by }), { phase: 'RolledBack' });
  const message = `everyone is on ${stableName(status)}`;
  return { status: next, events: [servedEvent(turn, 'RolledBack', message, { type: 'Warning', ...(by === undefined ? {} : { by }) })] };
}

/** The status of a release that takes everyone back to its stable, which is the live version from now on. */
export function backToStable(status: ReleaseStatus, phase: 'RollingBack' | 'Superseded', rollback: RollbackCause): ReleaseStatus {
  const { stable } = status;
  if (stable === undefined) throw new Error(`a release in ${status.phase} has no stable version`);
  return withChanges(status, {
    ...NO_HOLD,
    phase,
    ...atWeight(status, 0),
    liveVersion: stable,
    canaryLostSince: undefined,
    promotion: undefined,
    rollback,
  });
}

/** The version that a release goes back to, for people. */
export function stableName({ stable }: ReleaseStatus): string {
  return stable === undefined ? 'the former version' : describeVersion(stable);
}
