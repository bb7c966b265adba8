import type { HTTPRoute, KubeObject, VirtualServiceSpec } from '../istio/resources.ts';
import { isDelegate } from '../routing/delegates.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';

/** A VirtualService as weaving reads it: the object itself, and the fields that it interprets. */
export interface RouteObject {
  readonly object: KubeObject;
  readonly namespace: string;
  readonly name: string;
  readonly spec: VirtualServiceSpec;
  /** Where an object without hosts is served: through these rules of others, and through nothing else. Empty for one with hosts. */
  readonly delegations: readonly Delegation[];
}

/** A rule that delegates. */
export interface Delegation {
  /** The object that the rule is of; roots are not delegates themselves. */
  readonly root: RouteObject;
  /** Index of the rule in `spec.http` of the root. */
  readonly index: number;
  readonly rule: HTTPRoute;
}

/**
 * Takes a VirtualService that passed Istio's validation; `namespace` is used where the object names none. Delegations are found among
 * `objects`, which may hold it too.
 */
export function routeObject(object: KubeObject, namespace: string, objects: readonly RouteObject[] = []): RouteObject {
  const spec = typeof object.spec === 'object' && object.spec !== null ? (object.spec as VirtualServiceSpec) : {};
  const route = { object, namespace: object.metadata.namespace ?? namespace, name: object.metadata.name, spec, delegations: [] };
  return isDelegate(route) ? { ...route, delegations: objects.flatMap((root) => delegationsOf(root, route)) } : route;
}

/** Names a VirtualService. */
type RouteName = Pick<RouteObject, 'namespace' | 'name'>;

/** Whether a rule of the object delegates to the VirtualService of this name. */
export function delegatesTo(object: KubeObject, target: RouteName): boolean {
  return delegatesOfRoot(object).some(({ namespace, name }) => namespace === target.namespace && name === target.name);
}

const delegates = new WeakMap<KubeObject, readonly RouteName[]>();

/** The VirtualServices to which rules of the object delegate. Read once for each object, which nobody may change. */
export function delegatesOfRoot(object: KubeObject): readonly RouteName[] {
  const known = delegates.get(object) ?? readDelegates(object);
  delegates.set(object, known);
  return known;
}

function readDelegates(object: KubeObject): readonly RouteName[] {
  const root = routeObject(object, DEFAULT_NAMESPACE);
  if (isDelegate(root)) return [];
  return (root.spec.http ?? []).flatMap(({ delegate }) =>
    delegate === undefined ? [] : [{ name: delegate.name, namespace: delegate.namespace || root.namespace }],
  );
}

function delegationsOf(root: RouteObject, { namespace, name }: RouteName): Delegation[] {
  if (isDelegate(root)) return [];
  return (root.spec.http ?? []).flatMap((rule, index) => {
    const { delegate } = rule;
    return delegate?.name === name && (delegate.namespace || root.namespace) === namespace ? [{ root, index, rule }] : [];
  });
}

/** Whether both are the same object of the cluster. */
export function isSameObject(left: RouteObject, right: RouteObject): boolean {
  return left.namespace === right.namespace && left.name === right.name;
}

/** How diagnostics name it. */
export function describeRouteObject(route: RouteObject): string {
  return `VirtualService ${route.namespace}/${route.name}`;
}
