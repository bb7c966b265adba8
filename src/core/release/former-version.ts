import type { ScaleOrder } from './observed.ts';
import { counted, nameOf, onlyDeployment, PODS_AWAITED_MS } from './replicas.ts';
import { scaleDownAt } from './scale-down.ts';
import type { ReleaseStatus, ScaleRecord } from './status.ts';
import { withScaling } from './status-change.ts';
import { type Move, readinessOf, type Turn } from './turn.ts';
import { describeVersion, sameVersion } from './version.ts';

/**
 * What becomes of the replicas of the version before the live one. `waits`: it is not the time yet. `remembered`: how many it has is kept first, so that it can have
 * them again. `settled`: it has no more than it is to have.
 */
type ScaleDown =
  | { readonly kind: 'waits' | 'refused'; readonly reason: string }
  | { readonly kind: 'remembered' | 'settled'; readonly replicas: number }
  | { readonly kind: 'scale'; readonly order: ScaleOrder };

/** Undefined where nothing is to be scaled down, or nothing is known. */
export function scaleDown(turn: Turn, status: ReleaseStatus): ScaleDown | undefined {
  const { observed, release, looked, now } = turn;
  const { stable: version, scaling = {} } = status;
  const { afterSuccess } = release.spec.scaling ?? {};
  const at = scaleDownAt(release.spec, status);
  if (observed.scaling === undefined || afterSuccess === undefined || at === undefined || version === undefined) return undefined;
  if (release.spec.suspend || turn.rollbackWaits) return undefined;
  const goal = `${describeVersion(version)} is scaled to ${counted(afterSuccess.replicas)}`;
  if (now < at) return { kind: 'waits', reason: `${goal} at ${new Date(at).toISOString()}` };
  if (!turn.confirmed) return { kind: 'waits', reason: `${goal} once the routes are served` };
  const { confirmation } = observed;
  if (confirmation?.isDoubtful === true) return refused(`an Envoy may still route to ${describeVersion(version)} (${confirmation.how})`);
  if (observed.scaling.formerUse !== undefined) return refused(observed.scaling.formerUse);
  const own = onlyDeployment(turn, version);
  const lives = readinessOf(turn, looked.canary).deployments;
  if (own === undefined || lives === undefined || !sameVersion(looked.canary, status.liveVersion)) return undefined;
  if (typeof own === 'string') return refused(own);
  const name = `Deployment ${nameOf(own)}`;
  if (lives.some((each) => nameOf(each) === nameOf(own))) return refused(`${name} has the pods of ${describeVersion(looked.canary)}, too`);
  const to = afterSuccess.replicas;
  const former = sameVersion(scaling.former?.version, version) ? scaling.former : undefined;
  if (own.replicas <= to) return { kind: 'settled', replicas: former?.replicas ?? own.replicas };
  // At no replicas it goes to sleep.
  if (own.isAutoscaled && to > 0) return refused(`${name} is scaled by an autoscaler`);
  const { last } = scaling;
  if (last?.cause === 'success' && last.failure !== undefined) return refused(last.failure);
  if (former?.replicas !== own.replicas) return { kind: 'remembered', replicas: own.replicas };
  return { kind: 'scale', order: { version, namespace: own.namespace, name: own.name, from: own.replicas, to, cause: 'success' } };
}

/** Succeeded: keeps how many replicas the former version has, before they are taken away, and that nothing is left to do. */
export function followFormer(turn: Turn, status: ReleaseStatus): Move | undefined {
  const next = scaleDown(turn, status);
  const { stable: version } = status;
  if (version === undefined || (next?.kind !== 'remembered' && next?.kind !== 'settled')) return undefined;
  const former = { version, replicas: next.replicas, ...(next.kind === 'settled' ? { isDone: true as const } : {}) };
  return { status: withScaling(status, { former }), events: [] };
}

/** For so long, in ms, a rollback waits for all pods of the former version: from then on those that are ready have to do. */
const ALL_PODS_MS = 60_000;

/**
 * What a rollback after the end waits for. `order`: what is to be scaled for it. `until`: when it waits no longer, in ms since the epoch. `found`: to be noted, so that
 * this is known: replicas that it did not have to bring.
 */
interface ReplicasAwaited {
  readonly reason: string;
  readonly order?: ScaleOrder;
  readonly until?: number;
  readonly found?: Omit<ScaleRecord, 'at'>;
}

/** Undefined where it waits for no replicas (any more). */
export function replicasToGoBack(turn: Turn, status: ReleaseStatus): ReplicasAwaited | undefined {
  const { request, scaling } = turn.observed;
  const { stable: version, scaling: { former, last } = {} } = status;
  if (scaling === undefined || request === undefined || version === undefined || former === undefined) return undefined;
  if (turn.release.spec.scaling?.afterSuccess === undefined || !sameVersion(former.version, version)) return undefined;
  const own = onlyDeployment(turn, version);
  if (own === undefined || typeof own === 'string') return undefined;
  const name = `Deployment ${nameOf(own)}`;
  const noted = last?.cause === 'rollback' && last.request === request.id ? last : undefined;
  const found = { version, deployment: nameOf(own), from: own.replicas, to: own.replicas, cause: 'rollback', request: request.id } as const;
  if (own.replicas < former.replicas) {
    // Once for each request: what is there then has to do.
    if (noted !== undefined || (own.isAutoscaled && own.replicas > 0)) return undefined;
    const { namespace } = own;
    const { deployment: _, ...rest } = found;
    const order = { ...rest, namespace, name: own.name, to: former.replicas };
    return { reason: `${name} has ${counted(own.replicas)} and gets ${former.replicas} first`, order };
  }
  const { ready, reason, rollout } = readinessOf(turn, version);
  // Who brought them may be somebody else, or a controller that could not take down any more that it did.
  const isDone = rollout === undefined && (ready === true || noted === undefined);
  const since = noted === undefined ? turn.now : Date.parse(noted.at);
  const until = since + (ready === true ? ALL_PODS_MS : PODS_AWAITED_MS);
  if (own.isLate || isDone || turn.now >= until) return undefined;
  return { reason: rollout ?? reason, until, ...(noted === undefined ? { found } : {}) };
}

function refused(reason: string): ScaleDown {
  return { kind: 'refused', reason };
}
