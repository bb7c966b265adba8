import { capacityUnchecked } from './capacity.ts';
import { asksForNewRelease, wantedInstead } from './change.ts';
import { describeStep } from './describe-step.ts';
import { formatDuration } from './durations.ts';
import { canaryIsGone, lossMessages } from './endpoints.ts';
import { scaleDown } from './former-version.ts';
import { promotedWeight, rollbackAwaits } from './handle-request.ts';
import { isUnderWay } from './phase.ts';
import { wideningBlocked } from './progress.ts';
import { missingToStart } from './start.ts';
import type { ReleaseStatus, RollbackCause } from './status.ts';
import { isOvertaken, waitingToSupersede } from './supersede.ts';
import { currentStep, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** The status in one sentence for people: what is, or what is missing. */
export function statusMessage(turn: Turn, status: ReleaseStatus): string {
  const { deletion, deletionWaits } = turn.observed;
  if (deletion) return deletionWaits === undefined ? 'being deleted' : `being deleted: ${deletionWaits}`;
  const parts = [phaseMessage(turn, status)];
  parts.push(...lossMessages(turn, status));
  if (isOvertaken(turn, status)) parts.push(waitingToSupersede(turn, status));
  else if (isUnderWay(status.phase) && asksForNewRelease(turn.release.spec, status)) {
    parts.push(`then ${wantedInstead(turn.release.spec, status)} starts`);
  }
  const down = scaleDown(turn, status);
  if (down?.kind === 'waits') parts.push(down.reason);
  const awaited = rollbackAwaits(turn, status);
  if (awaited !== undefined) parts.push(`about to roll back: ${awaited.reason}`);
  const { notScaled } = status.scaling ?? {};
  if (notScaled !== undefined) parts.push(`not scaled: ${notScaled}`);
  if (status.suspended && status.phase !== 'Pending') parts.push('suspended: nothing starts or widens');
  return parts.join('; ');
}

function phaseMessage(turn: Turn, status: ReleaseStatus): string {
  const canary = status.canary === undefined ? 'the canary' : describeVersion(status.canary);
  const live = status.liveVersion === undefined ? 'the former version' : describeVersion(status.liveVersion);
  switch (status.phase) {
    case 'Pending':
      return `waiting: ${missingToStart(turn, status).join('; ')}`;
    case 'Progressing':
      return `${place(turn, status)}, ${holdMessage(turn, status)}${obstacle(turn)}${unchecked(turn)}`;
    case 'Paused':
      return `${place(turn, status)}, ${pauseMessage(turn, status)}${obstacle(turn)}${unchecked(turn)}`;
    case 'Completing':
      return `everyone goes to ${canary}; waiting for the routes to be served`;
    case 'Succeeded':
      return `${live} is the live version`;
    case 'RollingBack':
      return `everyone goes back to ${live}; waiting for the routes to be served`;
    case 'RolledBack':
      return `${live} is the live version; ${canary} was rolled back${causeMessage(status.rollback)}`;
    case 'Superseded':
      return `${status.rollback?.reason ?? 'superseded'}: everyone goes back to ${live}; waiting for the routes to be served`;
  }
}

function causeMessage(cause: RollbackCause | undefined): string {
  if (cause === undefined) return '';
  return cause.by === undefined ? `: ${cause.reason}` : `: ${cause.reason} by ${cause.by}`;
}

function place(turn: Turn, status: ReleaseStatus): string {
  const { release } = turn;
  const { step, weight, canary, canaryCookie } = status;
  const to = canary === undefined ? '' : ` on ${describeVersion(canary)}`;
  const picking = weight === 0 ? currentStep(turn, status) : undefined;
  if (picking !== undefined) return `step ${step + 1} of ${release.spec.steps.length}: ${describeStep(picking)}${to}`;
  return `step ${step + 1} of ${release.spec.steps.length}: ${weight} % of ${canaryCookie === undefined ? 'visitors' : 'draws'}${to}`;
}

function holdMessage(turn: Turn, status: ReleaseStatus): string {
  if (status.stepStartedAt === undefined) return 'waiting for the routes to be served';
  if (status.suspended) return status.holdRemainingMs === undefined ? 'held' : `${formatDuration(status.holdRemainingMs)} of its hold left`;
  const over = status.holdUntil === undefined || turn.now >= Date.parse(status.holdUntil);
  if (!over) return `held until ${status.holdUntil}`;
  if (turn.observed.problems.length > 0 || isOvertaken(turn, status)) return 'its hold is over';
  return `not widened: ${wideningBlocked(turn, status) ?? 'waiting for the routes to be served'}`;
}

/** A promotion is refused for it: nobody is told to promote. */
function pauseMessage(turn: Turn, status: ReleaseStatus): string {
  const isHeld = status.pausedBy === 'hold';
  const isKept = canaryIsGone(turn, status) || status.suspended || isOvertaken(turn, status);
  if (turn.observed.problems.length > 0 || isKept) return isHeld ? 'manual hold' : 'paused';
  const weight = promotedWeight(turn, status);
  const awaited = weight === undefined ? undefined : wideningBlocked(turn, status, weight);
  if (awaited !== undefined) return `about to be promoted: ${awaited}`;
  return isHeld ? 'manual hold: promote to go on' : 'paused: resume or promote to go on';
}

function unchecked(turn: Turn): string {
  const message = capacityUnchecked(turn);
  return message === undefined ? '' : `; ${message}`;
}

/** What forbids widening until it is mended, told as long as it is there. */
function obstacle({ observed }: Turn): string {
  const [problem] = observed.problems;
  return problem === undefined ? '' : `; not widened: ${problem}`;
}
