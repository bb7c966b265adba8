import { z } from 'zod';
import { latencyView } from './latency-view.ts';
import { perCohortView } from './per-cohort-view.ts';

/** Figures of one moment; all counts are since the step of that moment began. */
export const timelineSample = z.strictObject({
  /** ISO 8601 in UTC, with milliseconds. */
  at: z.iso.datetime(),
  /** What the step asks for, in percent; absent once everyone is on one version. */
  weight: z.number().optional(),
  /** Of the visitors (or requests, as `counts` says) on the canary, in percent; absent where there were none. */
  share: z.number().optional(),
  /** Where chance alone puts `share` in 95 of 100 cases, in percent; only of visitors. */
  chance: z.tuple([z.number(), z.number()]).optional(),
  /** How many were active; absent where only requests can be counted. */
  visitors: z.number().optional(),
  requests: perCohortView(z.number()),
  errors: perCohortView(z.number()),
  latency: latencyView.exactOptional(),
});

/** Figures of one moment, read off `timelineSample`. */
export type TimelineSample = z.infer<typeof timelineSample>;

/** What was measured of a release over time, as the API gives it. */
export const timelineView = z.strictObject({
  /** What `share` is of: `requests` where visitors on stable carry nothing that tells them apart (`affinity.mode: canaryOnly`). */
  counts: z.enum(['visitors', 'requests']),
  /** Since when there are samples, ISO 8601: the release's beginning, or the runtime's where that was later; absent where nothing measures. */
  since: z.iso.datetime().optional(),
  /** Distance of the samples, at least, in ms: it doubles as the timeline grows. */
  intervalMs: z.number(),
  /** The oldest first; between two that are further apart nothing changed. */
  items: z.array(timelineSample),
});

/** What was measured of a release over time, read off `timelineView`. */
export type TimelineView = z.infer<typeof timelineView>;
