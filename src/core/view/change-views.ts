import { z } from 'zod';
import { REQUEST_ACTIONS } from '../release/requests.ts';
import { diagnosticView } from './diagnostic-view.ts';

const ref = z.strictObject({ kind: z.string(), namespace: z.string(), name: z.string() });

/** What an apply did: all of it, or there is a problem instead. */
export const appliedView = z
  .strictObject({
    outcomes: z.array(z.strictObject({ ref, result: z.enum(['created', 'configured', 'unchanged', 'pruned']) })),
    warnings: z.array(diagnosticView),
    revision: z.int().describe('Of the store, after it.'),
  })
  .meta({ id: 'Applied' });

/** What was deleted, or is about to go once its routes were taken out. */
export const deletedView = z
  .strictObject({ ...ref.shape, message: z.string().exactOptional().describe('What of it stays behind.') })
  .meta({ id: 'Deleted' });

/** A request to a release that was taken; with `outcome` it is done, without, it will be. */
export const requestView = z
  .strictObject({
    id: z.string(),
    action: z.enum(REQUEST_ACTIONS),
    full: z.boolean().exactOptional(),
    by: z.string(),
    outcome: z.literal('done').exactOptional(),
    message: z.string().exactOptional(),
  })
  .meta({ id: 'Request' });
