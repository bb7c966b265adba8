import { z } from 'zod';

/** What a request would do to a release if it were made now: what has to be said before it is confirmed. */
export const forecastView = z.strictObject({
  action: z.enum(['promote', 'pause', 'resume', 'rollback', 'retry']),
  /** Only beside `promote`: to the end at once. */
  full: z.boolean().optional(),
  /** Whether it would be done, as far as is known of the endpoints; else the sentence says why not. */
  allowed: z.boolean(),
  /** For people: `Promote to 50 %: about 400 of 900 visitors move from v1 to v2 with their next request`. */
  sentence: z.string(),
  /** Absent where nobody moves, where visitors are not counted, and where it cannot be told whom a step picks. */
  moves: z
    .strictObject({
      /** Of those active since the step began. */
      visitors: z.number(),
      of: z.number(),
      to: z.enum(['canary', 'stable']),
      /** Chance decides who they are, or visitors are counted from a sample. */
      isEstimate: z.boolean(),
    })
    .optional(),
});

/** What `forecastView` describes. */
export type ForecastView = z.infer<typeof forecastView>;
