import { z } from 'zod';
import { DURATION_PATTERN } from './durations.ts';

/** Text of a form; `expected` is read after "must be". */
export const text = (expected: string, pattern: RegExp) => z.string({ error: expected }).regex(pattern, { error: expected });

/** A whole number from `min` to `max`; `expected` is read after "must be". */
export const wholeNumber = (expected: string, min: number, max: number) =>
  z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected });

/** A mapping with these fields and no others. */
export const mapping = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape, { error: structureError });

/** Unknown fields keep their own issue; anything else about a mapping is that it is none. */
function structureError(issue: { readonly code?: string | undefined }): string | undefined {
  return issue.code === 'invalid_type' ? 'a mapping' : undefined;
}

/** True or false. */
export const flag = z.boolean({ error: 'true or false' });

/** How a duration is asked for. */
export const DURATION = 'a duration such as 30s, 10m or 1h30m';

/** A duration as `parseDuration` reads it; bounds are rules of their own (duration-rules.ts). */
export const duration = text(DURATION, DURATION_PATTERN);
