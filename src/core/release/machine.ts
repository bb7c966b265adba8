import type { RoutePlan } from '../weave/plan.ts';
import { conditionsOf } from './conditions.ts';
import { endpointCounts } from './endpoint-counts.ts';
import { nothingIsReady, watchCanary, watchStable } from './endpoints.ts';
import { followFormer } from './former-version.ts';
import { handleRequest, noteReplicasFound } from './handle-request.ts';
import { isoTime } from './hold.ts';
import { type Observed, rollbackWaits, type ScaleOrder, versionsToObserve } from './observed.ts';
import { complete, progress, stayPaused } from './progress.ts';
import type { ReleaseEvent } from './release-event.ts';
import { finishRollback } from './roll-back.ts';
import { planOf, samePlan, settledPlan } from './route-plan.ts';
import { notScaled, notScaledEvent, recordScaling, scaleOrder } from './scaling.ts';
import { leaveSettled, pending } from './start.ts';
import type { ReleaseStatus } from './status.ts';
import { initialStatus, withChanges, withScaling } from './status-change.ts';
import { exposureText, progressText } from './status-figures.ts';
import { statusMessage } from './status-message.ts';
import { finishSuperseded, supersede } from './supersede.ts';
import { followSuspension } from './suspension.ts';
import { event, type Move, type ReleaseInput, type Turn } from './turn.ts';
import { nextWake } from './wake.ts';

/** What follows from one look at the world. */
export interface Advance {
  readonly status: ReleaseStatus;
  /** Where visitors are to go; undefined: leave the base as its owner wrote it. Under deletion: what to un-weave to. */
  readonly routes: RoutePlan | undefined;
  readonly events: readonly ReleaseEvent[];
  /** What is to be scaled, once this status is stored. */
  readonly scale?: ScaleOrder;
  /**
   * When something changes by itself, in ms since the epoch; `now` when another look at once goes on (with other versions to observe);
   * absent when only the world can change anything.
   */
  readonly wakeAt?: number;
}

/** More moves than any turn can need; reaching it means that two rules undo each other. */
const MOST_MOVES = 20;

/**
 * The release machine (its phases: docs/reference/canary-release.md): one pure step from what was (`status`; undefined: nothing is known) and what is seen, to what is
 * and where visitors go. `now` is in ms since the epoch and does not run backwards within a process. Calling it again
 * with the same input and the status it returned changes nothing. Whatever a release waits for is in `status.message`.
 */
export function advance(release: ReleaseInput, previous: ReleaseStatus | undefined, observed: Observed, now: number): Advance {
  let status = previous ?? initialStatus();
  const events: ReleaseEvent[] = [];
  const looked = versionsToObserve(release.spec, previous, observed.request);
  let turn: Turn = { release, observed, looked, now, at: isoTime(now), confirmed: observed.routesConfirmed, rollbackWaits: false };

  const take = (move: Move): void => {
    // What was confirmed is the plan that came in: another one has to be served first.
    if (!samePlan(planOf(status), planOf(move.status))) turn = { ...turn, confirmed: false };
    status = move.status;
    events.push(...move.events.map((each) => ({ ...each, ...placeOf(status) })));
  };

  for (let moves = 0; ; moves++) {
    // Requests come first, so that a rollback wins over a hold that ends at the same moment.
    const requested = recordScaling(turn, status) ?? handleRequest(turn, status);
    turn = { ...turn, rollbackWaits: rollbackWaits(observed.request, status) };
    const move = requested ?? (observed.deletion ? undefined : nextMove(turn, status));
    if (move === undefined) break;
    if (moves === MOST_MOVES) throw new Error(`the release machine does not come to rest in ${status.phase}`);
    take(move);
  }

  const wasStuck = previous?.conditions.some(({ reason }) => reason === 'NoReadyVersion') === true;
  status = withScaling(status, { notScaled: notScaled(turn, status) });
  const unscaled = status.scaling?.notScaled;
  const isTold = unscaled === previous?.scaling?.notScaled || events.some(({ message }) => message === unscaled);
  if (unscaled !== undefined && !isTold) events.push({ ...notScaledEvent(turn, unscaled), ...placeOf(status) });
  const message = statusMessage(turn, status);
  if (nothingIsReady(turn, status) && !wasStuck)
    events.push(event(turn, 'NoReadyVersion', message, { type: 'Warning', ...placeOf(status) }));
  const told = { message, endpoints: endpointCounts(turn, status), progress: progressText(turn, status), exposure: exposureText(status) };
  status = withChanges(status, { ...told, observedGeneration: release.generation });
  status = withChanges(status, { conditions: conditionsOf(turn, status, previous?.conditions ?? []) });

  const wakeAt = observed.deletion ? undefined : nextWake(turn, status);
  const scale = scaleOrder(turn, status);
  return {
    ...{ status, routes: planUnder(observed, status), events },
    ...(scale === undefined ? {} : { scale }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/** Where the release stands, for its events; nowhere before its first step. */
function placeOf({ step, weight }: ReleaseStatus): Pick<ReleaseEvent, 'step' | 'weight'> {
  return step < 0 ? {} : { step, weight };
}

function nextMove(turn: Turn, status: ReleaseStatus): Move | undefined {
  const first = noteReplicasFound(turn, status) ?? followSuspension(turn, status);
  const next = first ?? watchCanary(turn, status) ?? watchStable(turn, status) ?? supersede(turn, status);
  if (next !== undefined) return next;
  switch (status.phase) {
    case 'Pending':
      return pending(turn, status);
    case 'Progressing':
      return progress(turn, status);
    case 'Paused':
      return stayPaused(turn, status);
    case 'Completing':
      return complete(turn, status);
    case 'RollingBack':
      return finishRollback(turn, status);
    case 'Superseded':
      return finishSuperseded(turn, status);
    case 'Succeeded':
      return leaveSettled(turn, status) ?? followFormer(turn, status);
    case 'RolledBack':
      return leaveSettled(turn, status);
  }
}

function planUnder({ deletion }: Observed, status: ReleaseStatus): RoutePlan | undefined {
  return deletion ? settledPlan(status) : planOf(status);
}
