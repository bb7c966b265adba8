import { sameManifest, sameRef } from '../cluster/manifest.ts';
import type { RouteChange, StoredObject } from '../cluster/store.ts';
import type { Version } from '../core/release/canary-release.ts';
import { leftBehind, ownerOf } from '../core/release/ownership.ts';
import { planOf } from '../core/release/route-plan.ts';
import type { RoutePlan } from '../core/weave/plan.ts';
import { serviceOf } from '../core/weave/released-destination.ts';
import { isWoven, unweave } from '../core/weave/unweave.ts';
import { unweaveBase } from '../core/weave/unweave-base.ts';
import type { DesiredRoutes } from './desired-route-set.ts';
import { desiredHttpRoutes, httpRoutesWithout, leftHttpRoutes } from './http-routes.ts';
import type { RouteView } from './route-view.ts';
import { weaveViews, withSharers } from './shared-routes.ts';
import type { StoredView } from './snapshot.ts';
import { takeoverObstacle } from './takeover.ts';
import { atVersion, weaveInput } from './weave-world.ts';
import { heldViews, isRoot, isTaken, isWovenInto, releaseName, type World } from './world.ts';

/**
 * The routes that serve a plan; without a plan the bases as their owners wrote them. Where a base cannot be woven any more (its owner changed
 * it mid-release), the release goes on in the last one that could. Where that cannot be either (a root or a neighbour changed), all that is
 * woven stays while a release is under way, behind the roots as they were, and everyone goes to the live version by unwoven bases once it is
 * settled: a rollback must not wait for a correction. What the release owns and names no more, and what it is woven into and names no more, it leaves in the same
 * commit: it becomes an ordinary object at the live version.
 */
export function desiredRoutes(world: World, plan: RoutePlan | undefined): DesiredRoutes {
  if (!world.http.isAdopted) return withRoutes(desiredVirtualServices(world, plan), leftHttpRoutes(world));
  const left = withSharers(world, leave(world, others(world, []), world.stored.status?.liveVersion));
  return withRoutes(desiredHttpRoutes(world, plan), [...left, ...leftHttpRoutes(world)]);
}

function withRoutes(desired: DesiredRoutes, routes: readonly RouteChange[]): DesiredRoutes {
  return routes.length === 0 ? desired : { ...desired, routes: [...desired.routes, ...routes] };
}

function desiredVirtualServices(world: World, plan: RoutePlan | undefined): DesiredRoutes {
  const { routed } = world;
  const live = world.stored.status?.liveVersion;
  if (plan === undefined) {
    const isReady = routed?.isOwned === true && !isTaken(world, routed) && takeoverObstacle(world) === undefined;
    const declared = isReady ? [{ ref: routed.ref, served: undefined, ...baseChange(routed) }] : [];
    const routes = [...declared, ...leave(world, others(world, declared), live)];
    return { routes: withSharers(world, routes, live), carryPlan: false, diagnostics: [] };
  }
  const woven = weaveViews(world, plan);
  const { diagnostics } = woven;
  if (woven.routes.length === 0) {
    const unwoven = routed === undefined ? [] : unwovenRoutes(world, routed, plan);
    // Nothing is known about where the release belongs: what it is woven into stays as it is.
    const plain = others(world, unwoven).filter((view) => !isWovenInto(world, view) && !waits(world, view, plan));
    const carryPlan = plan.kind === 'settled' && unwoven.length > 0;
    return { routes: withSharers(world, [...unwoven, ...leave(world, plain, live)], live), carryPlan, diagnostics };
  }
  const routes = woven.routes.map(({ namespace, name, virtualService }): RouteChange => {
    const ref = { kind: 'VirtualService', namespace, name };
    const view = world.viewAt(ref);
    return { ref, served: virtualService, ...(view === undefined ? {} : baseChange(view)) };
  });
  const left = leave(world, others(world, routes), live);
  return { routes: [...routes, ...withSharers(world, left, live)], carryPlan: true, diagnostics };
}

/**
 * The routes that stay when the release goes: bases that lead to the live version, or, where none is known, bases as they are. What the
 * release owned is an ordinary object from then on: a root may name it, so it is never deleted.
 */
export function routesWithout(world: World, live: Version | undefined): readonly RouteChange[] {
  return [...virtualServicesWithout(world, live), ...httpRoutesWithout(world, live)];
}

function virtualServicesWithout(world: World, live: Version | undefined): readonly RouteChange[] {
  const held = heldViews(world);
  const input = weaveInput(world, 'base');
  const bases = input === undefined || live === undefined ? [] : unweaveBase(input, live).routes;
  const routes = bases.flatMap(({ namespace, name, virtualService }): RouteChange[] => {
    const ref = { kind: 'VirtualService', namespace, name };
    return held.some((view) => sameRef(view.ref, ref)) ? [{ ref, served: undefined, base: leftBehind(virtualService) }] : [];
  });
  return withSharers(world, [...routes, ...leave(world, others(world, routes), live)], live);
}

