import { z } from 'zod';
import type { ExposureSummary } from '../evidence/exposure.ts';
import { latencyView } from './latency-view.ts';
import { perCohortView } from './per-cohort-view.ts';

const count = z.int().min(0);
const percent = z.number().min(0).max(100);
const visitors = z.strictObject({ total: count, canary: count });

const requestFields = {
  requests: perCohortView(count).describe('Answers since the step began, also those to clients without an id.'),
  errors: perCohortView(count).describe('Those of them that failed.'),
};

const exposureFields = {
  ...requestFields,
  visitors: visitors.describe('Visitors whom the service answered since the step began, by their last answer.'),
  assigned: visitors.describe('Further visitors, known only by what the edge decided for them.'),
  share: percent.exactOptional().describe('Visitors on the canary, in percent of all.'),
  chance: z.tuple([percent, percent]).exactOptional().describe('Where chance alone puts the share in 95 of 100 cases.'),
  moved: z.strictObject({ toCanary: count, back: count }).describe('Visitors who changed cohort since the release began.'),
};

const summaryFields = {
  latency: latencyView
    .exactOptional()
    .describe('How long the answers since the step began took, to within 3.2 %; null of a version that gave none.'),
  since: z.iso.datetime().describe('Since when is counted: the step’s beginning, or the observer’s where that was later.'),
  weight: percent.exactOptional().describe('What is asked for; absent where the release is over.'),
};

const edge = z.strictObject({
  requests: count,
  issued: count,
  oddRequestIds: count,
  oddOnCanary: count,
  oddRequestId: z.string().exactOptional(),
  crossSite: count,
});

/** Who saw what of one release: visitors, or, where they cannot be told apart, requests. Ids of people and of tests are counted apart. */
export const exposureView = z
  .union([
    z.strictObject({
      counts: z.literal('visitors'),
      ...summaryFields,
      ...exposureFields,
      real: z.strictObject(exposureFields),
      synthetic: z.strictObject(exposureFields),
      sampled: z.boolean().describe('Whether visitors are estimated from a sample of them.'),
      sampleRate: z.number().min(0).max(1),
      edge: edge.exactOptional().describe('What came in where ids are issued.'),
    }),
    z.strictObject({
      counts: z.literal('requests'),
      ...summaryFields,
      ...requestFields,
      real: z.strictObject(requestFields),
      synthetic: z.strictObject(requestFields),
    }),
  ])
  .meta({ id: 'Exposure' }) satisfies z.ZodType<ExposureSummary>;
