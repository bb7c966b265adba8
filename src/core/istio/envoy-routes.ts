import { HTTP_ROUTE, httpRouteOf } from '../gateway-api/http-route.ts';
import { placeOfParent } from '../gateway-api/parents.ts';
import { routesOfHttpRoute } from '../gateway-api/routes-of-http-route.ts';
import { type EnvoyRouteConfiguration, type ExpectedRoutes, isMadeOf, type RouteBlock } from './envoy-route.ts';
import { boundGateways, MESH_GATEWAY } from './names.ts';
import type { KubeObject, VirtualServiceSpec } from './resources.ts';
import { isDelegate, routesOfVirtualService } from './virtual-service-routes.ts';

/**
 * Which form of a routing object an Envoy routes by: the `wanted` one, a `former` one, or neither (`absent`). `unclear`: what it has of it is the same in
 * both.
 */
export type RouteForm = 'wanted' | 'former' | 'unclear' | 'absent';

/**
 * Tells which form of a VirtualService or an HTTPRoute istiod has made these routes of. A rule is told by its name, by what its headers are matched with, and
 * by its destinations: the rules of a release differ in all of that between any two steps.
 */
export function routeFormOf(
  configurations: readonly EnvoyRouteConfiguration[],
  wanted: KubeObject,
  formers: readonly KubeObject[],
): RouteForm {
  const expected = expectedOf(wanted);
  const blocks = byText(expected);
  const old = formers.map((former) => byText(expectedOf(former)));
  const fresh = [...blocks].filter(([key]) => !old.some((each) => each.has(key))).map(([, block]) => block);
  const stale = old.flatMap((each) => [...each].filter(([key]) => !blocks.has(key)).map(([, block]) => block));
  const routes = expected.among(configurations);
  const has = (some: readonly RouteBlock[]): boolean =>
    routes.some((route) => some.some((block) => expected.isNamed(route.name ?? '', block.name) && isMadeOf(route, block)));
  if (has(stale)) return 'former';
  if (has(fresh)) return 'wanted';
  if (!has([...blocks.values()])) return 'absent';
  return fresh.length === 0 && stale.length > 0 ? 'wanted' : 'unclear';
}

/** Whether each form of the object is told from none: of one that is new, or that nothing but its root names, it is not. */
export function isTellable(formers: readonly KubeObject[]): boolean {
  return formers.length > 0 && formers.every((former) => former.kind === HTTP_ROUTE || !isDelegate(former));
}

/** Whether gateways, or workloads and waypoints inside the mesh, may route by an object; of a delegate its roots decide. */
export function routesAt(object: KubeObject, where: 'gateway' | 'mesh'): boolean {
  if (object.kind === HTTP_ROUTE) {
    return (httpRouteOf(object).spec.parentRefs ?? []).some((parent) => placeOfParent(parent) === where);
  }
  if (isDelegate(object)) return true;
  const { gateways } = object.spec as VirtualServiceSpec;
  return boundGateways(gateways, object.metadata.namespace ?? 'default').some((name) => (name === MESH_GATEWAY) === (where === 'mesh'));
}

function expectedOf(object: KubeObject): ExpectedRoutes {
  return object.kind === HTTP_ROUTE ? routesOfHttpRoute(object) : routesOfVirtualService(object);
}

/** By a text that is equal exactly for equal ones. */
function byText({ blocks }: ExpectedRoutes): ReadonlyMap<string, RouteBlock> {
  return new Map(blocks.map((block) => [JSON.stringify(block), block]));
}
