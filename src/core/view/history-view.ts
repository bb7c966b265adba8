import { z } from 'zod';
import { EVENT_REASONS, type EventReason, type RecordedEvent } from '../release/release-event.ts';

const REASONS = Object.keys(EVENT_REASONS) as EventReason[];

const eventView = z
  .strictObject({
    id: z.int().describe('Grows with time; says nothing else.'),
    at: z.iso.datetime(),
    type: z.enum(['Normal', 'Warning']),
    reason: z.enum(REASONS).describe('docs/reference/history.md says when each is given.'),
    message: z.string(),
    by: z.string().exactOptional().describe('Who asked for it; absent where the machine decided by itself.'),
    step: z.int().exactOptional(),
    weight: z.number().exactOptional(),
  })
  .meta({ id: 'Event' }) satisfies z.ZodType<RecordedEvent>;

/** A page of what happened to a release. */
export const historyView = z
  .strictObject({
    items: z.array(eventView).describe('The newest first.'),
    next: z.int().exactOptional().describe('What `before` has to be for the next page; absent where this is the last.'),
  })
  .meta({ id: 'History' });