/** The routes that stay when the release goes and the bases come back: every destination where its owner wrote it. */
export function routesRestored(world: World): readonly RouteChange[] {
  const virtualServices = withSharers(
    world,
    others(world, []).map(({ ref, base }) => ({ ref, served: undefined, base: leftBehind(base) })),
  );
  return [...virtualServices, ...world.http.held.map(({ ref, base }) => ({ ref, served: undefined, base }))];
}

/** Those of `routes` that are stored otherwise, or not yet. */
export function changedRoutes(world: World, routes: readonly RouteChange[]): readonly RouteChange[] {
  return routes.filter((route) => {
    const stored = storedOf(world, route);
    if (stored === undefined) return true;
    const base = route.base ?? stored.base;
    return !sameManifest(stored.base, base) || !sameManifest(stored.served, route.served ?? base);
  });
}

/** The latest revision at which any of the routes' objects changed. */
export function revisionOf(world: World, routes: readonly RouteChange[]): number {
  return Math.max(0, ...routes.map((route) => storedOf(world, route)?.revision ?? 0));
}

function storedOf(world: World, { ref }: RouteChange): StoredObject | undefined {
  return world.viewAt(ref)?.stored;
}

/** What the base is to become: the one that the release declares, or, of an object that it owned and adopts now, the same as nobody's. */
function baseChange({ stored, base, isOwned }: RouteView): Pick<RouteChange, 'base' | 'isNew'> {
  if (!isOwned) return { base: leftBehind(base) };
  return stored === undefined ? { base, isNew: true } : { base };
}

/**
 * An object that the release names and that cannot be woven, with everyone at one version. One that never was woven gets there at stable, so
 * that a root that delegates to it leads somewhere, and another object that covers it may go, before the release is woven in. One that is
 * woven stays so under way; settled it is not needed, and neither is the object where ids are issued.
 */
function unwovenRoutes(world: World, view: RouteView, plan: RoutePlan): readonly RouteChange[] {
  const isSettled = plan.kind === 'settled';
  const moved = { ref: view.ref, served: atVersion(world, view.base, isSettled ? plan.live : plan.stable), ...baseChange(view) };
  if (!isSettled) return isWovenInto(world, view) ? [] : [moved];
  const unissued = others(world, [moved]).filter((each) => each.ref === world.issuing?.ref);
  return isTaken(world, view) ? [] : [moved, ...unissued.map((each) => ({ ref: each.ref, served: undefined, ...baseChange(each) }))];
}

/** Whether a root is served as it was: the new matches in it could make it drop those rules of its delegate that visitors are known by. */
function waits(world: World, view: RouteView, plan: RoutePlan): boolean {
  return plan.kind !== 'settled' && isRoot(world, view);
}

/** What the release holds and `routes` do not tell of, but for roots whose new form another release waits with. */
function others(world: World, routes: readonly RouteChange[]): readonly StoredView[] {
  return heldViews(world).filter((view) => !routes.some(({ ref }) => sameRef(ref, view.ref)) && !isAwaited(world, view));
}

/** Whether the root is yet to be served as its owner wants it, and another release cannot be woven behind it then. */
function isAwaited(world: World, view: StoredView): boolean {
  if (sameManifest(view.base, view.served) || !isRoot(world, view)) return false;
  return world.others().some((each) => {
    const other = each.world();
    const plan = other.stored.status === undefined ? undefined : planOf(other.stored.status);
    return plan !== undefined && waits(other, view, plan) && weaveViews(other, plan).routes.length === 0;
  });
}

/**
 * Takes the release out of objects. Their destinations move to the live version, unless their owner wrote a new base since they were last
 * seen to: that is served as written.
 */
function leave(world: World, views: readonly StoredView[], live: Version | undefined): readonly RouteChange[] {
  const own = releaseName(world.release);
  return views.map(({ ref, stored: { base, served } }): RouteChange => {
    const isOwned = ownerOf(base) === own;
    if (live === undefined) return { ref, served: undefined, base: leftBehind(base) };
    const seenTo = isWoven(served) ? sameManifest(unweave(served), base) : sameManifest(served, atVersion(world, base, live));
    const next =
      isOwned || seenTo ? unweave(served, { release: world.release.metadata, service: serviceOf(world.release), version: live }) : base;
    return { ref, served: undefined, base: leftBehind(next) };
  });
}
