import { HTTP_ROUTE, HTTP_ROUTE_API, type HttpRouteRule, type HttpRouteSpec } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { API_VERSION, type CanaryRelease, canaryReleaseSpec, KIND } from '../release/canary-release.ts';

/** Objects that the tests of weaving into HTTPRoutes start from: `web`, released from the Service web-v1 to web-v2. */

/** A release of `web`, defaults filled in. */
export function httpReleaseOf(spec: Readonly<Record<string, unknown>> = {}): CanaryRelease {
  const wanted = {
    service: { host: 'web', port: 9080 },
    stable: { host: 'web-v1' },
    canary: { host: 'web-v2' },
    route: { adopt: { httpRoute: 'web' } },
    steps: [{ weight: 100, hold: 'manual' }],
    ...spec,
  };
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'web', namespace: 'default' },
    spec: canaryReleaseSpec.parse(wanted),
  };
}

/** An HTTPRoute of the namespace `default` at the Gateway `edge`. */
export function httpRoute(rules: readonly HttpRouteRule[], spec: HttpRouteSpec = {}, name = 'web', age = 1): KubeObject {
  return {
    apiVersion: HTTP_ROUTE_API,
    kind: HTTP_ROUTE,
    metadata: { name, namespace: 'default', creationTimestamp: `2026-11-2${age}T00:00:00Z` },
    spec: { parentRefs: [{ name: 'edge' }], hostnames: ['shop.test'], ...spec, rules },
  };
}
