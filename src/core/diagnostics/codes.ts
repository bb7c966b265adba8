/** What a code stands for: `title` in one line, `remedy` for the reference page. */
export interface CodeEntry {
  readonly title: string;
  readonly remedy: string;
}

/**
 * Every code that Perch prints. 10xx reading files, 11xx Istio objects, 12xx CanaryRelease, 13xx not supported by the
 * embedded gateway, 20xx weaving, 30xx releases and requests, 40xx the runtime. Codes are stable: never reuse one.
 * `docs/reference/errors.md` is generated from this table.
 */
export const CODES = {
  PERCH1001: {
    title: 'The file is not valid YAML',
    remedy: 'Correct the syntax at the place named; the rest of the file was not read.',
  },
} as const satisfies Record<string, CodeEntry>;

export type DiagnosticCode = keyof typeof CODES;
