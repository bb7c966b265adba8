import type { DiagnosticCode } from './codes.ts';

/** Where in a user's text something stands. Lines and columns count from 1; the end is exclusive. */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/**
 * `error` forbids going on; `warning`: it goes on, but not as the input's author may expect; `info`: something to know, as intended.
 */
export type Severity = 'error' | 'warning' | 'info';

/**
 * One finding about the user's input, as a value: core functions return all of them, never only the first.
 * `object` is "Kind namespace/name"; `path` is the field, such as `spec.steps[1].weight`; `hint` says what to do.
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly object?: string;
  readonly path?: string;
  readonly source?: SourceRange;
  readonly hint?: string;
}

/** Whether any of the findings forbids going on. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
