import { sameManifest } from '../cluster/manifest.ts';
import type { ReleaseCommit, StoredObject } from '../cluster/store.ts';

import { type Diagnostic, hasErrors } from '../core/diagnostics/diagnostic.ts';
import type { Version } from '../core/release/canary-release.ts';
import { routedName, routedPath } from '../core/release/route-form.ts';
import { sameVersion } from '../core/release/version.ts';
import type { RoutePlan } from '../core/weave/plan.ts';
import { unweave } from '../core/weave/unweave.ts';
import { unweaveBase } from '../core/weave/unweave-base.ts';
import { type WeaveInput, type WeaveResult, weaveRelease } from '../core/weave/weave-virtual-service.ts';
import { formerVersions, type World, wovenObjects } from './world.ts';

/** How one object is to be stored: part of a commit. */
export type RouteChange = NonNullable<ReleaseCommit['routes']>[number];

/** What the routes are to be, and what was found on the way. */
export interface DesiredRoutes {
  /** All objects that the release is or was woven into, those that are right already included. */
  readonly routes: readonly RouteChange[];
  /** Findings about the bases as they are now; with an error among them they could not be woven. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The routes that serve a plan; without a plan the bases as their owners wrote them. Where a base cannot be woven any more (its owner changed
 * it mid-release), the release goes on in the last base that could: a rollback must not wait for a correction.
 */
export function desiredRoutes(world: World, plan: RoutePlan | undefined): DesiredRoutes {
  if (plan === undefined) return { routes: leave(world, wovenObjects(world), world.stored.status?.liveVersion), diagnostics: [] };
  const woven = weaveView(world, plan, 'base');
  const fallback = hasErrors(woven.diagnostics) ? weaveView(world, plan, 'served') : woven;
  const routes = fallback.routes.map(({ namespace, name, virtualService }): RouteChange => {
    return { ref: { kind: 'VirtualService', namespace, name }, served: virtualService };
  });
  // Without routes nothing is known about where the release belongs: what it is woven into stays as it is.
  const left = routes.length === 0 ? [] : wovenObjects(world).filter((object) => !routes.some((route) => isOf(route, object)));
  return { routes: [...routes, ...leave(world, left, world.stored.status?.liveVersion)], diagnostics: woven.diagnostics };
}

/** The routes that stay when the release goes: bases that lead to the live version, or, where none is known, bases as they are. */
export function routesWithout(world: World, live: Version | undefined): readonly RouteChange[] {
  const woven = wovenObjects(world);
  if (live === undefined) return leave(world, woven, undefined);
  const input = weaveInput(world, 'base');
  const bases = input === undefined ? [] : unweaveBase(input, live).routes;
  const routes = bases.map(({ namespace, name, virtualService }): RouteChange => {
    return { ref: { kind: 'VirtualService', namespace, name }, served: undefined, base: virtualService };
  });
  const rest = woven.filter((object) => !routes.some((route) => isOf(route, object)));
  return [...routes, ...leave(world, rest, live)];
}

/** Those of `routes` that are stored otherwise. */
export function changedRoutes(world: World, routes: readonly RouteChange[]): readonly RouteChange[] {
  return routes.filter((route) => {
    const stored = world.virtualServices.find((object) => isOf(route, object));
    if (stored === undefined) return false;
    const base = route.base ?? stored.base;
    return !sameManifest(stored.base, base) || !sameManifest(stored.served, route.served ?? base);
  });
}

/** The latest revision at which any of the routes' objects changed. */
export function revisionOf(world: World, routes: readonly RouteChange[]): number {
  const stored = world.virtualServices.filter((object) => routes.some((route) => isOf(route, object)));
  return Math.max(0, ...stored.map((object) => object.revision));
}

/** What weaving can say before there is a plan: a release that has not started is tried with its first step. */
export function trialPlan(world: World): RoutePlan {
  const { spec } = world.release;
  const stable = spec.stable ?? world.stored.status?.liveVersion ?? spec.canary;
  if (sameVersion(stable, spec.canary)) return { kind: 'settled', live: spec.canary };
  return { kind: 'split', stable, canary: spec.canary, cutoff: 1, offset: 0 };
}

function weaveView(world: World, plan: RoutePlan, view: 'base' | 'served'): WeaveResult {
  const input = weaveInput(world, view);
  return input === undefined ? { routes: [], diagnostics: [routedMissing(world)] } : weaveRelease({ ...input, plan });
}

function weaveInput(world: World, view: 'base' | 'served'): Omit<WeaveInput, 'plan'> | undefined {
  if (world.routed === undefined) return undefined;
  return {
    release: world.release,
    former: formerVersions(world.stored.status),
    routed: world.routed[view],
    issuing: world.issuing?.[view],
    gateways: world.gateways.map((object) => object.base),
    siblings: world.virtualServices.map((object) => object.base),
  };
}

function routedMissing({ release }: World): Diagnostic {
  const { namespace, name } = release.metadata;
  return {
    code: 'PERCH3051',
    severity: 'error',
    message: `VirtualService ${namespace}/${routedName(release)}, which the release adopts, does not exist`,
    object: `CanaryRelease ${namespace}/${name}`,
    path: routedPath(release),
    hint: 'create it, or name the VirtualService that routes to the service',
  };
}

/**
 * Takes the release out of objects that it is woven into. Their destinations move to the live version, unless the owner wrote a new base
 * since it was woven: that is served as written.
 */
function leave(world: World, objects: readonly StoredObject[], live: Version | undefined): readonly RouteChange[] {
  const { service } = world.release.spec;
  const released = { namespace: world.release.metadata.namespace, host: service.host, port: service.port };
  return objects.map(({ ref, base, served }): RouteChange => {
    if (live === undefined || !sameManifest(unweave(served), base)) return { ref, served: undefined };
    return { ref, served: undefined, base: unweave(served, { service: released, version: live }) };
  });
}

function isOf({ ref }: RouteChange, object: StoredObject): boolean {
  return ref.namespace === object.ref.namespace && ref.name === object.ref.name;
}
