import type { Cluster, Endpoint } from '../core/routing/selection.ts';
import type { EndpointPool, UpstreamPools } from './upstream-pools.ts';

/**
 * Least requests of two usable endpoints drawn at random (Istio's default LEAST_REQUEST, Envoy's P2C). Endpoints in `tried` are
 * left out; undefined when none is left.
 */
export function chooseEndpoint(
  cluster: Cluster,
  tried: readonly EndpointPool[],
  pools: UpstreamPools,
  random: () => number,
): EndpointPool | undefined {
  const endpoints = pools.health.usable(cluster);
  if (endpoints.length === 1 && tried.length === 0) return pools.of(endpoints[0] as Endpoint);
  const candidates = tried.length === 0 ? endpoints : endpoints.filter((endpoint) => !tried.includes(pools.of(endpoint)));
  const count = candidates.length;
  if (count === 0) return undefined;
  const first = Math.floor(random() * count);
  const one = pools.of(candidates[first] as Endpoint);
  if (count === 1) return one;
  // Of the others, so that the two always differ.
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const two = pools.of(candidates[second] as Endpoint);
  return two.active < one.active ? two : one;
}
