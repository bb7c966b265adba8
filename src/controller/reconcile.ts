import { sameJson } from '../cluster/manifest.ts';
import type { Mesh } from '../cluster/mesh.ts';
import type { Readiness, ServiceAddress } from '../cluster/readiness.ts';
import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { Scaling } from '../cluster/scaling.ts';
import type { ObjectRef, ReleaseStore, RouteChange, Serving } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { plainText } from '../core/diagnostics/log-text.ts';
import { routesAt } from '../core/istio/envoy-routes.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { CanaryRelease, Version } from '../core/release/canary-release.ts';
import { healthCheckOf } from '../core/release/health-check.ts';
import { type Advance, advance } from '../core/release/machine.ts';
import {
  NOT_ASKED,
  needsReadiness,
  type Observed,
  type ObservedScaling,
  type RequestRate,
  type ScaleOrder,
  type VersionReadiness,
  versionsToObserve,
} from '../core/release/observed.ts';
import { ownerOf } from '../core/release/ownership.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import { planOf, samePlan } from '../core/release/route-plan.ts';
import { scaleDownAt } from '../core/release/scale-down.ts';
import { sameVersion } from '../core/release/version.ts';
import { baseVersion, serviceOf } from '../core/weave/released-destination.ts';
import { delegatesTo } from '../core/weave/route-object.ts';
import { deletedEvent, departureOf, servedWithout } from './deletion.ts';
import type { DesiredRoutes } from './desired-route-set.ts';
import { changedRoutes, desiredRoutes, revisionOf } from './desired-routes.ts';
import { formerUse } from './former-use.ts';
import { httpRouteServices, httpVersions } from './http-routes.ts';
import { weavingFindings } from './weaving-findings.ts';
import { formerVersions, readWorld, releaseName, versionHosts, type World } from './world.ts';

/** What a pass reads and writes, and the time that it goes by. */
interface ReconcileOptions {
  readonly store: ReleaseStore;
  readonly readiness: Readiness;
  /** Absent where nothing is known of one. */
  readonly mesh?: Mesh | undefined;
  /** Absent where nobody counts requests. */
  readonly rates?: RequestRateSource | undefined;
  /** Absent where there is nothing to scale. */
  readonly scaling?: Scaling | undefined;
  /** Milliseconds since the epoch; never backwards within a process. */
  readonly now: () => number;
}

/** What one pass came to. */
export interface PassResult {
  /** What happened to the release, and was written. */
  readonly events: readonly ReleaseEvent[];
  /** What weaving says of the bases as they are. */
  readonly findings: readonly Diagnostic[];
  /** Those of them that are about the mesh around it, and hold up nothing. */
  readonly meshWarnings: readonly Diagnostic[];
  /** When to look again though nothing tells to, in milliseconds since the epoch. */
  readonly wakeAt?: number;
  /** Whether the release waits for the data plane to serve its routes. */
  readonly isUnconfirmed: boolean;
  /** It wrote routes of which nobody has asked yet whether they are served: the next pass comes at once; if it has to write them again, the one after it later. */
  readonly looksAgain?: boolean;
  /** Someone else wrote meanwhile: nothing was written, and the pass has to be done again. */
  readonly isOutdated: boolean;
}

/** After which time a Deployment that somebody else has just changed is looked at again, in ms, unless the watch tells before. */
const SCALE_AGAIN_MS = 1000;

