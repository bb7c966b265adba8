import { z } from 'zod';
import { duration, mapping, wholeNumber } from './schema-parts.ts';

/** More replicas than any Deployment has. */
const MOST_REPLICAS = 10_000;
const REPLICAS = `a whole number from 0 to ${MOST_REPLICAS}`;

/** The schema of `spec.scaling`. */
export const scalingSpec = mapping({
  beforeStep: z
    .enum(['matchWeight'])
    .optional()
    .describe(
      '`matchWeight`: before a step widens to a weight, the canary’s Deployment gets that share of the live version’s replicas, rounded up, at least 1, and never fewer than it has.',
    ),
  afterSuccess: mapping({
    replicas: wholeNumber(REPLICAS, 0, MOST_REPLICAS)
      .default(0)
      .describe('How many replicas it keeps. A rollback brings back those that it had, and waits for them.'),
    delay: duration.default('10m').describe('How long after the release has succeeded, at most 30d.'),
  })
    .optional()
    .describe('The Deployment of the former version is scaled down, once, when no route leads to it any more.'),
});
