import { BUCKETS, bucketOf, isVisitorId, type Offset } from './bucket.ts';

/**
 * The visitor id that the patterns would find in a request's Cookie lines: the first valid one. A request that carries several is on the
 * canary when any of them is below the cutoff; with `offset` the answer is therefore the id with the lowest bucket there.
 */
export function visitorIdFromCookies(lines: readonly string[], name: string, offset?: Offset): string | undefined {
  let found: string | undefined;
  for (const id of lines.flatMap((line) => visitorIdsOf(line, name))) {
    if (offset === undefined) return id;
    if (found === undefined || (bucketOf(id, offset) ?? BUCKETS) < (bucketOf(found, offset) ?? BUCKETS)) found = id;
  }
  return found;
}

function visitorIdsOf(line: string, name: string): string[] {
  if (line.includes('\n')) return [];
  return line
    .split(';')
    .map((pair, index) => (index > 0 && pair.startsWith(' ') ? pair.slice(1) : pair))
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .filter(isVisitorId);
}
