import { readRelease } from '../cluster/read-release.ts';
import type { StoredObject } from '../cluster/store.ts';
import { KIND } from '../core/release/canary-release.ts';

/** Where the visitor ids of some releases are found in a request: cookies and headers, by name. */
export interface VisitorIdNames {
  readonly cookies: readonly string[];
  readonly headers: readonly string[];
}

/** The names that the releases among `stored` use. */
export function visitorIdNames(stored: readonly StoredObject[]): VisitorIdNames {
  const cookies = new Set<string>();
  const headers = new Set<string>();
  for (const { ref, base } of stored) {
    if (ref.kind !== KIND) continue;
    const { release } = readRelease(base);
    if (release === undefined) continue;
    cookies.add(release.spec.visitorId.cookie.name);
    if (release.spec.visitorId.from !== undefined) headers.add(release.spec.visitorId.from.header);
  }
  return { cookies: [...cookies], headers: [...headers] };
}
