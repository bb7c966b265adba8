import type { Version } from './canary-release.ts';
import type { ScaleOrder, VersionDeployment } from './observed.ts';
import type { ReleaseStatus, ScaleRecord } from './status.ts';
import { readinessOf, type Turn } from './turn.ts';
import { describeVersion, sameVersion } from './version.ts';

/** Floating point must not ask for one replica more than the arithmetic does. */
const ROUNDING = 1e-9;

/**
 * So long after a Deployment was scaled, in ms, its pods are waited for. It may never say itself that they do not come: only the rollout of a new form has a progress
 * deadline, more replicas of the same have none.
 */
export const PODS_AWAITED_MS = 5 * 60_000;

/** How many replicas a share of the visitors needs, where all of them need `live`: at least one. Percent. */
export function replicasNeeded(live: number, weight: number): number {
  return Math.max(1, Math.ceil((live * weight) / 100 - ROUNDING));
}

/**
 * Whether the canary has the replicas that a weight needs. `scale`: it gets them. `overridden`: it was given them, and somebody took them away: the release waits for
 * them and nobody is fought. `refused`: it cannot get them by this release, which goes on without.
 */
type Replicas =
  | { readonly kind: 'enough' }
  | { readonly kind: 'scale'; readonly order: ScaleOrder; readonly reason: string }
  | { readonly kind: 'overridden' | 'refused'; readonly reason: string };

const ENOUGH: Replicas = { kind: 'enough' };

/** The answer for a weight, in percent; enough where nothing is to be scaled, or nothing is known yet. */
export function replicasFor(turn: Turn, status: ReleaseStatus, weight: number): Replicas {
  const { spec } = turn.release;
  const { canary, stable } = turn.looked;
  if (turn.observed.scaling === undefined || spec.scaling?.beforeStep === undefined || stable === undefined) return ENOUGH;
  const [own, lives] = [onlyDeployment(turn, canary), onlyDeployment(turn, stable)];
  if (own === undefined || lives === undefined) return ENOUGH;
  if (typeof own === 'string') return refusal(own);
  if (typeof lives === 'string') return refusal(lives);
  const name = `Deployment ${nameOf(own)}`;
  if (nameOf(own) === nameOf(lives)) return refusal(`${name} has the pods of ${describeVersion(stable)}, too`);
  const needed = replicasNeeded(lives.replicas, weight);
  if (own.replicas >= needed) return ENOUGH;
  if (own.isAutoscaled && own.replicas > 0) return refusal(`${name} is scaled by an autoscaler`);
  const { last } = status.scaling ?? {};
  const isSame = isForStep(last, canary, weight) && last.to >= needed;
  if (isSame && last.failure !== undefined) return refusal(last.failure);
  const has = `${name} has ${counted(own.replicas)}`;
  if (isSame) return { kind: 'overridden', reason: `${has}: it was scaled to ${last.to} for ${weight} %, and somebody scaled it back` };
  const { namespace } = own;
  const order: ScaleOrder = { version: canary, namespace, name: own.name, from: own.replicas, to: needed, cause: 'step', weight };
  return { kind: 'scale', order, reason: `${has} and gets ${needed} for ${weight} % first` };
}

/** What keeps a release from widening to a weight, in a sentence: replicas that the canary is to have first. */
export function replicasMissing(turn: Turn, status: ReleaseStatus, weight: number): string | undefined {
  const replicas = replicasFor(turn, status, weight);
  return replicas.kind === 'scale' || replicas.kind === 'overridden' ? replicas.reason : undefined;
}

/** Whether pods that the canary gets for a weight are on their way: a promotion waits for them, rather than being refused. */
export function podsAwaited(turn: Turn, status: ReleaseStatus, weight: number): boolean {
  return replicasFor(turn, status, weight).kind === 'scale' || turn.now < (podsAwaitedUntil(turn, status, weight) ?? 0);
}

/** Until when a promotion waits for pods that the canary was given for a weight, in ms since the epoch; undefined where none are on their way. */
export function podsAwaitedUntil(turn: Turn, status: ReleaseStatus, weight: number): number | undefined {
  const { last } = status.scaling ?? {};
  const isScaled = isForStep(last, turn.looked.canary, weight) && last.failure === undefined;
  if (!isScaled || turn.release.spec.scaling?.beforeStep === undefined) return undefined;
  if (replicasFor(turn, status, weight).kind !== 'enough') return undefined;
  const { rollout, deployments = [] } = readinessOf(turn, turn.looked.canary);
  return rollout === undefined || deployments.some(({ isLate }) => isLate) ? undefined : Date.parse(last.at) + PODS_AWAITED_MS;
}

/** The one Deployment of a version; why there is no such one; undefined where that is not known yet. */
export function onlyDeployment(turn: Turn, version: Version): VersionDeployment | string | undefined {
  const { ready, deployments } = readinessOf(turn, version);
  const [only, ...others] = deployments ?? [];
  // Of a version that is not there yet it cannot be told what will make its pods.
  if (deployments === undefined || (only === undefined && ready !== true)) return undefined;
  const pods = `the pods of ${describeVersion(version)}`;
  if (only === undefined) return `no Deployment makes ${pods}`;
  if (others.length > 0) return `several Deployments make ${pods}: ${deployments.map(({ name }) => name).join(', ')}`;
  if (only.namespace === turn.release.namespace) return only;
  return `Deployment ${nameOf(only)} is in another namespace than the release`;
}

function isForStep(last: ScaleRecord | undefined, canary: Version, weight: number): last is ScaleRecord {
  return last?.cause === 'step' && sameVersion(last.version, canary) && last.weight === weight;
}

/** `namespace/name`. */
export function nameOf({ namespace, name }: Pick<VersionDeployment, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** `1 replica`, `2 replicas`. */
export function counted(replicas: number): string {
  return `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
}

function refusal(reason: string): Replicas {
  return { kind: 'refused', reason };
}
