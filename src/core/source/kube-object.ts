import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { type FieldPath, formatPath, type Locate } from './locate.ts';

/** The namespace of an object that names none. */
export const DEFAULT_NAMESPACE = 'default';

/** The namespace of objects that name none. */
export interface UsualNamespace {
  readonly name: string;
  /** Objects that name another one are errors. */
  readonly isRequired: boolean;
}

/** A finished object, or what keeps the value from being one. */
export interface KubeObjectResult {
  readonly object?: KubeObject;
  readonly diagnostics: readonly Diagnostic[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether the value is a mapping (not a list, not null). */
export function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, in YAML's words and short enough for a sentence: `a number (10)`, `a list`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  if (typeof value === 'string') return value.length > 40 ? `the text "${value.slice(0, 39)}…"` : `the text "${value}"`;
  return `${typeof value === 'number' ? 'a number' : 'a boolean'} (${String(value)})`;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads parsed YAML or JSON as a Kubernetes-style object: apiVersion, kind and metadata.name must be there, labels and annotations
 * must be text, and a missing namespace becomes the `usual` one, or `default`. Nothing else is judged. All
 * that is wrong is returned (PERCH1006 to PERCH1009).
 */
export function readKubeObject(value: unknown, locate?: Locate, usual?: UsualNamespace): KubeObjectResult {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (code, path, message, hint) => {
    const where = path.length > 0 ? { path: formatPath(path) } : {};
    diagnostics.push({ code, severity: 'error', message, ...where, ...(locate ? { source: locate(path) } : {}), hint });
  };

  if (!isMapping(value)) {
    report(
      'PERCH1006',
      [],
      `expected an object, found ${describeValue(value)}`,
      'write a mapping with apiVersion, kind, metadata and spec',
    );
    return { diagnostics };
  }

  const text = (fields: Fields, parent: FieldPath, name: string, example: string): string => {
    const field = fields[name];
    if (typeof field === 'string' && field !== '') return field;
    const path = [...parent, name];
    if (field === undefined || field === null || field === '')
      report('PERCH1007', path, `${formatPath(path)} is missing`, `add ${example}`);
    else report('PERCH1008', path, `${formatPath(path)} must be text, found ${describeValue(field)}`, 'put the value in quotes');
    return '';
  };

  const apiVersion = text(value, [], 'apiVersion', 'apiVersion: networking.istio.io/v1 (or the version of your kind)');
  const kind = text(value, [], 'kind', 'kind: VirtualService (or another kind)');

  const given = value['metadata'];
  if (given !== undefined && given !== null && !isMapping(given)) {
    report('PERCH1008', ['metadata'], `metadata must be a mapping, found ${describeValue(given)}`, 'write metadata: {name: ...}');
    return { diagnostics };
  }
  const metadata = withoutNulls(given ?? {});
  const name = text(metadata, ['metadata'], 'name', 'metadata: {name: ...}; generateName is not supported');
  // The name becomes part of store keys and addresses, where a slash would separate.
  if (name.length > 253 || name.includes('/')) {
    report('PERCH1008', ['metadata', 'name'], 'metadata.name must be at most 253 characters without "/"', 'choose another name');
  }

  let namespace = usual?.name ?? DEFAULT_NAMESPACE;
  const named = metadata['namespace'];
  if (named !== undefined) {
    if (typeof named !== 'string' || !DNS_LABEL.test(named)) {
      const message = `metadata.namespace must be lower-case letters, digits and hyphens, at most 63, found ${describeValue(named)}`;
      report('PERCH1008', ['metadata', 'namespace'], message, 'correct the namespace, or leave it out for "default"');
    } else if (usual?.isRequired === true && named !== usual.name) {
      const message = `the object is of namespace ${named}, but --namespace asks for ${usual.name}`;
      report('PERCH1009', ['metadata', 'namespace'], message, `leave --namespace out, or the namespace here`);
    } else namespace = named;
  }

  for (const field of ['labels', 'annotations'] as const) reportTexts(field, metadata[field], report);

  if (diagnostics.length > 0) return { diagnostics };
  return { object: { ...value, apiVersion, kind, metadata: { ...metadata, name, namespace } }, diagnostics };
}

type Report = (code: 'PERCH1006' | 'PERCH1007' | 'PERCH1008' | 'PERCH1009', path: FieldPath, message: string, hint: string) => void;

/** Labels and annotations: keys with texts. */
function reportTexts(field: 'labels' | 'annotations', entries: unknown, report: Report): void {
  if (entries === undefined) return;
  if (!isMapping(entries)) {
    const message = `metadata.${field} must be a mapping, found ${describeValue(entries)}`;
    report('PERCH1008', ['metadata', field], message, 'write key: "value"');
    return;
  }
  for (const [key, entry] of Object.entries(entries)) {
    if (typeof entry === 'string') continue;
    const path = ['metadata', field, key];
    report('PERCH1008', path, `${formatPath(path)} must be text, found ${describeValue(entry)}`, 'put the value in quotes');
  }
}

/** kubectl writes `creationTimestamp: null` into what it generates: the same as absent. */
function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
