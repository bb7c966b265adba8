import { nextWeight } from './capacity.ts';
import { resumeBlocked } from './endpoints.ts';
import { replicasToGoBack } from './former-version.ts';
import { holdEnd } from './hold.ts';
import { paused } from './pause.ts';
import { goOn, promoteFully, wideningBlocked, wideningForbidden } from './progress.ts';
import { podsAwaited } from './replicas.ts';
import { handledRequest, type RequestEffect, requestEffect, withHandled } from './requests.ts';
import { rollBack } from './roll-back.ts';
import { toNewStart } from './start.ts';
import type { HandledRequest, ReleaseRequest, ReleaseStatus } from './status.ts';
import { withChanges, withScaling } from './status-change.ts';
import { event, type Move, readinessOf, standingText, type Turn } from './turn.ts';
import { describeVersion, sameVersion } from './version.ts';

type Answer =
  | { readonly kind: 'done'; readonly message: string; readonly move: Move }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Handles the request that was posted last, once: its outcome is recorded with its id. Undefined when there is none, or when the answer
 * depends on readiness that is not known yet; then the request stays pending.
 */
export function handleRequest(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { request } = turn.observed;
  if (request === undefined || handledRequest(status, request.id) !== undefined) return undefined;
  const answer = answerTo(turn, status, request);
  if (answer === undefined) return undefined;
  const { id, action, full, by } = request;
  const handled: HandledRequest = {
    id,
    action,
    ...(full === undefined ? {} : { full }),
    by,
    at: turn.at,
    outcome: answer.kind,
    message: answer.message,
  };
  if (answer.kind === 'done') return { status: withChanges(answer.move.status, withHandled(status, handled)), events: answer.move.events };
  const refusal = event(turn, 'RequestRefused', `${action} refused: ${answer.message}`, { type: 'Warning', by });
  return { status: withChanges(status, withHandled(status, handled)), events: [refusal] };
}

function answerTo(turn: Turn, status: ReleaseStatus, request: ReleaseRequest): Answer | undefined {
  if (turn.observed.deletion) return refused('the release is being deleted');
  const effect = requestEffect(status.phase, request.action);
  if (request.full === true && request.action !== 'promote') return refused(`full goes with promote, not with ${request.action}`);
  if (turn.release.spec.suspend && WIDENING.includes(effect.kind)) return refused('the release is suspended: take spec.suspend away first');
  switch (effect.kind) {
    case 'refuse':
      return refused(effect.message);
    case 'nextStep':
      return promote(turn, status, request.by, request.full);
    case 'pause':
      return pause(turn, status, request.by);
    case 'resume':
      return status.pausedBy === 'hold' ? promote(turn, status, request.by) : resume(turn, status, request.by);
    case 'rollBack':
      return goBack(turn, status, request.by);
    case 'retry':
      return retry(turn, status, request.by);
  }
}

/** What may send more visitors to the canary, at once or later: nothing of it is done while the release is suspended. */
const WIDENING: readonly RequestEffect['kind'][] = ['nextStep', 'resume', 'retry'];

/** The weight to which a promotion that was asked for, and waits for pods, is to bring the release; undefined where none does. */
export function promotedWeight(turn: Turn, status: ReleaseStatus): number | undefined {
  const { request } = turn.observed;
  if (request === undefined || handledRequest(status, request.id) !== undefined || turn.release.spec.suspend) return undefined;
  const { kind } = requestEffect(status.phase, request.action);
  if (kind !== 'nextStep' && !(kind === 'resume' && status.pausedBy === 'hold')) return undefined;
  if (wideningForbidden(turn, status) !== undefined) return undefined;
  return request.action === 'promote' && request.full === true ? 100 : nextWeight(turn, status);
}

