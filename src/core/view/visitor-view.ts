import { z } from 'zod';
import type { VisitorView } from '../release/visitor-sentence.ts';
import { BUCKETS } from '../visitor/bucket.ts';

/** Where a visitor stands in a release. */
export const visitorView = z
  .strictObject({
    bucket: z
      .int()
      .min(0)
      .max(BUCKETS - 1)
      .exactOptional()
      .describe('Absent in canaryOnly, where no bucket decides.'),
    cohort: z.enum(['canary', 'stable']).exactOptional(),
    version: z.string().exactOptional().describe('What the visitor gets now.'),
    movesAt: z.number().exactOptional().describe('The weight in percent at which the visitor’s turn comes.'),
    weight: z.number().describe('How far the release is, in percent.'),
    sentence: z.string().describe('Where the visitor stands, for people.'),
  })
  .meta({ id: 'Visitor' }) satisfies z.ZodType<VisitorView>;
