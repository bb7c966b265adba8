import type { KubeObject } from '../istio/resources.ts';
import { readBase, wovenReleases } from '../weave/unweave.ts';
import { isHttpRoute, releasesInHttpRoute, unweaveHttpRoute } from './unweave-http-route.ts';

/** The base of a VirtualService or HTTPRoute, for who only reads it; any other object is its own. */
export function baseOfRoute(served: KubeObject): KubeObject {
  if (served.kind === 'VirtualService') return readBase(served);
  return isHttpRoute(served) ? unweaveHttpRoute(served) : served;
}

/** Names of the releases woven into a VirtualService or HTTPRoute, as `namespace/name`; none of any other object. */
export function releasesInRoute(served: KubeObject): readonly string[] {
  if (served.kind === 'VirtualService') return wovenReleases(served);
  return isHttpRoute(served) ? releasesInHttpRoute(served) : [];
}
