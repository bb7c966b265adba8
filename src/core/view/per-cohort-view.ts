import { z } from 'zod';

/** The same thing of each cohort. */
export function perCohortView<Value extends z.ZodType>(value: Value) {
  return z.strictObject({ stable: value, canary: value });
}
