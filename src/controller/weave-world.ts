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
import { formerVersions, type World } from './world.ts';

/** Which bases are woven into: those that owners wrote last, or those that what is served was woven from. */
export type BaseView = 'base' | 'served';

/** Weaves the release of a world, together with `companions`, into one view of its objects. */
export function weaveView(world: World, plan: RoutePlan, view: BaseView, companions: readonly Companion[]): WeaveResult {
  const input = weaveInput(world, view);
  if (input === undefined) return { routes: [], diagnostics: [routedMissing(world)] };
  const foreign = foreignTo(world);
  return foreign.length > 0 ? { routes: [], diagnostics: foreign } : weaveRelease({ ...input, plan, companions });
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
