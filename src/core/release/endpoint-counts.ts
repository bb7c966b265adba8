import { isSettled } from './phase.ts';
import type { EndpointCount, ReleaseStatus } from './status.ts';
import { readinessOf, type Turn } from './turn.ts';
import { sameVersion } from './version.ts';

/**
 * The endpoints of the versions that this turn looked at; of one whose are not known (now), those that were. Canary first. None of a release
 * that has ended: nobody asks any more, and old numbers would be taken for new.
 */
export function endpointCounts(turn: Turn, status: ReleaseStatus): readonly EndpointCount[] | undefined {
  if (isSettled(status.phase)) return undefined;
  const { canary, stable } = turn.looked;
  const counts = [canary, ...(stable === undefined ? [] : [stable])].flatMap((version): readonly EndpointCount[] => {
    const { endpoints } = readinessOf(turn, version);
    if (endpoints !== undefined) return [{ version, ...endpoints }];
    return status.endpoints?.filter((count) => sameVersion(count.version, version)) ?? [];
  });
  return counts.length === 0 ? undefined : counts;
}
