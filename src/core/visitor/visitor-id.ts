import { BUCKETS, bucketOf, isVisitorId, type Offset } from './bucket.ts';
import { someMember } from './list-members.ts';

/**
 * The visitor id that the patterns would find in a request's Cookie lines: the first valid one. A request that carries several is on the
 * canary when any of them is below the cutoff; with `offset` the answer is therefore the id with the lowest bucket there.
 */
export function visitorIdFromCookies(lines: readonly string[], name: string, offset?: Offset): string | undefined {
  let found: string | undefined;
  const beginning = `${name}=`;
  for (const line of lines) {
    const first = someMember(line, ';', beginning, (text, start, end) => {
      const id = text.slice(start, end);
      if (!isVisitorId(id)) return false;
      if (offset === undefined || found === undefined || bucketBelow(id, found, offset)) found = id;
      return offset === undefined;
    });
    if (first) break;
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
