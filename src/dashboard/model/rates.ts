import type { TimelineSample } from '../../core/view/timeline-view.ts';

/** What one version answered within a short time. */
export interface CohortRate {
  /** Requests per second. */
  readonly requests: number;
  /** Percent of answers that failed; undefined without answers. */
  readonly errors: number | undefined;
}

/** What both versions answered within a short time that ended at `at` (ms since the epoch). */
export interface RatePoint {
  readonly at: number;
  readonly stable: CohortRate;
  readonly canary: CohortRate;
}

const COHORTS = ['stable', 'canary'] as const;

/**
 * Rates from samples, whose counts begin anew with each step. At least `leastMs` lie between two points: less traffic than that makes rates
 * of single requests.
 */
export function ratesOf(samples: readonly TimelineSample[], leastMs: number): readonly RatePoint[] {
  const points: RatePoint[] = [];
  let from = samples[0];
  let reference = from;
  for (const sample of samples.slice(1)) {
    if (from === undefined || reference === undefined) break;
    if (isAnew(reference, sample)) {
      // What came between the two belongs to either step: the next rate begins here.
      from = sample;
      reference = sample;
      continue;
    }
    reference = sample;
    const ms = Date.parse(sample.at) - Date.parse(from.at);
    if (ms < leastMs || ms <= 0) continue;
    const start = from;
    const [stable, canary] = COHORTS.map((cohort): CohortRate => {
      const requests = sample.requests[cohort] - start.requests[cohort];
      const errors = sample.errors[cohort] - start.errors[cohort];
      return { requests: (1000 * requests) / ms, errors: requests > 0 ? (100 * errors) / requests : undefined };
    });
    if (stable !== undefined && canary !== undefined) points.push({ at: Date.parse(sample.at), stable, canary });
    from = sample;
  }
  return points;
}

/** Whether counts began anew between two samples: with a step, or with the runtime. */
export function isAnew(before: TimelineSample, after: TimelineSample): boolean {
  return before.weight !== after.weight || COHORTS.some((cohort) => after.requests[cohort] < before.requests[cohort]);
}
