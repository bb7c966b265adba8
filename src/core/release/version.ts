import type { Version } from './canary-release.ts';

/** Whether two versions are written alike: the same subset, or the same host and port. */
export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ('subset' in a) return 'subset' in b && a.subset === b.subset;
  return 'host' in b && a.host === b.host && a.port === b.port;
}

/** A version in a sentence: `v2`, `reviews-v2`, `reviews-v2:9080`. */
export function describeVersion(version: Version): string {
  if ('subset' in version) return version.subset;
  return version.port === undefined ? version.host : `${version.host}:${version.port}`;
}
