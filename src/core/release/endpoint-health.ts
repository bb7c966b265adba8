import type { HealthCheck } from './health-check.ts';

/** What the checks of one endpoint have come to. */
export interface EndpointHealth {
  readonly healthy: boolean;
  /** Of an unhealthy endpoint: what the last check that failed found, or how far it is on its way back. */
  readonly reason: string;
  /** Checks in a row whose result was against `healthy`. */
  readonly against: number;
}

/**
 * The health of an endpoint after one more check, whose `failure` is undefined where it passed. As in Envoy the very first result counts at
 * once, and from then on only so many in a row turn it round, so that one lost packet is no news.
 */
export function nextHealth(
  before: EndpointHealth | undefined,
  failure: string | undefined,
  check: Pick<HealthCheck, 'healthyThreshold' | 'unhealthyThreshold'>,
): EndpointHealth {
  const passed = failure === undefined;
  if (before === undefined) return { healthy: passed, reason: failure ?? '', against: 0 };
  if (passed === before.healthy) return { healthy: passed, reason: failure ?? '', against: 0 };
  const against = before.against + 1;
  const needed = passed ? check.healthyThreshold : check.unhealthyThreshold;
  if (against >= needed) return { healthy: passed, reason: failure ?? '', against: 0 };
  return { healthy: before.healthy, reason: passed ? `has passed ${against} of ${needed} checks in a row` : '', against };
}
