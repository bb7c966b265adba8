import { z } from 'zod';
import { perCohortView } from './per-cohort-view.ts';

const ms = z.number().min(0);
const quantiles = z.strictObject({ p50Ms: ms, p95Ms: ms, p99Ms: ms });

/** Times that half, 95 and 99 of 100 answers did not exceed, in ms. */
export type Quantiles = z.infer<typeof quantiles>;

/** How long the answers of each version took; null: it gave none. */
export const latencyView = perCohortView(quantiles.nullable());

/** How long the answers of each version took, read off `latencyView`. */
export type LatencyView = z.infer<typeof latencyView>;
