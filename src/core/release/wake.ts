import { GRACE_MS } from './endpoints.ts';
import { isExposed } from './phase.ts';
import type { ReleaseStatus } from './status.ts';

/** When the next thing happens by itself, in ms since the epoch and after `now`; undefined when only the world can change anything. */
export function nextWake(status: ReleaseStatus, now: number): number | undefined {
  const times: number[] = [];
  if (status.phase === 'Progressing' && status.holdUntil !== undefined) times.push(Date.parse(status.holdUntil));
  if (isExposed(status.phase) && status.canaryLostSince !== undefined) times.push(Date.parse(status.canaryLostSince) + GRACE_MS);
  if (status.phase === 'Pending' && status.stableLostSince !== undefined) times.push(Date.parse(status.stableLostSince) + GRACE_MS);
  const coming = times.filter((time) => time > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}
