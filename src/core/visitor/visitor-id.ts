import { BUCKETS, bucketOf, isVisitorId, type Offset } from './bucket.ts';
import { isIdAt } from './last-group.ts';
import { firstMember, memberEnd, nextMember } from './list-members.ts';

/** Reads visitor ids from requests' Cookie lines. */
export interface VisitorCookie {
  /**
   * The visitor id that the patterns would find: the first valid one. A request that carries several is on the canary when any of them is below
   * the cutoff; with an offset the answer is therefore the id with the lowest bucket there.
   */
  idIn(lines: readonly string[]): string | undefined;
}

/** The cookie of that name. Made once, not per request: each has its cookies read. */
export function visitorCookie(name: string, offset?: Offset): VisitorCookie {
  const beginning = `${name}=`;
  return { idIn: (lines) => idIn(lines, beginning, offset) };
}

/** The id in a cookie, as `visitorCookie` reads it. */
export function visitorIdFromCookies(lines: readonly string[], name: string, offset?: Offset): string | undefined {
  return idIn(lines, `${name}=`, offset);
}

function idIn(lines: readonly string[], beginning: string, offset: Offset | undefined): string | undefined {
  let found: string | undefined;
  for (const line of lines) {
    let start = firstMember(line, ';', beginning);
    while (start >= 0) {
      const end = memberEnd(line, ';', start);
      if (isIdAt(line, start, end)) {
        const id = line.slice(start, end);
        if (offset === undefined) return id;
        if (found === undefined || bucketBelow(id, found, offset)) found = id;
      }
      start = nextMember(line, ';', beginning, end);
    }
  }
  return found;
}

/** The visitor id that a header of their own says, as the patterns would find it: the first line that is one, whole. */
export function visitorIdFromHeader(lines: readonly string[]): string | undefined {
  return lines.find(isVisitorId);
}

function bucketBelow(id: string, other: string, offset: Offset): boolean {
  return (bucketOf(id, offset) ?? BUCKETS) < (bucketOf(other, offset) ?? BUCKETS);
}