const NOTHING: PassResult = { events: [], findings: [], meshWarnings: [], isUnconfirmed: false, isOutdated: false };

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
  const serving = plan === undefined ? {} : servingOf(options.store, world, current);
  const mesh = meshFindingsOf(options.mesh, world);
  const findings = [...weavingFindings(world, current), ...mesh];
  const check = readinessCheck(options.readiness, world);
  const look = () => observe(world, check, findings, serving, options);
  const observed = look();
  if (stored.deletionRequestedAt !== undefined) return await passDeletion(options, world, observed, check);

  const input = { ...ref, generation: stored.generation, spec: release.spec };
  const next = advance(input, stored.status, observed, options.now());
  const isNews = !sameJson(next.status, stored.status);
  const isSame = !isNews && samePlan(next.routes, plan);
  const desired = isSame ? current : desiredRoutes({ ...world, stored: { ...stored, status: next.status } }, next.routes);
  const changed = changedRoutes(world, desired.routes);
  const rest = restOf(options.store, changed);
  const routes = rest > 0 ? [] : changed;
  const wakeAt = rest > 0 ? Math.min(next.wakeAt ?? Number.POSITIVE_INFINITY, options.now() + rest) : next.wakeAt;
  const result: PassResult = {
    events: next.events,
    findings,
    meshWarnings: mesh.filter(({ severity }) => severity === 'warning'),
    isUnconfirmed: changed.length > 0 || serving === undefined,
    isOutdated: false,
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
  if (!isNews && routes.length === 0) {
    if (next.scale === undefined || options.scaling === undefined) return result;
    return await passScaling({ ...options, scaling: options.scaling }, world, next.scale, result, (outcome) =>
      advance(input, stored.status, { ...look(), scaling: { ...observed.scaling, outcome } }, options.now()),
    );
  }
  const change = { events: next.events, ...(isNews ? { status: next.status } : {}), ...(routes.length === 0 ? {} : { routes }) };
  const isDone = await options.store.commit(ref, change, world.revision);
  if (!isDone) return { ...NOTHING, isOutdated: true };
  // A status that is news brings the next pass by itself. Routes alone do not, and whether they are served nobody has asked yet.
  return isNews ? result : { ...result, looksAgain: true };
}

/**
 * Scales a Deployment as a status says that is stored already, and takes down at once what came of it, so that nobody scales it again. `tell`: what follows from an
 * outcome.
 */
async function passScaling(
  { store, scaling, now }: ReconcileOptions & { readonly scaling: Scaling },
  { stored, revision }: World,
  order: ScaleOrder,
  result: PassResult,
  tell: (outcome: NonNullable<ObservedScaling['outcome']>) => Advance,
): Promise<PassResult> {
  const outcome = await scaling.scale(order);
  if (outcome.kind === 'outdated') return { ...result, wakeAt: now() + SCALE_AGAIN_MS };
  const { status, events } = tell({ order, ...(outcome.kind === 'refused' ? { failure: outcome.reason } : {}) });
  const isDone = await store.commit(stored.ref, { status, events }, revision);
  return isDone ? { ...result, events } : { ...NOTHING, isOutdated: true };
}

/** For how many ms these routes are better left as they are: all of them, since they belong together. */
function restOf(store: ReleaseStore, routes: readonly RouteChange[]): number {
  return Math.max(0, ...routes.map(({ ref }) => store.restOf?.(ref) ?? 0));
}

/**
 * Takes the release out of its routes, and away once the data plane serves them without it, or says what that waits for. Both are one commit where a
 * transaction can hold them; elsewhere whoever goes on after a crash in between finds the routes as they are to be, and waits.
 */
async function passDeletion(options: ReconcileOptions, world: World, observed: Observed, check: ReadinessCheck): Promise<PassResult> {
  const departure = departureOf(world, observed, check);
  if (departure.kind === 'wait') return await passWaiting(options, world, { ...observed, deletionWaits: departure.reason }, []);
  const routes = changedRoutes(world, departure.routes);
  const serving = servedWithout(options.store, world, departure, routes);
  if (serving === undefined) return await passWaiting(options, world, { ...observed, deletionWaits: LEAVING }, routes);
  const events = [deletedEvent(world, departure, serving, options.now())];
  const isDone = await options.store.commit(world.stored.ref, { events, routes, remove: true }, world.revision);
  return isDone ? { ...NOTHING, events } : { ...NOTHING, isOutdated: true };
}

const LEAVING = 'its routes lead nobody by it any more; waiting for that to be served';

