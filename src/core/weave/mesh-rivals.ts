import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { MESH_GATEWAY, resolveGateway, resolveHost } from '../istio/names.ts';
import type { HTTPRoute } from '../istio/resources.ts';
import { isDelegate } from '../routing/delegates.ts';
import { isInMesh, isLedToInMesh } from './gateway-hosts.ts';
import type { RoutePlan } from './plan.ts';
import { describeRouteObject, isSameObject, type RouteObject } from './route-object.ts';
import { blocksOf } from './rule-blocks.ts';

/** A VirtualService of the mesh by which a woven object is served: itself, or a root with the rule that leads to it. */
export interface MeshPlace {
  readonly top: RouteObject;
  readonly rules: readonly HTTPRoute[];
}

/**
 * Other VirtualServices of a host that `woven` are served for in the mesh. There the older of two serves a host and the other one is not used
 * (istio-semantics 1.4), so a release might run without reaching anyone: an error unless the plan is settled, or the other one is known to be
 * younger. Equal wildcards count as equal hosts do; of different ones the narrower serves. `others` may hold the woven objects and their roots.
 */
export function meshRivals(woven: readonly RouteObject[], others: readonly RouteObject[], plan: RoutePlan): readonly Diagnostic[] {
  const found = woven.flatMap((route, index) => {
    const before = woven.slice(0, index).flatMap((each) => placesInMesh(each).map(({ top }) => top));
    const roots = route.delegations.map(({ root }) => root);
    const places = placesInMesh(route).filter(({ top }) => !before.some((each) => isSameObject(each, top)));
    return places.flatMap(({ top, rules }) =>
      others
        .filter((other) => isInMesh(other) && !isDelegate(other))
        .filter((other) => ![top, ...roots, ...before].some((own) => isSameObject(own, other)))
        .filter((other) => sharePort(portsInMesh(rules, top), portsInMesh(other.spec.http ?? [], other)))
        .flatMap((other) => rivalry(top, other, plan) ?? []),
    );
  });
  // A root may lead to a delegate by several rules.
  return found.filter(
    (each, index) => found.findIndex(({ object, message }) => object === each.object && message === each.message) === index,
  );
}

/** By what an object is served in the mesh; nothing where it is not. */
export function placesInMesh(route: RouteObject): readonly MeshPlace[] {
  if (!isDelegate(route)) return isInMesh(route) ? [{ top: route, rules: route.spec.http ?? [] }] : [];
  return route.delegations.filter(isLedToInMesh).map(({ root, rule }) => ({ top: root, rules: [rule] }));
}

function rivalry(top: RouteObject, other: RouteObject, plan: RoutePlan): Diagnostic | undefined {
  const theirs = hostsOf(other);
  const own = hostsOf(top);
  const index = own.findIndex((host) => theirs.includes(host));
  if (index < 0) return undefined;
  const [mine, rival] = [describeRouteObject(top), describeRouteObject(other)];
  const place = { code: 'PERCH2019', object: mine, path: `spec.hosts[${index}]` } as const;
  if (isOlder(top, other)) {
    const message = `${rival} routes ${own[index]} in the mesh too, and is not used for it: ${mine} is older`;
    return { ...place, severity: 'warning', message, hint: 'delete it, or join the two' };
  }
  return {
    ...place,
    severity: plan.kind === 'settled' ? 'warning' : 'error',
    message: `${rival} and ${mine} both route ${own[index]} in the mesh, where only the older one counts: delete one of them, or join them`,
    hint: 'rules of one host are merged at a gateway, but not in the mesh: the release might reach nobody',
  };
}

/** Hosts of an object, as Istio names them, in lower case. */
export function hostsOf({ spec, namespace }: RouteObject): readonly string[] {
  return (spec.hosts ?? []).map((host) => resolveHost(host, namespace).toLowerCase());
}

/** Listener ports at which a client in the mesh gets rules of the object; undefined: at any. */
export function portsInMesh(rules: readonly HTTPRoute[], { namespace }: RouteObject): readonly (number | undefined)[] {
  return rules
    .flatMap(blocksOf)
    .filter(({ gateways = [] }) => gateways.length === 0 || gateways.some((name) => resolveGateway(name, namespace) === MESH_GATEWAY))
    .map(({ port }) => port || undefined);
}

/** Whether a client gets rules of both at one port. */
export function sharePort(left: readonly (number | undefined)[], right: readonly (number | undefined)[]): boolean {
  return left.some((mine) => right.some((theirs) => mine === undefined || theirs === undefined || mine === theirs));
}

/** Surely older: of two of the same second a cluster goes by their names, the embedded runtime by the fraction of the second. */
export function isOlder(left: Pick<RouteObject, 'object'>, right: Pick<RouteObject, 'object'>): boolean {
  const [mine = '', theirs = ''] = [left, right].map(({ object }) => object.metadata.creationTimestamp);
  return Date.parse(mine) < Date.parse(theirs);
}
