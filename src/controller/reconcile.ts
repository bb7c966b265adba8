import { canonicalJson } from '../cluster/manifest.ts';
import type { Readiness } from '../cluster/readiness.ts';
import type { ObjectRef, Store } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { Version } from '../core/release/canary-release.ts';
import { advance } from '../core/release/machine.ts';
import { type Observed, type VersionReadiness, versionsToObserve } from '../core/release/observed.ts';
import { isExposed, isUnderWay } from '../core/release/phase.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import { planOf } from '../core/release/route-plan.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import type { RoutePlan } from '../core/weave/plan.ts';
import { baseVersion } from '../core/weave/released-destination.ts';
import { changedRoutes, type DesiredRoutes, desiredRoutes, revisionOf, routesWithout, trialPlan } from './desired-routes.ts';
import { formerVersions, readWorld, type World } from './world.ts';

export interface ReconcileOptions {
  readonly store: Store;
  readonly readiness: Readiness;
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
  /** The release was deleted; its routes lead to `live` now, or, where none was known, where their owners sent them. */
  readonly removed?: { readonly live: Version | undefined };
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
  // Between releases the routes say nothing about the next one: that is tried.
  const isUnderway = stored.status !== undefined && isUnderWay(stored.status.phase);
  const findings = isUnderway ? current.diagnostics : desiredRoutes(world, trialPlan(world)).diagnostics;
  const observed = observe(options.readiness, world, findings, isServed);
  const next = advance({ ...ref, generation: stored.generation, spec: release.spec }, stored.status, observed, options.now());

  if (stored.deletionRequestedAt !== undefined) {
    const live = versionToLeave(stored.status, next.routes, observed);
    if (live === 'unknown') return { ...NOTHING, isUnconfirmed: true };
    const routes = changedRoutes(world, routesWithout(world, live));
    const isDone = await options.store.commit(ref, { routes, remove: true }, world.revision);
    return isDone ? { ...NOTHING, removed: { live } } : { ...NOTHING, isOutdated: true };
  }

  const desired = desiredRoutes({ ...world, stored: { ...stored, status: next.status } }, next.routes);
  const routes = changedRoutes(world, desired.routes);
  const isNews = canonicalJson(next.status) !== canonicalJson(stored.status);
  const result: PassResult = {
    events: next.events,
    findings,
    isUnconfirmed: routes.length > 0 || !isServed,
    isOutdated: false,
    ...(next.wakeAt === undefined ? {} : { wakeAt: next.wakeAt }),
  };
  if (!isNews && routes.length === 0) return result;
  const change = { ...(isNews ? { status: next.status } : {}), ...(routes.length === 0 ? {} : { routes }) };
  const isDone = await options.store.commit(ref, change, world.revision);
  return isDone ? result : { ...NOTHING, isOutdated: true };
}

/**
 * Where a deletion leaves everyone: at the live version, but mid-release never at one without ready endpoints while the canary has some.
 * `unknown` until readiness is known.
 */
function versionToLeave(
  status: ReleaseStatus | undefined,
  plan: RoutePlan | undefined,
  { stable, canary }: Observed,
): Version | 'unknown' | undefined {
  const live = plan?.kind === 'settled' ? plan.live : undefined;
  if (status === undefined || !isExposed(status.phase) || stable === undefined || stable.ready === true) return live;
  if (stable.ready === undefined || canary.ready === undefined) return 'unknown';
  return canary.ready ? status.canary : live;
}

/** Whether the data plane serves exactly these routes: the store has them, and the revision that is served covers them. */
function isConfirmed(store: Store, world: World, current: DesiredRoutes): boolean {
  if (current.routes.length === 0 || changedRoutes(world, current.routes).length > 0) return false;
  return store.servedRevision() >= revisionOf(world, current.routes);
}

function observe(readiness: Readiness, world: World, findings: readonly Diagnostic[], routesConfirmed: boolean): Observed {
  const { stored, release, routed } = world;
  const { namespace } = release.metadata;
  const { service, canary, stable } = release.spec;
  const host = resolveHost(service.host, namespace);
  const check = (version: Version): VersionReadiness => readiness.check(host, service.port, resolved(version, namespace));
  const versions = versionsToObserve(release.spec, stored.status);
  const candidates = [canary, ...(stable === undefined ? [] : [stable]), ...formerVersions(stored.status)];
  const released = { namespace, host: service.host, port: service.port };
  const errors = findings.filter((diagnostic) => diagnostic.severity === 'error');
  return {
    canary: check(versions.canary),
    stable: versions.stable === undefined ? undefined : check(versions.stable),
    problems: errors.map(({ message }) => message),
    baseVersion: routed === undefined ? undefined : baseVersion(routed.base, released, candidates),
    routesConfirmed,
    request: stored.request,
    deletion: stored.deletionRequestedAt !== undefined,
  };
}

/** A version of another host is written as short as a destination is. */
function resolved(version: Version, namespace: string): Version {
  return 'host' in version ? { ...version, host: resolveHost(version.host, namespace) } : version;
}
