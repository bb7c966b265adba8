import type { FieldPath } from '../source/locate.ts';

/** Fields of the CanaryRelease design that this version does not have yet: known, so no typos, and refused, so never ignored. */
const NOT_YET: readonly { readonly path: FieldPath; readonly instead: string }[] = [
  {
    path: ['route', 'adopt', 'grpcRoute'],
    instead: 'adopt an HTTPRoute or a VirtualService: gRPC is HTTP, and clients that keep no cookies need visitorId.from',
  },
  { path: ['analysis'], instead: 'leave it out: watch the release, and pause or roll back by request' },
];

/** What to do instead of a field (path below `spec`) that is planned but not supported; undefined for any other. */
export function insteadOfField(path: FieldPath): string | undefined {
  return NOT_YET.find((entry) => samePath(entry.path, path))?.instead;
}

function samePath(a: FieldPath, b: FieldPath): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}