function promote(turn: Turn, status: ReleaseStatus, by: string, isFull = false): Answer | undefined {
  const isKnown = readinessOf(turn, status.canary).ready !== undefined;
  if (!isKnown && turn.observed.problems.length === 0) return undefined;
  const weight = isFull ? 100 : nextWeight(turn, status);
  if (wideningForbidden(turn, status) === undefined && podsAwaited(turn, status, weight)) return undefined;
  const blocked = wideningBlocked(turn, status, weight);
  if (blocked !== undefined) return refused(`not widened: ${blocked}`);
  if (isFull) return done(`promoted to the end from ${status.weight} %: completing`, promoteFully(turn, status, by));
  const move = goOn(turn, status, by);
  const { phase } = move.status;
  return done(
    phase === 'Completing'
      ? 'the last hold has ended: completing'
      : `promoted from ${standingText(turn, status)} to ${standingText(turn, move.status)}`,
    move,
  );
}

function pause(turn: Turn, status: ReleaseStatus, by: string): Answer {
  const message = `paused at ${standingText(turn, status)}`;
  return done(message, { status: paused(turn, status, 'request'), events: [event(turn, 'Paused', message, { by })] });
}

function resume(turn: Turn, status: ReleaseStatus, by: string): Answer | undefined {
  const blocked = resumeBlocked(turn, status);
  if (blocked === 'unknown') return undefined;
  if (blocked !== undefined) return refused(blocked.reason);
  const left = status.holdRemainingMs;
  const resumed = withChanges(status, {
    phase: 'Progressing',
    pausedBy: undefined,
    holdRemainingMs: undefined,
    holdUntil: left === undefined ? undefined : holdEnd(turn.now, left),
  });
  const message = `resumed at ${standingText(turn, status)}`;
  return done(message, { status: resumed, events: [event(turn, 'Resumed', message, { by })] });
}

function goBack(turn: Turn, status: ReleaseStatus, by: string): Answer | undefined {
  const nowhere = nothingBefore(status);
  if (nowhere !== undefined) return refused(nowhere);
  if (replicasToGoBack(turn, status) !== undefined) return undefined;
  const stable = readinessOf(turn, status.stable);
  if (stable.ready === undefined) return undefined;
  const name = status.stable === undefined ? 'stable' : describeVersion(status.stable);
  // Never route to a version that cannot answer: staying serves more visitors.
  if (!stable.ready) return refused(`${name} has no ready endpoints (${stable.reason}): everyone stays where they are`);
  return done(`rolling back to ${name}`, rollBack(turn, status, 'requested', by));
}

/** The replicas of stable that a rollback waits for, which is asked for and not done yet. */
export function rollbackAwaits(turn: Turn, status: ReleaseStatus): ReturnType<typeof replicasToGoBack> {
  const isBefore = turn.rollbackWaits && requestEffect(status.phase, 'rollback').kind === 'rollBack' && nothingBefore(status) === undefined;
  return isBefore ? replicasToGoBack(turn, status) : undefined;
}

/** Takes down since when a rollback waits for replicas that it did not have to bring. */
export function noteReplicasFound(turn: Turn, status: ReleaseStatus): Move | undefined {
  const found = rollbackAwaits(turn, status)?.found;
  return found === undefined ? undefined : { status: withScaling(status, { last: { ...found, at: turn.at } }), events: [] };
}

/** Why a release that has ended, or not begun, has nowhere to go back to; undefined where it has. */
function nothingBefore({ phase, stable, liveVersion }: ReleaseStatus): string | undefined {
  if (phase !== 'Succeeded' && phase !== 'Pending') return undefined;
  if (stable !== undefined && liveVersion !== undefined && !sameVersion(stable, liveVersion)) return undefined;
  if (phase === 'Pending') return 'there is nothing to roll back: the release has not started';
  return 'no version before the live one is known: to go back, apply a release whose canary is the former version';
}

function retry(turn: Turn, status: ReleaseStatus, by: string): Answer {
  return done('the release starts again', {
    status: toNewStart(status),
    events: [event(turn, 'RetryRequested', 'the release starts again', { by })],
  });
}

function refused(message: string): Answer {
  return { kind: 'refused', message };
}

function done(message: string, move: Move): Answer {
  return { kind: 'done', message, move };
}
