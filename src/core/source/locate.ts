import type { SourceRange } from '../diagnostics/diagnostic.ts';

/** A field inside an object: `['spec', 'steps', 1, 'weight']`. */
export type FieldPath = readonly (string | number)[];

/**
 * Where a field stands in the user's text; of a field that is absent, its nearest ancestor that is there. `part` chooses what to
 * point at: `value` (default; of a mapping or list its key, since a range over many lines helps nobody) or `key`.
 */
export type Locate = (path: FieldPath, part?: 'key' | 'value') => SourceRange;

/** Writes a path as people read it: `spec.steps[1].weight`, `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: FieldPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}