/** Says what a deletion waits for, and leaves routes. */
async function passWaiting(
  { store, now }: ReconcileOptions,
  { stored, release, revision }: World,
  observed: Observed,
  routes: readonly RouteChange[],
): Promise<PassResult> {
  const input = { ...stored.ref, generation: stored.generation, spec: release.spec };
  const { status, events } = advance(input, stored.status, observed, now());
  const isNews = !sameJson(status, stored.status);
  // What is written is asked for by the next pass.
  const result = { ...NOTHING, isUnconfirmed: true, looksAgain: routes.length > 0 };
  if (!isNews && routes.length === 0) return result;
  const isDone = await store.commit(stored.ref, { events, routes, ...(isNews ? { status } : {}) }, revision);
  return isDone ? { ...result, events } : { ...NOTHING, isOutdated: true };
}

/** What of the mesh keeps the release from being what it says, where it routes by its bases. */
function meshFindingsOf(mesh: Mesh | undefined, world: World): readonly Diagnostic[] {
  const { routed, issuing, release } = world;
  if (mesh === undefined) return [];
  if (world.http.isAdopted) return httpRouteServices(world).flatMap(({ host, at }) => mesh.findings(host, at));
  if (routed === undefined) return [];
  const roots = world.concerning().filter(({ base }) => delegatesTo(base, routed.ref));
  const leading = roots.length === 0 ? [routed] : roots;
  const gateway = [...leading, ...(issuing === undefined ? [] : [issuing])].some(({ base }) => routesAt(base, 'gateway'));
  const { host } = releasedService(release);
  const inMesh = leading.some(({ base }) => routesAt(base, 'mesh'));
  const versions = inMesh ? versionHosts(world).filter((each) => each !== host) : [];
  return [
    ...mesh.findings(host, { gateway, mesh: inMesh }),
    ...versions.flatMap((each) => mesh.findings(each, { gateway: false, mesh: true, isVersion: true })),
  ];
}

/** That the data plane serves exactly these routes: the store has them, and each of them is served as it is there. */
function servingOf(store: ReleaseStore, world: World, { carryPlan, routes }: DesiredRoutes): Serving | undefined {
  if (!carryPlan || changedRoutes(world, routes).length > 0) return undefined;
  return store.serving(
    routes.map(({ ref }) => ref),
    revisionOf(world, routes),
  );
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
  serving: Serving | undefined,
  { rates, scaling, now }: Pick<ReconcileOptions, 'rates' | 'scaling' | 'now'>,
): Observed {
  const { stored, release } = world;
  const { canary, stable } = release.spec;
  const versions = versionsToObserve(release.spec, stored.status, stored.request);
  const candidates = [canary, ...(stable === undefined ? [] : [stable]), ...formerVersions(stored.status)];
  const errors = findings.filter((diagnostic) => diagnostic.severity === 'error');
  const downAt = scaling === undefined ? undefined : scaleDownAt(release.spec, stored.status);
  const isDownDue = downAt !== undefined && now() >= downAt;
  const look = isDownDue || needsReadiness(release.spec, stored.status, stored.request) ? check : () => NOT_ASKED;
  const use = isDownDue && versions.stable !== undefined ? formerUse(world, versions.stable) : undefined;
  return {
    canary: look(versions.canary),
    stable: versions.stable === undefined ? undefined : look(versions.stable),
    ...(rates === undefined ? {} : { requestRate: rateOf(world, versions, rates) }),
    ...(scaling === undefined ? {} : { scaling: use === undefined ? {} : { formerUse: use } }),
    // They name what users called things.
    problems: errors.map(({ message }) => plainText(message)),
    baseVersion: versionOfBase(world, candidates),
    routesConfirmed: serving !== undefined,
    ...(serving?.how === undefined ? {} : { confirmation: { how: serving.how, isDoubtful: serving.isDoubtful === true } }),
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

/** The one version that all of the base's routes to the service name. */
function versionOfBase(world: World, candidates: readonly Version[]): Version | undefined {
  if (world.http.isAdopted) {
    const [only, ...others] = httpVersions(world, candidates);
    return others.length === 0 ? candidates.find((version) => sameVersion(version, only)) : undefined;
  }
  const base = baseToJudge(world);
  return base === undefined ? undefined : baseVersion(base, serviceOf(world.release), candidates);
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
