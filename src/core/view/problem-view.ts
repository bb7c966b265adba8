import { z } from 'zod';
import { diagnosticView } from './diagnostic-view.ts';

/** A problem document (RFC 9457, section 3) with Perch's extension members `code` and `diagnostics`. */
export const problemView = z
  .strictObject({
    type: z.string().describe('tag:perch.dev,2026:CODE (RFC 4151): identifies, does not dereference.'),
    title: z.string().describe('What the code stands for.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What is wrong this time, for people.'),
    code: z
      .string()
      .regex(/^PERCH\d{4}$/)
      .describe('Stable; docs/reference/errors.md has them all.'),
    diagnostics: z.array(diagnosticView).exactOptional().describe('Everything that is wrong with the input, where input was.'),
  })
  .meta({ id: 'Problem' });
