import { z } from 'zod';
import { duration, mapping, text, wholeNumber } from './schema-parts.ts';

/** How many results in a row an endpoint may need to change what it counts as. */
const MAX_THRESHOLD = 10;
const THRESHOLD = `a whole number from 1 to ${MAX_THRESHOLD}`;

/** Requests per second that no endpoint of one machine takes: a number beyond it is a slip. */
const MAX_CAPACITY = 1_000_000;
const CAPACITY = 'a number over 0 and up to 1000000, in requests per second';

/** The schema of `spec.readiness.healthCheck`; the names are Envoy's (config.core.v3.HealthCheck). Bounds of durations: readiness-rules.ts. */
export const healthCheckSpec = mapping({
  path: text('a path that begins with /, of visible ASCII characters without #, at most 1024', /^\/[!-"$-~]*$/, 1024)
    .optional()
    .describe(
      'Asked for with HTTP GET: an answer from 200 to 399 passes, as with a Kubernetes readinessProbe, and redirects are not followed. Absent: an endpoint that accepts a TCP connection passes.',
    ),
  interval: duration.default('1s').describe('From one check of an endpoint to the next, 100ms to 1m, give or take a tenth.'),
  timeout: duration
    .optional()
    .describe(
      'In which an endpoint has to answer, from 10ms, and not longer than the interval; the interval where absent, but at most 1s.',
    ),
  healthyThreshold: wholeNumber(THRESHOLD, 1, MAX_THRESHOLD)
    .default(2)
    .describe('How many checks in a row an endpoint that was not ready has to pass. The first check of all counts at once.'),
  unhealthyThreshold: wholeNumber(THRESHOLD, 1, MAX_THRESHOLD)
    .default(3)
    .describe('How many checks in a row an endpoint that was ready has to fail.'),
});

/** The schema of `spec.readiness`. */
export const readinessSpec = mapping({
  healthCheck: healthCheckSpec
    .optional()
    .describe('How endpoints are checked, each by itself. Embedded runtime only: in Kubernetes the readiness of pods counts.'),
  capacity: z
    .number({ error: CAPACITY })
    .gt(0, { error: CAPACITY })
    .max(MAX_CAPACITY, { error: CAPACITY })
    .optional()
    .describe(
      'Requests per second that one endpoint of the canary can take. A weight is only reached with enough ready endpoints for its share of the requests measured; one is enough where absent.',
    ),
  grace: duration.default('30s').describe('How long the canary may be without ready endpoints while visitors are on it, 1s to 1d.'),
  onCanaryUnavailable: z
    .enum(['rollback', 'pause'])
    .default('rollback')
    .describe(
      'What follows after the grace. `rollback`: everyone goes back to stable. `pause`: everyone stays, those on the canary get errors, until someone rolls back, or resumes once it is ready.',
    ),
});

/** `spec.readiness` after defaults. */
export type ReadinessSpec = z.output<typeof readinessSpec>;
