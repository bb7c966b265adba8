import { nothingIsReady } from './endpoints.ts';
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
  const noReadyVersion = nothingIsReady(turn, status);
  const stalled = status.phase === 'RolledBack' || noReadyVersion;
  const stallReason = noReadyVersion ? 'NoReadyVersion' : status.phase;
  return [
    { type: 'Ready', status: ready ? 'True' : 'False', reason: status.phase },
    { type: 'Reconciling', status: ready || stalled ? 'False' : 'True', reason: heldUp(turn, status) ?? status.phase },
    { type: 'Stalled', status: stalled ? 'True' : 'False', reason: stallReason },
  ];
}

/** What keeps it from going on until something is mended or taken away; the message says what. */
function heldUp(turn: Turn, status: ReleaseStatus): string | undefined {
  const isOnStep = status.phase === 'Progressing' || status.phase === 'Paused';
  if (status.suspended && (isOnStep || status.phase === 'Pending')) return 'Suspended';
  return isOnStep && (turn.observed.problems.length > 0 || isOvertaken(turn, status)) ? 'NotWidened' : undefined;
}
