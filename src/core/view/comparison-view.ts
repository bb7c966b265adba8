import { z } from 'zod';

/** What other schemes would have exposed over the steps of a release: simulated, whatever its visitors do. */
export const comparisonView = z.strictObject({
  simulated: z.literal(true),
  seed: z.number(),
  /** Of the simulated traffic: fewer for a longer release, so that the work is bounded. */
  visitorsPerMinute: z.number(),
  schemes: z.array(
    z.strictObject({
      scheme: z.enum(['article', 'flagger', 'flagger-primary', 'perch']),
      label: z.string(),
      /** The oldest first, those of steps to come included. */
      points: z.array(
        z.strictObject({
          at: z.iso.datetime(),
          /** Of those who came since the step began, in percent: whom the canary has answered in it, once or more. */
          share: z.number(),
        }),
      ),
    }),
  ),
});

/** What `comparisonView` describes. */
export type ComparisonView = z.infer<typeof comparisonView>;
