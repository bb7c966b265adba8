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
    remedy: 'Correct the syntax at the place named; the rest of that document was not read.',
  },
  PERCH1002: {
    title: 'The file is too large',
    remedy: 'Split it into several files of at most 1,048,576 characters each.',
  },
  PERCH1003: {
    title: 'A key stands twice in one mapping',
    remedy: 'Keep one of the two: YAML does not say which would count.',
  },
  PERCH1004: {
    title: 'An alias cannot be followed',
    remedy: 'Write the value out, or set the anchor before the alias. Aliases may add at most 10,000 values to a document.',
  },
  PERCH1005: {
    title: 'A YAML tag or version that is not supported',
    remedy: 'Write plain values: files are read as YAML 1.2, core schema, without tags.',
  },
  PERCH1006: {
    title: 'A document is not an object',
    remedy: 'Write a mapping with apiVersion, kind, metadata and spec; separate objects by a line with three hyphens.',
  },
  PERCH1007: {
    title: 'An object is not named',
    remedy: 'Every object needs apiVersion, kind and metadata.name.',
  },
  PERCH1008: {
    title: 'A field of metadata is not valid',
    remedy: 'Names and namespaces are Kubernetes names; labels and annotations are text, so numbers and booleans need quotes.',
  },
} as const satisfies Record<string, CodeEntry>;

export type DiagnosticCode = keyof typeof CODES;
