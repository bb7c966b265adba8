import type { FieldPath } from '../source/locate.ts';

/** Fields of the CanaryRelease design that this version does not have yet: known, so no typos, and refused, so never ignored. */
const NOT_YET: readonly { readonly path: FieldPath; readonly instead: string }[] = [
  { path: ['route', 'adopt', 'httpRoute'], instead: 'use route.adopt.virtualService' },
  { path: ['affinity', 'cookie'], instead: 'leave it out: the visitor id’s cookie is visitorId.cookie' },
  { path: ['analysis'], instead: 'leave it out: watch the release, and pause or roll back by request' },
];

/** Values of the design that this version does not have yet. */
const VALUES_NOT_YET: readonly { readonly path: FieldPath; readonly value: unknown; readonly instead: string }[] = [
  { path: ['affinity', 'mode'], value: 'canaryOnly', instead: 'use mode: visitor' },
];

/** What to do instead of a field (path below `spec`) that is planned but not supported; undefined for any other. */
export function insteadOfField(path: FieldPath): string | undefined {
  return NOT_YET.find((entry) => samePath(entry.path, path))?.instead;
}

/** What to do instead of a value (path below `spec`) that is planned but not supported; undefined for any other. */
export function insteadOfValue(path: FieldPath, value: unknown): string | undefined {
  return VALUES_NOT_YET.find((entry) => samePath(entry.path, path) && entry.value === value)?.instead;
}

function samePath(a: FieldPath, b: FieldPath): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}
