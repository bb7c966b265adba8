import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { describeHttpRoute } from '../gateway-api/http-route.ts';
import { type ParentService, parentServices } from '../gateway-api/parents.ts';
import type { KubeObject } from '../istio/resources.ts';
import { isDelegate } from '../routing/delegates.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { isInMesh } from '../weave/gateway-hosts.ts';
import { hostsOf, isOlder, portsInMesh, sharePort } from '../weave/mesh-rivals.ts';
import type { RoutePlan } from '../weave/plan.ts';
import { describeRouteObject, type RouteObject } from '../weave/route-object.ts';
import { distinctObjects } from '../weave/shared-object.ts';

/** What else routes in the mesh. */
interface Surroundings {
  readonly plan: RoutePlan;
  readonly siblings: readonly KubeObject[];
  readonly virtualServices: readonly KubeObject[];
}

/**
 * Other routes of the Services that a route hangs on, which are not merged with it. Clients of its namespace go by the HTTPRoute before any VirtualService that all
 * may see, and all others by what is older; an HTTPRoute of another namespace counts for its own clients only (istio pilot/pkg/model SelectVirtualServices;
 * test/real/mesh-precedence.test.ts). So a release might reach few, or nobody: an error unless the plan is settled, or the route is what counts for all.
 */
export function meshRivalsOfHttpRoute(route: KubeObject, { plan, siblings, virtualServices }: Surroundings): readonly Diagnostic[] {
  const services = parentServices(route);
  if (services.length === 0) return [];
  const { namespace = DEFAULT_NAMESPACE } = route.metadata;
  const byVirtualServices = distinctObjects(virtualServices, namespace)
    .filter((each) => isInMesh(each) && !isDelegate(each))
    .flatMap((each): Diagnostic[] => {
      const met = services.find(
        ({ host, port }) => hostsOf(each).includes(host) && sharePort(portsInMesh(each.spec.http ?? [], each), [port]),
      );
      if (met === undefined) return [];
      return [rivalry(route, describeRouteObject(each), met, isSeenByAll(each) && isOlder({ object: route }, each), plan)];
    });
  const byHttpRoutes = siblings.flatMap((each): Diagnostic[] => {
    const { namespace: theirs = DEFAULT_NAMESPACE, name } = each.metadata;
    if (theirs === namespace && name === route.metadata.name) return [];
    const met = services.find((own) => parentServices(each).some((other) => isApart(own, namespace, other, theirs)));
    if (met === undefined) return [];
    if (theirs !== namespace) return [consumer(route, each, met)];
    return [rivalry(route, describeHttpRoute(each), met, isOlder({ object: route }, { object: each }), plan)];
  });
  return [...byVirtualServices, ...byHttpRoutes];
}

/** Whether two routes of one Service are not merged: they are of two namespaces, or one is of a port of it and the other of all. */
function isApart(own: ParentService, namespace: string, other: ParentService, theirs: string): boolean {
  if (own.host !== other.host || !sharePort([own.port], [other.port])) return false;
  return namespace !== theirs || own.port !== other.port;
}

/** One that is exported to some namespaces only comes first there, however old it is. */
function isSeenByAll({ spec }: RouteObject): boolean {
  const { exportTo = [] } = spec as { readonly exportTo?: readonly string[] };
  return exportTo.length === 0 || exportTo.includes('*');
}

function rivalry(route: KubeObject, rival: string, { host }: ParentService, isFirst: boolean, plan: RoutePlan): Diagnostic {
  const mine = describeHttpRoute(route);
  const place = { code: 'PERCH2019', object: mine, path: 'spec.parentRefs' } as const;
  if (isFirst) {
    const message = `${rival} routes ${host} in the mesh too, and is not used for it: ${mine} is older`;
    return { ...place, severity: 'warning', message, hint: 'delete it, or join the two' };
  }
  return {
    ...place,
    severity: plan.kind === 'settled' ? 'warning' : 'error',
    message: `${rival} and ${mine} both route ${host} in the mesh, where one of the two only counts for a client: delete one of them, or join them`,
    hint: 'the release might reach some clients only, or nobody',
  };
}

function consumer(route: KubeObject, other: KubeObject, { host }: ParentService): Diagnostic {
  return {
    code: 'PERCH2019',
    severity: 'warning',
    message: `clients in the namespace ${other.metadata.namespace} go by ${describeHttpRoute(other)} for ${host}, and not by ${describeHttpRoute(route)}`,
    object: describeHttpRoute(route),
    path: 'spec.parentRefs',
    hint: 'delete it, if they are to have the release, too',
  };
}
