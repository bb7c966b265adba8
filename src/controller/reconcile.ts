import { sameJson } from '../cluster/manifest.ts';
import type { Readiness, ServiceAddress } from '../cluster/readiness.ts';
import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { ObjectRef, Store } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { CanaryRelease, Version } from '../core/release/canary-release.ts';
import { healthCheckOf } from '../core/release/health-check.ts';
import { advance } from '../core/release/machine.ts';
import {
  NOT_ASKED,
  needsReadiness,
  type Observed,
  type RequestRate,
  type VersionReadiness,
  versionsToObserve,
} from '../core/release/observed.ts';
import { ownerOf } from '../core/release/ownership.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import { planOf, samePlan } from '../core/release/route-plan.ts';
import { baseVersion, serviceOf } from '../core/weave/released-destination.ts';
import { deletedEvent, departureOf } from './deletion.ts';
import { changedRoutes, type DesiredRoutes, desiredRoutes, revisionOf } from './desired-routes.ts';
import { weavingFindings } from './weaving-findings.ts';
import { formerVersions, readWorld, releaseName, type World } from './world.ts';

/** What a pass reads and writes, and the time that it goes by. */
interface ReconcileOptions {
  readonly store: Store;
  readonly readiness: Readiness;
  /** Absent where nobody counts requests. */
  readonly rates?: RequestRateSource | undefined;
  /** Milliseconds since the epoch; never backwards within a process. */
  readonly now: () => number;
}

/** What one pass came to. */
export interface PassResult {
  /** What happened to the release, and was written. */
  readonly events: readonly ReleaseEvent[];
  /** What weaving says of the bases as they are. */
  readonly findings: readonly Diagnostic[];
  /** When to look again though nothing tells to, in milliseconds since the epoch. */
  readonly wakeAt?: number;
  /** Whether the release waits for the data plane to serve its routes. */
  readonly isUnconfirmed: boolean;
  /** Someone else wrote meanwhile: nothing was written, and the pass has to be done again. */
  readonly isOutdated: boolean;
}

const NOTHING: PassResult = { events: [], findings: [], isUnconfirmed: false, isOutdated: false };

/**
 * One pass over one release: look at the world, advance the release, weave its routes, and commit status and routes as one. Level
 * triggered: it goes by what is, not by what changed, and where nothing has to change it writes nothing.
 */
export async function reconcile(options: ReconcileOptions, ref: ObjectRef): Promise<PassResult> {
  const world = await readWorld(options.store, ref);
  if (world === undefined) return NOTHING;
  const { stored, release } = world;
  const plan = stored.status === undefined ? undefined : planOf(stored.status);
  const current = desiredRoutes(world, plan);
  const isServed = plan === undefined || isConfirmed(options.store, world, current);
  const findings = weavingFindings(world, current);
  const check = readinessCheck(options.readiness, world);
  const observed = observe(world, check, findings, isServed, options.rates);
  if (stored.deletionRequestedAt !== undefined) return await passDeletion(options, world, observed, check);

  const next = advance({ ...ref, generation: stored.generation, spec: release.spec }, stored.status, observed, options.now());
  const isNews = !sameJson(next.status, stored.status);
  const isSame = !isNews && samePlan(next.routes, plan);
  const desired = isSame ? current : desiredRoutes({ ...world, stored: { ...stored, status: next.status } }, next.routes);
  const routes = changedRoutes(world, desired.routes);
  const result: PassResult = {
    events: next.events,
    findings,
    isUnconfirmed: routes.length > 0 || !isServed,
    isOutdated: false,
    ...(next.wakeAt === undefined ? {} : { wakeAt: next.wakeAt }),
  };
  if (!isNews && routes.length === 0) return result;
  const change = { events: next.events, ...(isNews ? { status: next.status } : {}), ...(routes.length === 0 ? {} : { routes }) };
  const isDone = await options.store.commit(ref, change, world.revision);
  return isDone ? result : { ...NOTHING, isOutdated: true };
}

