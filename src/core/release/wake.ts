import { CAPACITY_AGAIN_MS, waitsForCapacity } from './capacity.ts';
import { graceOf } from './endpoints.ts';
import { versionsToObserve } from './observed.ts';
import type { ReleaseStatus } from './status.ts';
import type { Turn } from './turn.ts';
import { sameVersion } from './version.ts';

/**
 * When the next thing happens by itself, in ms since the epoch: `now` when a look at other versions is needed, else later; undefined when
 * only the world can change anything.
 */
export function nextWake(turn: Turn, status: ReleaseStatus): number | undefined {
  const { now } = turn;
  if (status.phase === 'Pending' && !sameVersions(turn.looked, versionsToObserve(turn.release.spec, status, turn.observed.request)))
    return now;
  const times = [
    parseTime(status.holdUntil),
    parseTime(status.canaryLostSince) + graceOf(turn),
    // While visitors are divided nothing follows from it.
    ...(status.phase === 'Pending' ? [parseTime(status.stableLostSince) + graceOf(turn)] : []),
    ...(waitsForCapacity(turn, status) ? [now + CAPACITY_AGAIN_MS] : []),
  ];
  const coming = times.filter((time) => time > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** NaN where it is not set: no time that comes. */
function parseTime(time = ''): number {
  return Date.parse(time);
}

function sameVersions(a: Turn['looked'], b: Turn['looked']): boolean {
  return sameVersion(a.canary, b.canary) && sameVersion(a.stable, b.stable);
}
