import { sameJson, sameRef } from '../cluster/manifest.ts';
import type { ObjectRef, RouteChange } from '../cluster/store.ts';
import { hasErrors } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { Version } from '../core/release/canary-release.ts';
import { planOf } from '../core/release/route-plan.ts';
import type { RoutePlan } from '../core/weave/plan.ts';
import { type Companion, weaveCompanions } from '../core/weave/shared-object.ts';
import { unweave } from '../core/weave/unweave.ts';
import type { WeaveResult } from '../core/weave/weave-virtual-service.ts';
import { atVersion, type BaseView, foreignTo, weaveView } from './weave-world.ts';
import { formerVersions, isWovenInto, type OtherRelease, type World } from './world.ts';

/** How another release stands in the objects that it shares, whoever looks: all passes have to make the same of an object. */
interface Sharer {
  readonly world: World;
  readonly plan: RoutePlan;
  /** The views of its objects into which it can be woven; none where it stands aside. */
  readonly views: readonly BaseView[];
}

/**
 * The release woven into the bases as they are, or, where those cannot be, into the last ones that could, with the releases that share its
 * objects; the findings are about the former. An object of several releases is woven into one base: where one of them cannot be woven into
 * the new one, all go on in the last.
 */
export function weaveViews(world: World, plan: RoutePlan): WeaveResult {
  const foreign = foreignTo(world);
  if (foreign.length > 0) return { routes: [], diagnostics: foreign };
  const refs = [world.routed, world.issuing].flatMap((view) => view?.ref ?? []);
  const sharers = sharersAt(world, refs);
  const companions = companionsOf(sharers);
  const aside = standAside(world, sharers);
  const woven = weaveView(aside, plan, 'base', companions);
  if (!hasErrors(woven.diagnostics) && sharers.every(isAtBase)) return woven;
  const { routes } = weaveView(aside, plan, 'served', companions);
  return { ...woven, routes: routes.length > 0 ? routes : woven.routes };
}

/**
 * Routes that leave one release out of objects, with the others that share those woven in. Where those stay at an older base, the release's
 * destinations in it go to `live`, if that is given.
 */
export function withSharers(world: World, routes: readonly RouteChange[], live?: Version): readonly RouteChange[] {
  return routes.map((route) => {
    const sharers = sharersAt(world, [route.ref]);
    const view = world.viewAt(route.ref);
    if (sharers.length === 0 || view === undefined) return route;
    const older = unweave(view.served);
    const atOlder = live === undefined ? older : atVersion(world, older, live);
    const base = sharers.every(isAtBase) ? (route.served ?? route.base ?? view.base) : atOlder;
    const { siblings, gateways } = world;
    const companions = companionsOf(sharers);
    return { ...route, served: weaveCompanions(withoutIdlers(base, route.ref, sharers), { gateways, siblings, companions }) };
  });
}

function sharersAt(world: World, refs: readonly ObjectRef[]): readonly Sharer[] {
  const found: OtherRelease[] = [];
  for (const other of refs.flatMap((ref) => world.sharing(ref))) {
    if (!found.some(({ release }) => release.metadata.name === other.release.metadata.name)) found.push(other);
  }
  return found.flatMap((other) => sharerOf(other.world()) ?? []);
}

function sharerOf(world: World): Sharer | undefined {
  const { status } = world.stored;
  const plan = status === undefined ? undefined : planOf(status);
  if (plan === undefined) return undefined;
  const isWoven = [world.routed, world.issuing].some((each) => each !== undefined && isWovenInto(world, each));
  const views = (['base', 'served'] as const).filter((view) => !hasErrors(weaveView(world, plan, view, []).diagnostics));
  if (world.stored.deletionRequestedAt !== undefined && !isWoven && hasLeft(world, views)) return undefined;
  // Its surroundings changed: under way, what is woven of it stays.
  const isStuck = views.length === 0 && plan.kind !== 'settled' && isWoven;
  return { world, plan, views: isStuck ? ['base', 'served'] : views };
}

/** Whether a release that is being deleted, and is not woven, has left already, and goes once that is served. One that cannot be woven never was: it may wait yet. */
function hasLeft({ stored, routed }: World, views: readonly BaseView[]): boolean {
  if (views.length > 0 || routed === undefined) return true;
  return stored.deletionRestoresBase === true && sameJson(unweave(routed.served).spec, routed.base.spec);
}

function isAtBase({ views }: Sharer): boolean {
  return views.length === 0 || views.includes('base');
}

function companionsOf(sharers: readonly Sharer[]): readonly Companion[] {
  return sharers
    .filter(({ views }) => views.length > 0)
    .map(({ world: { release, stored }, plan }) => ({ release, plan, former: formerVersions(stored.status) }));
}

/** The world with the objects as they are where some of those that share them cannot be woven. */
function standAside(world: World, sharers: readonly Sharer[]): World {
  if (sharers.every(({ views }) => views.length > 0)) return world;
  const { routed, issuing } = world;
  const moved = <View extends { readonly ref: ObjectRef; readonly base: KubeObject; readonly served: KubeObject }>(view: View): View => ({
    ...view,
    base: withoutIdlers(view.base, view.ref, sharers),
    served: withoutIdlers(unweave(view.served), view.ref, sharers),
  });
  return {
    ...world,
    routed: routed === undefined ? undefined : moved(routed),
    issuing: issuing === undefined ? undefined : moved(issuing),
  };
}

/** A base with the destinations of those that cannot be woven at the version that all their visitors get. */
function withoutIdlers(base: KubeObject, ref: ObjectRef, sharers: readonly Sharer[]): KubeObject {
  return sharers
    .filter(({ views, world }) => views.length === 0 && world.routed !== undefined && sameRef(world.routed.ref, ref))
    .reduce((object, { world, plan }) => atVersion(world, object, plan.kind === 'settled' ? plan.live : plan.stable), base);
}
