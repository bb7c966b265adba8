import { OBJECT_CODES } from './object-codes.ts';
import { RELEASE_CODES } from './release-codes.ts';
import { RUNTIME_CODES } from './runtime-codes.ts';
import { SITE_CODES } from './site-codes.ts';

/**
 * Every code that Perch prints, each range in its file. Codes are stable: never reuse one.
 * `docs/reference/errors.md` is generated from this table.
 */
export const CODES = { ...OBJECT_CODES, ...RELEASE_CODES, ...RUNTIME_CODES, ...SITE_CODES } as const;

/** A code that `CODES` explains: `PERCH` and four digits, the first two of which name its range (CONTRIBUTING.md). */
export type DiagnosticCode = keyof typeof CODES;
