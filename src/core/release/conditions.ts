import { canaryIsGone, nothingIsReady } from './endpoints.ts';
import type { Condition, ReleaseStatus } from './status.ts';
import { isOvertaken } from './supersede.ts';
import type { Turn } from './turn.ts';

type Verdict = Pick<Condition, 'type' | 'status' | 'reason'>;

/**
 * Conditions as kstatus reads them (kubernetes-sigs/cli-utils, pkg/kstatus): Ready when the wanted version is live, Reconciling while
 * something goes on or is waited for, Stalled when it will not go on by itself. The time changes only when the status of one does.
 */
export function conditionsOf(turn: Turn, status: ReleaseStatus, before: readonly Condition[]): readonly Condition[] {
  return verdicts(turn, status).map((verdict) => {
    const former = before.find((condition) => condition.type === verdict.type);
    const lastTransitionTime = former?.status === verdict.status ? former.lastTransitionTime : turn.at;
    return { ...verdict, message: status.message, lastTransitionTime };
  });
}

function verdicts(turn: Turn, status: ReleaseStatus): readonly Verdict[] {
  const ready = status.phase === 'Succeeded';
  const isGone = canaryIsGone(turn, status);
  const stalled = status.phase === 'RolledBack' || isGone;
  const goneReason = nothingIsReady(turn, status) ? 'NoReadyVersion' : 'CanaryLost';
  return [
    { type: 'Ready', status: ready ? 'True' : 'False', reason: status.phase },
    { type: 'Reconciling', status: ready || stalled ? 'False' : 'True', reason: reconcilingReason(turn, status) },
    { type: 'Stalled', status: stalled ? 'True' : 'False', reason: isGone ? goneReason : status.phase },
  ];
}

/** What holds a release up, or may: suspension, on a step a version without endpoints, or what has to be mended before it can widen. */
function reconcilingReason(turn: Turn, status: ReleaseStatus): string {
  const { phase, canaryLostSince, stableLostSince } = status;
  const isOnStep = phase === 'Progressing' || phase === 'Paused';
  if (status.suspended && (isOnStep || phase === 'Pending')) return 'Suspended';
  if (!isOnStep) return phase;
  if (canaryLostSince !== undefined) return 'CanaryLost';
  if (stableLostSince !== undefined) return 'StableLost';
  return turn.observed.problems.length > 0 || isOvertaken(turn, status) ? 'NotWidened' : phase;
}