/** Takes the release out of its routes and away, in one commit, or says what that waits for. */
async function passDeletion(options: ReconcileOptions, world: World, observed: Observed, check: ReadinessCheck): Promise<PassResult> {
  const { stored, release, revision } = world;
  const departure = departureOf(world, observed, check);
  if (departure.kind === 'leave') {
    const events = [deletedEvent(world, departure, options.now())];
    const change = { events, routes: changedRoutes(world, departure.routes), remove: true };
    const isDone = await options.store.commit(stored.ref, change, revision);
    return isDone ? { ...NOTHING, events } : { ...NOTHING, isOutdated: true };
  }
  const input = { ...stored.ref, generation: stored.generation, spec: release.spec };
  const { status, events } = advance(input, stored.status, { ...observed, deletionWaits: departure.reason }, options.now());
  if (sameJson(status, stored.status)) return { ...NOTHING, isUnconfirmed: true };
  const isDone = await options.store.commit(stored.ref, { status, events }, revision);
  return isDone ? { ...NOTHING, events, isUnconfirmed: true } : { ...NOTHING, isOutdated: true };
}

/** Whether the data plane serves exactly these routes: the store has them, and the revision that is served covers them. */
function isConfirmed(store: Store, world: World, current: DesiredRoutes): boolean {
  if (!current.carryPlan || changedRoutes(world, current.routes).length > 0) return false;
  return store.servedRevision() >= revisionOf(world, current.routes);
}

type ReadinessCheck = (version: Version) => VersionReadiness;

function readinessCheck(readiness: Readiness, { release }: World): ReadinessCheck {
  const { host, port } = releasedService(release);
  const healthCheck = healthCheckOf(release.spec.readiness);
  return (version) => readiness.check(host, port, resolved(version, release.metadata.namespace), healthCheck);
}

/** The service whose readiness passes over a release ask for. */
export function releasedService({ metadata, spec: { service } }: CanaryRelease): ServiceAddress {
  return { host: resolveHost(service.host, metadata.namespace), port: service.port };
}

function observe(
  world: World,
  check: ReadinessCheck,
  findings: readonly Diagnostic[],
  routesConfirmed: boolean,
  rates: RequestRateSource | undefined,
): Observed {
  const { stored, release } = world;
  const { canary, stable } = release.spec;
  const versions = versionsToObserve(release.spec, stored.status, stored.request);
  const candidates = [canary, ...(stable === undefined ? [] : [stable]), ...formerVersions(stored.status)];
  const errors = findings.filter((diagnostic) => diagnostic.severity === 'error');
  const base = baseToJudge(world);
  const look = needsReadiness(release.spec, stored.status, stored.request) ? check : () => NOT_ASKED;
  return {
    canary: look(versions.canary),
    stable: versions.stable === undefined ? undefined : look(versions.stable),
    ...(rates === undefined ? {} : { requestRate: rateOf(world, versions, rates) }),
    problems: errors.map(({ message }) => message),
    baseVersion: base === undefined ? undefined : baseVersion(base, serviceOf(release), candidates),
    routesConfirmed,
    request: stored.request,
    deletion: stored.deletionRequestedAt !== undefined,
  };
}

/** Of all addresses that the service has: its own, and those of versions that are hosts. */
function rateOf({ release }: World, { canary, stable }: ReturnType<typeof versionsToObserve>, rates: RequestRateSource): RequestRate {
  const { namespace } = release.metadata;
  const { service } = release.spec;
  const hosts = [service, canary, stable].flatMap((each) => (each !== undefined && 'host' in each ? [each] : []));
  const addresses = new Map<string, readonly [string, number]>();
  for (const { host: name, port = service.port } of hosts) {
    const host = resolveHost(name, namespace);
    addresses.set(`${host}:${port}`, [host, port]);
  }
  let sum = 0;
  for (const [host, port] of addresses.values()) {
    const rate = rates.perSecond(host, port);
    if (rate === 'measuring') return rate;
    sum += rate;
  }
  return Number(sum.toPrecision(6));
}

/** The base by which it is told what everyone gets. An object that the release is about to take over tells that, not what it will be. */
function baseToJudge({ routed, release }: World): KubeObject | undefined {
  const stored = routed?.stored;
  const takesOver = routed?.isOwned === true && stored !== undefined && ownerOf(stored.base) !== releaseName(release);
  return takesOver ? stored.base : routed?.base;
}

/** A version of another host is written as short as a destination is. */
function resolved(version: Version, namespace: string): Version {
  return 'host' in version ? { ...version, host: resolveHost(version.host, namespace) } : version;
}
