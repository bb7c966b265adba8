import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { describeHttpRoute } from '../gateway-api/http-route.ts';
import { parentServices } from '../gateway-api/parents.ts';
import type { KubeObject } from '../istio/resources.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { hostsOf, isOlder, type MeshPlace, placesInMesh, portsInMesh, sharePort } from './mesh-rivals.ts';
import type { RoutePlan } from './plan.ts';
import { describeRouteObject, type RouteObject } from './route-object.ts';

/**
 * HTTPRoutes of Services that `woven` are served for in the mesh. Clients of the namespace of an HTTPRoute go by that, whatever is older, and all others by the older
 * one, or not by it at all where it is not of the Service's namespace (istio pilot/pkg/model SelectVirtualServices; test/real/mesh-precedence.test.ts): an error
 * unless the plan is settled, or only clients of another namespace are lost.
 */
export function httpRoutesInMesh(woven: readonly RouteObject[], httpRoutes: readonly KubeObject[], plan: RoutePlan): readonly Diagnostic[] {
  const places = woven.flatMap(placesInMesh);
  return httpRoutes.flatMap((httpRoute) => places.flatMap((place) => rivalry(place, httpRoute, plan) ?? []).slice(0, 1));
}

function rivalry({ top, rules }: MeshPlace, httpRoute: KubeObject, plan: RoutePlan): Diagnostic | undefined {
  const hosts = hostsOf(top);
  const ports = portsInMesh(rules, top);
  const met = parentServices(httpRoute).find(({ host, port }) => hosts.includes(host) && sharePort(ports, [port]));
  if (met === undefined) return undefined;
  const [mine, rival] = [describeRouteObject(top), describeHttpRoute(httpRoute)];
  const { namespace = DEFAULT_NAMESPACE } = httpRoute.metadata;
  const place = { code: 'PERCH2019', object: mine, path: `spec.hosts[${hosts.indexOf(met.host)}]` } as const;
  const isConsumer = namespace !== met.namespace;
  if (namespace !== top.namespace && (isConsumer || isOlder(top, { object: httpRoute }))) {
    const message = `clients in the namespace ${namespace} go by ${rival} for ${met.host}, and not by ${mine}`;
    return { ...place, severity: 'warning', message, hint: 'delete it, if they are to have the release, too' };
  }
  return {
    ...place,
    severity: plan.kind === 'settled' ? 'warning' : 'error',
    message: `${rival} and ${mine} both route ${met.host} in the mesh, where clients in the namespace ${namespace} go by the HTTPRoute only`,
    hint: 'delete one of the two; to release by the HTTPRoute, name it in spec.route.adopt.httpRoute',
  };
}
