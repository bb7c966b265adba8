import { CAPACITY_AGAIN_MS, waitsForCapacity } from './capacity.ts';
import { graceOf } from './endpoints.ts';
import { promotedWeight, rollbackAwaits } from './handle-request.ts';
import { versionsToObserve } from './observed.ts';
import { isExposed } from './phase.ts';
import { podsAwaitedUntil } from './replicas.ts';
import { scaleDownAt } from './scale-down.ts';
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
  const times: number[] = [];
  if (status.phase === 'Progressing' && status.holdUntil !== undefined) times.push(Date.parse(status.holdUntil));
  if (isExposed(status.phase) && status.canaryLostSince !== undefined) times.push(Date.parse(status.canaryLostSince) + graceOf(turn));
  if (status.phase === 'Pending' && status.stableLostSince !== undefined) times.push(Date.parse(status.stableLostSince) + graceOf(turn));
  if (waitsForCapacity(turn, status)) times.push(now + CAPACITY_AGAIN_MS);
  const down = turn.observed.scaling === undefined || turn.release.spec.suspend ? undefined : scaleDownAt(turn.release.spec, status);
  if (down !== undefined) times.push(down);
  times.push(...waitEnds(turn, status));
  const coming = times.filter((time) => time > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** When a request that waits for pods does so no longer. */
function waitEnds(turn: Turn, status: ReleaseStatus): readonly number[] {
  const weight = promotedWeight(turn, status);
  const promotion = weight === undefined ? undefined : podsAwaitedUntil(turn, status, weight);
  return [promotion, rollbackAwaits(turn, status)?.until].filter((time) => time !== undefined);
}

function sameVersions(a: Turn['looked'], b: Turn['looked']): boolean {
  return sameVersion(a.canary, b.canary) && sameVersion(a.stable, b.stable);
}
