import type { CanaryRelease } from '../release/canary-release.ts';
import type { Offset } from '../visitor/bucket.ts';
import { cookieBelow, cookieValid, requestIdBelow, requestIdValid } from '../visitor/patterns.ts';

/** Where a request says whose it is, and the patterns of its values. */
export interface IdSource {
  /** In lower case. */
  readonly header: string;
  /** Any valid id. */
  readonly valid: string;
  /** An id whose bucket at `offset` is below `cutoff`; undefined at 0: none is. */
  below(cutoff: number, offset: Offset): string | undefined;
  /** New visitors are issued an id. */
  readonly issues: boolean;
}

/** The cookie that Perch issues, or a header that clients send: an id there has the form of a request id, as that of any UUID. */
export function idSourceOf({ spec }: CanaryRelease): IdSource {
  const { from, cookie } = spec.visitorId;
  if (from !== undefined) return { header: from.header, valid: requestIdValid(), below: requestIdBelow, issues: false };
  const below = (cutoff: number, offset: Offset) => cookieBelow(cookie.name, cutoff, offset);
  return { header: 'cookie', valid: cookieValid(cookie.name), below, issues: true };
}
