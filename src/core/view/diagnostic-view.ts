import { z } from 'zod';
import { CODES, type DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';

const count = z.int().min(1);

/** A finding about what somebody wrote, as the API gives it. */
export const diagnosticView = z
  .strictObject({
    code: z
      .string()
      .regex(/^PERCH\d{4}$/)
      .refine((code): code is DiagnosticCode => code in CODES)
      .describe('Stable; docs/reference/errors.md has them all.'),
    severity: z.enum(['error', 'warning', 'info']).describe('An error forbids going on.'),
    message: z.string().describe('What is wrong with this input, for people.'),
    object: z.string().exactOptional().describe('Kind namespace/name.'),
    path: z.string().exactOptional().describe('The field, such as spec.steps[1].weight.'),
    source: z
      .strictObject({ file: z.string(), line: count, column: count, endLine: count, endColumn: count })
      .exactOptional()
      .describe('Where it stands in a file; the end is exclusive.'),
    hint: z.string().exactOptional().describe('What to do.'),
  })
  .meta({ id: 'Diagnostic' }) satisfies z.ZodType<Diagnostic>;
