import type { StoredObject } from '../cluster/store.ts';

/** The time as releases see it, in milliseconds since the epoch. Within a process it never goes backwards. */
export interface Clock {
  now(): number;
}

/** Where a clock takes its time from: the wall, and a counter of milliseconds that only grows. */
export interface TimeSources {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

const SYSTEM: TimeSources = { wall: () => Date.now(), monotonic: () => performance.now() };

/**
 * The wall clock's time now, and from here on what has elapsed since: an operator or NTP who sets the wall clock neither shortens nor
 * lengthens a hold. `notBefore` is the latest time that the process before this one recorded: where the wall clock has gone back
 * since, time goes on from there.
 */
export function startClock(notBefore = 0, sources: TimeSources = SYSTEM): Clock {
  const origin = Math.max(sources.wall(), notBefore) - sources.monotonic();
  return { now: () => Math.floor(origin + sources.monotonic()) };
}

/**
 * The latest time of the past that the store's objects carry, in milliseconds since the epoch; 0 where there is none. What is still to
 * come (`holdUntil`) does not count.
 */
export function latestRecordedTime(objects: readonly StoredObject[]): number {
  const times = objects.map(({ createdAt, deletionRequestedAt, status }) => [
    createdAt,
    deletionRequestedAt,
    status?.startedAt,
    status?.stepStartedAt,
    status?.canaryLostSince,
    status?.stableLostSince,
    status?.lastRequest?.at,
    ...(status?.history ?? []).map((entry) => entry.endedAt),
    ...(status?.conditions ?? []).map((condition) => condition.lastTransitionTime),
  ]);
  // Not as arguments of one call: there may be more of them than a call takes.
  return times.flat().reduce((latest, time) => (time === undefined ? latest : Math.max(latest, Date.parse(time))), 0);
}
