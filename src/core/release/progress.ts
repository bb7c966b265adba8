import { capacityShortage, nextWeight } from './capacity.ts';
import { describeStep } from './describe-step.ts';
import { parseDuration } from './durations.ts';
import { withHistory } from './history.ts';
import { holdEnd } from './hold.ts';
import { replicasMissing } from './replicas.ts';
import type { ReleaseStatus } from './status.ts';
import { atWeight, NO_HOLD, withChanges } from './status-change.ts';
import { isOvertaken, waitingToSupersede } from './supersede.ts';
import { currentStep, event, type Move, nextStepIndex, readinessOf, servedEvent, standingText, stepIndex, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** What forbids widening now, to the next weight or to the one given in percent; undefined when nothing does. */
export function wideningBlocked(turn: Turn, status: ReleaseStatus, weight = nextWeight(turn, status)): string | undefined {
  const lacking = replicasMissing(turn, status, weight) ?? readinessOf(turn, status.canary).rollout;
  return wideningForbidden(turn, status) ?? lacking ?? capacityShortage(turn, status.canary, weight);
}

/** The same, whatever the weight, and but for pods that the canary may yet get. */
export function wideningForbidden(turn: Turn, status: ReleaseStatus): string | undefined {
  if (isOvertaken(turn, status)) return waitingToSupersede(turn, status);
  if (turn.release.spec.suspend) return 'spec.suspend is true';
  const canary = readinessOf(turn, status.canary);
  const [problem] = turn.observed.problems;
  if (problem !== undefined) return problem;
  if (canary.ready !== true) return `the canary is not ready: ${canary.reason}`;
  return turn.rollbackWaits ? 'a rollback is asked for' : undefined;
}

/** Whether a release that goes on by itself is to widen now, but for what forbids it and for pods that the canary may yet get. */
export function isWideningDue(turn: Turn, status: ReleaseStatus): boolean {
  if (status.phase !== 'Progressing' || status.suspended === true || wideningForbidden(turn, status) !== undefined) return false;
  return currentStep(turn, status) === undefined || (isHoldOver(turn, status) && turn.confirmed);
}

function isHoldOver(turn: Turn, { holdUntil }: ReleaseStatus): boolean {
  return holdUntil !== undefined && turn.now >= Date.parse(holdUntil);
}

/** Goes to the next larger weight, or, when there is none, makes the canary the live version. */
export function goOn(turn: Turn, status: ReleaseStatus, by?: string): Move {
  const { steps } = turn.release.spec;
  const index = nextStepIndex(turn, status);
  const next = steps[index];
  const who = by === undefined ? {} : { by };
  if (next === undefined) return toEnd(turn, status, 'all steps are done', who);
  const progressing = withChanges(status, {
    ...NO_HOLD,
    phase: 'Progressing',
    step: index,
    ...atWeight(status, next.weight),
  });
  return { status: progressing, events: [event(turn, 'StepStarted', `step ${index + 1} of ${steps.length}: ${describeStep(next)}`, who)] };
}

/** Makes the canary the live version at once, past all steps that are left, and says who wanted that. */
export function promoteFully(turn: Turn, status: ReleaseStatus, by: string): Move {
  const step = turn.release.spec.steps.length - 1;
  const skipped = withChanges(status, { step, ...atWeight(status, 100), promotion: { weight: status.weight, by } });
  return toEnd(turn, skipped, promotionReason(status), { by });
}

function promotionReason({ weight }: { readonly weight: number }): string {
  return `promoted to the end from ${weight} %`;
}

function toEnd(turn: Turn, status: ReleaseStatus, why: string, who: { readonly by?: string }): Move {
  const completing = withChanges(status, { ...NO_HOLD, phase: 'Completing', liveVersion: status.canary });
  return { status: completing, events: [event(turn, 'Completing', `${why}: everyone goes to the canary`, who)] };
}

/** Progressing: confirm the step, hold it, go on. One rule at a time; the machine asks again until none applies. */
export function progress(turn: Turn, status: ReleaseStatus): Move | undefined {
  const step = currentStep(turn, status);
  if (step === undefined) {
    // The spec has no step of this weight any more: on to the next larger one, never back.
    return wideningBlocked(turn, status) === undefined ? goOn(turn, status) : undefined;
  }
  const renumbered = renumber(turn, status);
  if (renumbered !== undefined) return renumbered;
  if (status.stepStartedAt === undefined) return confirmStep(turn, status);
  if (step.hold === 'manual') {
    const paused = withChanges(status, { phase: 'Paused', pausedBy: 'hold', holdUntil: undefined, holdRemainingMs: undefined });
    return { status: paused, events: [event(turn, 'Paused', `manual hold at ${standingText(turn, status)}: promote to go on`)] };
  }
  if (status.suspended) return status.holdRemainingMs === undefined ? keepHold(status, step.hold) : undefined;
  if (status.holdUntil === undefined) {
    return { status: withChanges(status, { holdUntil: holdEnd(turn.now, holdOf(step.hold)) }), events: [] };
  }
  return isHoldOver(turn, status) && turn.confirmed && wideningBlocked(turn, status) === undefined ? goOn(turn, status) : undefined;
}

/** Paused: the step may still be confirmed, so that its hold is whole when it is resumed. */
export function stayPaused(turn: Turn, status: ReleaseStatus): Move | undefined {
  const renumbered = renumber(turn, status);
  if (renumbered !== undefined) return renumbered;
  if (status.stepStartedAt !== undefined) return undefined;
  const confirmed = confirmStep(turn, status);
  const hold = currentStep(turn, status)?.hold;
  if (confirmed === undefined || hold === undefined || hold === 'manual') return confirmed;
  return { ...confirmed, status: keepHold(confirmed.status, hold).status };
}

/** The whole hold is left: it does not go on yet. */
function keepHold(status: ReleaseStatus, hold: string): Move {
  return { status: withChanges(status, { holdRemainingMs: holdOf(hold) }), events: [] };
}

/** Completing: done once the data plane serves the canary to everyone; a rollback that waits can still take it back. */
export function complete(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!turn.confirmed || turn.rollbackWaits) return undefined;
  const { promotion } = status;
  const how = promotion === undefined ? {} : { reason: promotionReason(promotion), by: promotion.by };
  const next = withChanges(withHistory(turn, status, 'Succeeded', how), { phase: 'Succeeded', canaryLostSince: undefined });
  const name = status.canary === undefined ? 'the canary' : describeVersion(status.canary);
  return { status: next, events: [servedEvent(turn, 'Succeeded', `${name} is the live version`)] };
}

function confirmStep(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!turn.confirmed) return undefined;
  const started = withChanges(status, { stepStartedAt: turn.at });
  return { status: started, events: [servedEvent(turn, 'StepConfirmed', `${standingText(turn, status)} is served`)] };
}

/** The steps were edited, and the weight that is served has another place among them. */
function renumber(turn: Turn, status: ReleaseStatus): Move | undefined {
  const index = stepIndex(turn, status);
  if (index < 0 || index === status.step) return undefined;
  return { status: withChanges(status, { step: index }), events: [] };
}

function holdOf(hold: string): number {
  const ms = parseDuration(hold);
  if (ms === undefined) throw new Error(`${hold} passed validation but is no duration`);
  return ms;
}
