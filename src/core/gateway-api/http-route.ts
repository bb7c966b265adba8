import type { KubeObject } from '../istio/resources.ts';

/**
 * HTTPRoute as weaving reads it (Gateway API v1, https://gateway-api.sigs.k8s.io/reference/spec): objects come from an apiserver, whose schema has
 * checked them. They have more fields; weaving keeps those.
 */

/** Its kind. */
export const HTTP_ROUTE = 'HTTPRoute';
/** Its group and version. */
export const HTTP_ROUTE_API = 'gateway.networking.k8s.io/v1';

/** A condition on a header or a query parameter; `Exact` where no type is named. */
export interface ValueMatch {
  readonly name: string;
  readonly type?: 'Exact' | 'RegularExpression';
  readonly value: string;
}

/** A condition on the path; a prefix of whole segments where no type is named. */
export interface PathMatch {
  readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value?: string;
}

/** Conditions that all have to hold. */
export interface HttpRouteMatch {
  readonly path?: PathMatch;
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
  readonly method?: string;
}

/** Headers that a filter sets, adds and removes. */
export interface HeaderModifier {
  readonly set?: readonly HeaderValue[];
  readonly add?: readonly HeaderValue[];
  readonly remove?: readonly string[];
}

/** A header as a filter writes it. */
export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** What is done to requests and answers; the fields of other types of filters are not read. */
export interface HttpRouteFilter {
  readonly type: string;
  readonly requestHeaderModifier?: HeaderModifier;
  readonly responseHeaderModifier?: HeaderModifier;
  readonly urlRewrite?: { readonly path?: { readonly type?: string } };
}

/** Where a rule leads; a Service of the route's namespace where neither kind nor namespace is named, and weight 1. */
export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
  readonly filters?: readonly HttpRouteFilter[];
}

/** Requests that any of the matches takes, and where they go. */
export interface HttpRouteRule {
  readonly name?: string;
  readonly matches?: readonly HttpRouteMatch[];
  readonly filters?: readonly HttpRouteFilter[];
  readonly backendRefs?: readonly BackendRef[];
}

/** What a route hangs on; a Gateway where no kind is named. */
export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

/** Which requests reach the route, and its rules. */
export interface HttpRouteSpec {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly HttpRouteRule[];
}

/** What one controller made of a route at one parent. */
export interface RouteParentStatus {
  readonly parentRef: ParentRef;
  readonly controllerName: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

/** An HTTPRoute. */
export interface HttpRoute extends KubeObject {
  readonly spec: HttpRouteSpec;
  readonly status?: { readonly parents?: readonly RouteParentStatus[] };
}

/** Reads an object that an apiserver takes for an HTTPRoute. */
export function httpRouteOf(object: KubeObject): HttpRoute {
  const spec = typeof object.spec === 'object' && object.spec !== null ? object.spec : {};
  return { ...object, spec } as HttpRoute;
}

/** The rules of an HTTPRoute. */
export function rulesOf(object: KubeObject): readonly HttpRouteRule[] {
  return httpRouteOf(object).spec.rules ?? [];
}

/** The matches of a rule; one that takes every request where there are none. */
export function matchesOf({ matches = [] }: HttpRouteRule): readonly HttpRouteMatch[] {
  return matches.length === 0 ? [{ path: { type: 'PathPrefix', value: '/' } }] : matches;
}

/** `HTTPRoute namespace/name`, as diagnostics name objects. */
export function describeHttpRoute({ metadata: { namespace = 'default', name } }: KubeObject): string {
  return `${HTTP_ROUTE} ${namespace}/${name}`;
}
