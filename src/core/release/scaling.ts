import { nextWeight } from './capacity.ts';
import { scaleDown } from './former-version.ts';
import { promotedWeight, rollbackAwaits } from './handle-request.ts';
import type { ScaleOrder } from './observed.ts';
import { isWideningDue } from './progress.ts';
import type { ReleaseEvent } from './release-event.ts';
import { counted, nameOf, replicasFor } from './replicas.ts';
import { missingBesideCanary } from './start.ts';
import type { ReleaseStatus, ScaleRecord } from './status.ts';
import { withScaling } from './status-change.ts';
import { event, type Move, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/**
 * What is to be scaled now, of a release that has come to rest in this status: at most one order for each decision, since `recordScaling` notes it. Whoever carries it
 * out does so only once this status is stored.
 */
export function scaleOrder(turn: Turn, status: ReleaseStatus): ScaleOrder | undefined {
  if (turn.observed.deletion) return undefined;
  const weight = dueWeight(turn, status);
  const replicas = weight === undefined ? undefined : replicasFor(turn, status, weight);
  if (replicas?.kind === 'scale') return replicas.order;
  const down = scaleDown(turn, status);
  return down?.kind === 'scale' ? down.order : rollbackAwaits(turn, status)?.order;
}

/** The weight that the release would have next, but for the pods of the canary; undefined where it is not to widen now. */
function dueWeight(turn: Turn, status: ReleaseStatus): number | undefined {
  if (status.phase === 'Pending') return missingBesideCanary(turn, status).length === 0 ? firstWeight(turn) : undefined;
  return promotedWeight(turn, status) ?? (isWideningDue(turn, status) ? nextWeight(turn, status) : undefined);
}

function firstWeight({ release }: Turn): number {
  return release.spec.steps[0]?.weight ?? 0;
}

/** Takes down what came of an order. */
export function recordScaling(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { outcome } = turn.observed.scaling ?? {};
  if (outcome === undefined) return undefined;
  const { order, failure } = outcome;
  const { namespace: _, name: __, ...rest } = order;
  const record: Omit<ScaleRecord, 'at'> = { ...rest, deployment: nameOf(order), ...(failure === undefined ? {} : { failure }) };
  if (isSameRecord(status.scaling?.last, record)) return undefined;
  const next = withScaling(status, { last: { ...record, at: turn.at } });
  if (failure !== undefined) return { status: next, events: [notScaledEvent(turn, withCode(failure))] };
  const message = `Deployment ${nameOf(order)} scaled from ${order.from} to ${counted(order.to)}: ${causeText(order)}`;
  const { former } = next.scaling ?? {};
  const isDown = order.cause === 'success' && former !== undefined;
  const done = isDown ? withScaling(next, { former: { ...former, isDone: true } }) : next;
  return { status: done, events: [event(turn, 'Scaled', message)] };
}

function causeText({ version, cause, weight }: ScaleOrder): string {
  const name = describeVersion(version);
  if (cause === 'step') return `${name} is to get ${weight} %`;
  return cause === 'success' ? `${name} is the former version` : `a rollback to ${name} is asked for`;
}

function isSameRecord(a: ScaleRecord | undefined, b: Omit<ScaleRecord, 'at'>): boolean {
  if (a?.deployment !== b.deployment || a.cause !== b.cause || a.weight !== b.weight || a.request !== b.request) return false;
  return a.from === b.from && a.to === b.to && a.failure === b.failure;
}

/** Why nothing is scaled although it should be, where that is so: told while the release is on its way, not only when it wants to widen. */
export function notScaled(turn: Turn, status: ReleaseStatus): string | undefined {
  if (turn.observed.scaling === undefined || turn.observed.deletion) return undefined;
  if (status.phase === 'Succeeded') {
    const down = scaleDown(turn, status);
    return down?.kind === 'refused' ? withCode(down.reason) : undefined;
  }
  const isOnStep = status.phase === 'Progressing' || status.phase === 'Paused';
  if (!isOnStep && status.phase !== 'Pending') return undefined;
  const replicas = replicasFor(turn, status, isOnStep ? nextWeight(turn, status) : firstWeight(turn));
  return replicas.kind === 'refused' ? withCode(replicas.reason) : undefined;
}

/** Tells that. */
export function notScaledEvent(turn: Turn, message: string): ReleaseEvent {
  return event(turn, 'NotScaled', message, { type: 'Warning' });
}

function withCode(reason: string): string {
  return `${reason} (PERCH3095)`;
}
