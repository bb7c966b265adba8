import { z } from 'zod';
import { DURATION_PATTERN } from './durations.ts';

/** Text of a form and at most so many characters; `expected` is read after "must be". */
export const text = (expected: string, pattern: RegExp, longest: number) =>
  z.string({ error: expected }).regex(pattern, { error: expected, abort: true }).max(longest, { error: expected });

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

/** More characters than any duration needs. */
export const LONGEST_DURATION = 32;

/** A duration as `parseDuration` reads it; bounds are rules of their own (duration-rules.ts). */
export const duration = text(DURATION, DURATION_PATTERN, LONGEST_DURATION);
