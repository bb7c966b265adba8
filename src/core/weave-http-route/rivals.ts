import { httpRouteOf, type ParentRef } from '../gateway-api/http-route.ts';
import { isInMesh, placeOfParent } from '../gateway-api/parents.ts';
import { isSubsetOf } from '../istio/names.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { RivalRoute } from './padding.ts';

/** Another route whose rules are merged with those of a route, or may be. */
export interface Rival extends RivalRoute {
  readonly route: KubeObject;
  /** Each host name of the one that overlaps with one of the other is the same: then Istio sorts the rules of both as those of one. */
  readonly hasSameHosts: boolean;
}

/** The routes among `siblings` that share a parent and hosts with the route, each as it is without releases. */
export function rivalsOf(route: KubeObject, siblings: readonly KubeObject[]): readonly Rival[] {
  const own = httpRouteOf(route);
  return siblings.flatMap((sibling): Rival[] => {
    const other = httpRouteOf(sibling);
    if (nameOf(other) === nameOf(own) || !sharesParent(own, other)) return [];
    const merged = { route: other, rules: other.spec.rules ?? [], isFirst: comesFirst(other, own) };
    // A Service is called by its own names: hostnames say nothing there.
    if (isInMesh(own)) return isInMesh(other) ? [{ ...merged, hasSameHosts: true }] : [];
    const overlapping = hostsOf(own).flatMap((left) => hostsOf(other).flatMap((right) => (overlaps(left, right) ? [[left, right]] : [])));
    if (overlapping.length === 0) return [];
    const hasSameHosts = overlapping.every(([left, right]) => left === right);
    return [{ ...merged, hasSameHosts }];
  });
}

type Routed = ReturnType<typeof httpRouteOf>;

/** The older route; of one age by namespace and name (Gateway API, HTTPRouteRule.matches). */
function comesFirst(left: Routed, right: Routed): boolean {
  const [one, other] = [left, right].map((each) => `${each.metadata.creationTimestamp ?? ''} ${nameOf(each)}`);
  return (one ?? '') < (other ?? '');
}

function nameOf({ metadata: { namespace = 'default', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}

function hostsOf({ spec: { hostnames = [] } }: Routed): readonly string[] {
  return hostnames.length === 0 ? ['*'] : hostnames;
}

function overlaps(left: string, right: string): boolean {
  return isSubsetOf(left, right) || isSubsetOf(right, left);
}

function sharesParent(left: Routed, right: Routed): boolean {
  return (left.spec.parentRefs ?? []).some((one) =>
    (right.spec.parentRefs ?? []).some((other) => isSameParent(one, left.metadata.namespace, other, right.metadata.namespace)),
  );
}

/** A parent as a whole has all its sections and ports. */
function isSameParent(one: ParentRef, oneNamespace = 'default', other: ParentRef, otherNamespace = 'default'): boolean {
  const name = ({ kind = 'Gateway', namespace, name: own }: ParentRef, fallback: string) => `${kind} ${namespace ?? fallback}/${own}`;
  if (name(one, oneNamespace) !== name(other, otherNamespace)) return false;
  // Of a Service those of one namespace are merged, and those of one port with each other (istio pilot/pkg/config/kube/gateway HTTPRouteCollection).
  if (placeOfParent(one) === 'mesh') return oneNamespace === otherNamespace && one.port === other.port;
  const [apartBySection, apartByPort] = (['sectionName', 'port'] as const).map(
    (field) => one[field] !== undefined && other[field] !== undefined && one[field] !== other[field],
  );
  return apartBySection !== true && apartByPort !== true;
}
