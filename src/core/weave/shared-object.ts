import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { issuingRoute, routedName } from '../release/route-form.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { findSharing, isInMesh, isServedOverTls, ownGateways } from './gateway-hosts.ts';
import type { RoutePlan } from './plan.ts';
import { serviceOf } from './released-destination.ts';
import { type RouteObject, routeObject } from './route-object.ts';
import { schemeOf } from './scheme.ts';
import { readBase } from './unweave.ts';
import { type ObjectWeaving, type WovenPart, weaveObject } from './weave-object.ts';

/** A release that is woven into an object beside others. */
export interface Companion {
  readonly release: CanaryRelease;
  readonly plan: RoutePlan;
  /** Live and formerly live versions: base destinations at one of them are released too. */
  readonly former: readonly Version[];
}

/** A release, and what the object at hand is to it. */
export interface Tenant extends Companion {
  /** Ids are issued in the object, or requests drawn. */
  readonly issues: boolean;
  /** The object is the one that is released. */
  readonly moves: boolean;
  /** One object is both. */
  readonly edge: boolean;
}

/** What is around an object. */
export interface Surroundings {
  /** The other releases that may be woven into it. */
  readonly companions: readonly Companion[];
  /** All VirtualServices, the oldest first, it among them: they may overtake each other. */
  readonly others: readonly RouteObject[];
  readonly gateways: readonly KubeObject[];
}

/** The object with a release and its companions, and what that release came to in it. */
export function weaveShared(
  route: RouteObject,
  own: Tenant,
  surroundings: Surroundings,
): { readonly virtualService: KubeObject; readonly part: WovenPart } {
  const mine = weavingOf(route, own, surroundings);
  const ordered = inOrder([mine, ...companionWeavings(route, surroundings)]);
  const { virtualService, parts } = weaveObject(route, ordered);
  return { virtualService, part: parts[ordered.indexOf(mine)] ?? { woven: [], concerned: 0, groups: 1, diagnostics: [] } };
}

/** An object with the releases that share it woven in, whatever is to be said about each; its base, where there are none. */
export function weaveCompanions(
  object: KubeObject,
  { siblings, companions, gateways }: Pick<Surroundings, 'companions' | 'gateways'> & { readonly siblings: readonly KubeObject[] },
): KubeObject {
  const namespace = object.metadata.namespace ?? DEFAULT_NAMESPACE;
  const others = distinctObjects([readBase(object), ...siblings], namespace);
  const route = baseOf(object, others, namespace);
  return weaveObject(route, inOrder(companionWeavings(route, { companions, others, gateways }))).virtualService;
}

/** `namespace`: the one that counts for objects without any; undefined where all have one. */
const distinct = new WeakMap<readonly KubeObject[], { readonly namespace: string | undefined; readonly objects: readonly RouteObject[] }>();

/** Each object once, in that order. Read once for each array, which nobody may change. */
export function distinctObjects(all: readonly KubeObject[], namespace: string): readonly RouteObject[] {
  const last = distinct.get(all);
  if (last !== undefined && (last.namespace === undefined || last.namespace === namespace)) return last.objects;
  const objects = new Map<string, RouteObject>();
  for (const object of all) {
    const route = routeObject(object, namespace);
    const fullName = `${route.namespace}/${route.name}`;
    if (!objects.has(fullName)) objects.set(fullName, route);
  }
  const found = [...objects.values()];
  const isAsked = all.some(({ metadata }) => metadata.namespace === undefined);
  distinct.set(all, { namespace: isAsked ? namespace : undefined, objects: found });
  return found;
}

/** What weaving starts from, also where a woven object is at hand. */
export function baseOf(object: KubeObject, objects: readonly RouteObject[], namespace: string): RouteObject {
  return routeObject(readBase(object), namespace, objects);
}

/** Whether the visitor id's cookie is secure where it is issued by this object. */
export function isSecure(route: RouteObject, release: CanaryRelease, gateways: readonly KubeObject[]): boolean {
  return release.spec.visitorId.cookie.secure ?? isServedOverTls(route, gateways);
}

/** The versions at which destinations of the base are released. */
export function versionsOf({ release, plan, former }: Companion): readonly Version[] {
  const { stable } = release.spec;
  const now = plan.kind === 'settled' ? plan.live : plan.stable;
  return [now, ...former, ...(stable === undefined ? [] : [stable])];
}

/** Whoever weaves, the object has to come out the same. */
function inOrder(weavings: readonly ObjectWeaving[]): readonly ObjectWeaving[] {
  const fullName = ({ release: { namespace, name } }: ObjectWeaving) => `${namespace}/${name}`;
  return weavings.toSorted((a, b) => (fullName(a) < fullName(b) ? -1 : 1));
}

/** The companions whose specs name the object. */
function companionWeavings(route: RouteObject, surroundings: Surroundings): readonly ObjectWeaving[] {
  return surroundings.companions.flatMap((each) => {
    const { metadata } = each.release;
    const routedAt = routedName(each.release);
    const issuingAt = issuingRoute(each.release)?.name ?? routedAt;
    const [issues, moves] = [route.name === issuingAt, route.name === routedAt];
    if (metadata.namespace !== route.namespace || !(issues || moves)) return [];
    return [weavingOf(route, { ...each, issues, moves, edge: routedAt === issuingAt }, surroundings)];
  });
}

function weavingOf(route: RouteObject, tenant: Tenant, { others, gateways }: Surroundings): ObjectWeaving {
  const { release, plan, issues, edge } = tenant;
  const { namespace, name } = release.metadata;
  const scheme = schemeOf(release, plan, { edge, secure: isSecure(route, release, gateways) });
  const rules = issues ? scheme.gateway : scheme.hop;
  const moves = tenant.moves ? serviceOf(release) : undefined;
  return {
    release: { namespace, name },
    scheme,
    rules,
    moves,
    needs: {
      route,
      moves: moves === undefined ? undefined : { service: moves, versions: versionsOf(tenant) },
      matchHeaders: rules.matchHeaders,
      matchQueries: rules.matchQueries ?? [],
      adds: rules.adds,
      draws: rules.draws,
      sharing: findSharing(route, others, gateways),
      limits: isInMesh(route) && ownGateways(route).length > 0 && (issues || release.spec.visitorId.propagate.includes('requestId')),
      issues,
    },
  };
}
