import { isExposed } from './phase.ts';
import { rollBack } from './roll-back.ts';
import type { ReleaseStatus } from './status.ts';
import { withChanges } from './status-change.ts';
import { event, type Move, readinessOf, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** How long a version may be without ready endpoints before the machine acts on it. */
export const GRACE_MS = 30_000;

/** Whether a version has been lost for the whole grace. */
export function graceIsOver(since: string | undefined, now: number): boolean {
  return since !== undefined && now - Date.parse(since) >= GRACE_MS;
}

/** Watches the canary's endpoints while visitors are on it: lost for longer than the grace, everyone goes back to stable. */
export function watchCanary(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!isExposed(status.phase) || status.canary === undefined) return undefined;
  const canary = readinessOf(turn, status.canary);
  const name = describeVersion(status.canary);
  if (canary.ready === true && status.canaryLostSince !== undefined) {
    return {
      status: withChanges(status, { canaryLostSince: undefined }),
      events: [event(turn, 'CanaryFound', `${name} has ready endpoints again`)],
    };
  }
  // Not known is not lost: just after a start nobody has asked the endpoints yet.
  if (canary.ready !== false) return undefined;
  if (status.canaryLostSince === undefined) {
    const message = `${name} has no ready endpoints (${canary.reason}): rolled back in ${GRACE_MS / 1000} s unless they return`;
    return {
      status: withChanges(status, { canaryLostSince: turn.at }),
      events: [event(turn, 'CanaryLost', message, { type: 'Warning' })],
    };
  }
  if (!graceIsOver(status.canaryLostSince, turn.now) || readinessOf(turn, status.stable).ready !== true) return undefined;
  return rollBack(turn, status, `${name} had no ready endpoints for ${GRACE_MS / 1000} s`);
}

/** Whether visitors are on a canary that is gone, and stable could not take them either. */
export function nothingIsReady(turn: Turn, status: ReleaseStatus): boolean {
  if (!isExposed(status.phase) || !graceIsOver(status.canaryLostSince, turn.now)) return false;
  return readinessOf(turn, status.canary).ready === false && readinessOf(turn, status.stable).ready !== true;
}
