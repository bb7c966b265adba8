import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { refOf, refText } from './manifest.ts';

/** An error (PERCH4050) for each object that stands more than once among those of one apply. */
export function duplicateObjects(objects: readonly KubeObject[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const text of objects.map((object) => refText(refOf(object)))) (seen.has(text) ? twice : seen).add(text);
  return [...twice].map((object) => ({
    code: 'PERCH4050',
    severity: 'error',
    message: `${object} is given twice in one apply`,
    object,
    hint: 'keep one of the two',
  }));
}
