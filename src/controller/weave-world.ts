import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { Version } from '../core/release/canary-release.ts';
import { routedName, routedPath } from '../core/release/route-form.ts';
import type { RoutePlan } from '../core/weave/plan.ts';
import { baseAtVersion, serviceOf } from '../core/weave/released-destination.ts';
import type { Companion } from '../core/weave/shared-object.ts';
import { readBase } from '../core/weave/unweave.ts';
import { foreignReleases } from '../core/weave/weave-findings.ts';
import { type WeaveInput, type WeaveResult, weaveRelease } from '../core/weave/weave-virtual-service.ts';
import { formerVersions, isWovenInto, type World } from './world.ts';

/** Which bases are woven into: those that owners wrote last, or those that what is served was woven from. */
export type BaseView = 'base' | 'served';

/** Weaves the release of a world, together with `companions`, into one view of its objects. */
export function weaveView(world: World, plan: RoutePlan, view: BaseView, companions: readonly Companion[]): WeaveResult {
  const input = weaveInput(world, view);
  if (input === undefined) return { routes: [], diagnostics: [routedMissing(world)] };
  const foreign = foreignTo(world);
  if (foreign.length > 0) return { routes: [], diagnostics: foreign };
  const woven = weaveRelease({ ...input, plan, companions });
  const tooLarge = tooLargeRoutes(world, woven);
  return tooLarge.length > 0 ? { routes: [], diagnostics: [...woven.diagnostics, ...tooLarge] } : woven;
}

/** PERCH3056 for each object that would be larger than the store takes, with the release woven in. */
function tooLargeRoutes(world: World, { routes }: WeaveResult): readonly Diagnostic[] {
  const { mostRouteBytes, release } = world;
  if (mostRouteBytes === undefined) return [];
  return routes.flatMap(({ namespace, name, virtualService }): Diagnostic[] => {
    const stored = world.viewAt({ kind: 'VirtualService', namespace, name });
    // One that it is woven into already has room for it: from step to step it is a few bytes.
    if (stored !== undefined && isWovenInto(world, stored)) return [];
    const bytes = Buffer.byteLength(JSON.stringify(virtualService));
    if (bytes <= mostRouteBytes) return [];
    return [
      {
        code: 'PERCH3056',
        severity: 'error',
        message: `VirtualService ${namespace}/${name} would have ${bytes} bytes with the release woven in; a cluster keeps up to ${mostRouteBytes}: take rules that do not concern the service out of it`,
        object: `CanaryRelease ${release.metadata.namespace}/${release.metadata.name}`,
        path: routedPath(release),
        hint: 'write them into a VirtualService of their own, or delegate to one with those that do, and adopt that',
      },
    ];
  });
}

/** Releases in the objects of this one that do not share them, told by what is served: bases do not tell who is woven into them. */
export function foreignTo(world: World): readonly Diagnostic[] {
  return [world.routed, world.issuing].flatMap((each) => {
    if (each === undefined) return [];
    return foreignReleases(each.served, [world.release, ...world.sharing(each.ref).map(({ release }) => release)]);
  });
}

/** What weaving needs of a world; undefined where the release adopts a VirtualService that is not there. */
export function weaveInput(world: World, view: BaseView): Omit<WeaveInput, 'plan'> | undefined {
  if (world.routed === undefined) return undefined;
  return {
    release: world.release,
    former: formerVersions(world.stored.status),
    routed: readBase(world.routed[view]),
    issuing: world.issuing === undefined ? undefined : readBase(world.issuing[view]),
    gateways: world.gateways,
    siblings: world.siblings,
    httpRoutes: world.http.all.map(({ base }) => base),
  };
}

/** A base with the release's destinations at one version. */
export function atVersion(world: World, base: KubeObject, version: Version): KubeObject {
  return baseAtVersion(base, serviceOf(world.release), [version, ...formerVersions(world.stored.status)], version);
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
