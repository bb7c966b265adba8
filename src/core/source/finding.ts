import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { FieldPath } from './locate.ts';

/** A mistake before it is placed in the user's text. `at` says what to point at: the value (default) or the field's name. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly path: FieldPath;
  readonly message: string;
  readonly hint: string;
  readonly at?: 'key';
  /** Default: error. */
  readonly severity?: 'warning';
}

/** What stands at a path of parsed YAML or JSON; undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[part];
  }
  return current;
}
