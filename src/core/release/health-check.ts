import { parseDuration } from './durations.ts';
import { healthCheckSpec, type ReadinessSpec } from './readiness-spec.ts';

/** How an endpoint is checked; times in ms. */
export interface HealthCheck {
  /** Asked for with HTTP GET; undefined: accepting a TCP connection is enough. */
  readonly path: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Results in a row against what an endpoint counts as until it counts as the other. */
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

/** Longest timeout of a check that names none, in ms. */
const DEFAULT_TIMEOUT_MS = 1000;

/** How endpoints are checked where a release says nothing. */
export const DEFAULT_HEALTH_CHECK: HealthCheck = asHealthCheck(healthCheckSpec.parse({}));

/** The check that a release asks for; undefined where it asks for none in particular. */
export function healthCheckOf({ healthCheck }: ReadinessSpec): HealthCheck | undefined {
  return healthCheck === undefined ? undefined : asHealthCheck(healthCheck);
}

function asHealthCheck(spec: NonNullable<ReadinessSpec['healthCheck']>): HealthCheck {
  const { path, healthyThreshold, unhealthyThreshold } = spec;
  const intervalMs = parseDuration(spec.interval) ?? 0;
  const timeoutMs = spec.timeout === undefined ? Math.min(intervalMs, DEFAULT_TIMEOUT_MS) : (parseDuration(spec.timeout) ?? 0);
  return { path, intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold };
}
