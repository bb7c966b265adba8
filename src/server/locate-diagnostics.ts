import { refOf, refText } from '../cluster/manifest.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { FieldPath } from '../core/source/locate.ts';
import type { ManifestObject } from '../core/source/manifests.ts';

/** Reads back what `formatPath` wrote: `spec.http[0].match` into `['spec', 'http', 0, 'match']`. */
export function parsePath(text: string): FieldPath {
  const path: (string | number)[] = [];
  for (const [, quoted, index, name] of text.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[\]]+)/g)) {
    if (quoted !== undefined) path.push(JSON.parse(quoted) as string);
    else if (index !== undefined) path.push(Number(index));
    else path.push(name ?? '');
  }
  return path;
}

/**
 * Adds file, line and column to diagnostics that only name an object and a field, as the store and the API give them. Where an
 * object was written twice, the later place is meant. Those about objects of elsewhere stay as they are.
 */
export function locateDiagnostics(diagnostics: readonly Diagnostic[], manifests: readonly ManifestObject[]): readonly Diagnostic[] {
  const places = new Map(manifests.map((manifest) => [refText(refOf(manifest.object)), manifest]));
  return diagnostics.map((diagnostic) => {
    const place = diagnostic.object === undefined ? undefined : places.get(diagnostic.object);
    if (diagnostic.source !== undefined || place === undefined) return diagnostic;
    return { ...diagnostic, source: place.locate(diagnostic.path === undefined ? ['metadata', 'name'] : parsePath(diagnostic.path)) };
  });
}
