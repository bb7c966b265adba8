import type { KubeObject, VirtualServiceSpec } from '../istio/resources.ts';

/** A VirtualService as weaving reads it: the object itself, and the fields that it interprets. */
export interface RouteObject {
  readonly object: KubeObject;
  readonly namespace: string;
  readonly name: string;
  readonly spec: VirtualServiceSpec;
}

/** Takes a VirtualService that passed Istio's validation; `namespace` is used where the object names none. */
export function routeObject(object: KubeObject, namespace: string): RouteObject {
  const spec = typeof object.spec === 'object' && object.spec !== null ? (object.spec as VirtualServiceSpec) : {};
  return { object, namespace: object.metadata.namespace ?? namespace, name: object.metadata.name, spec };
}

/** Whether both are the same object of the cluster. */
export function isSameObject(left: RouteObject, right: RouteObject): boolean {
  return left.namespace === right.namespace && left.name === right.name;
}

/** How diagnostics name it. */
export function describeRouteObject(route: RouteObject): string {
  return `VirtualService ${route.namespace}/${route.name}`;
}
