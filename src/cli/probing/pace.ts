import { setTimeout as sleep } from 'node:timers/promises';

/** Lets requests go, so many a second; those that belong together at once. */
export interface Pace {
  /** Resolves when `count` requests may go out; rejects when the probe ends. */
  wait(count: number): Promise<void>;
}

/** A pace of so many requests a second, spread evenly: what was not used is not made up for. */
export function startPace(perSecond: number, signal: AbortSignal): Pace {
  const gap = 1000 / perSecond;
  let next = performance.now();
  return {
    wait: async (count) => {
      signal.throwIfAborted();
      const now = performance.now();
      const at = Math.max(next, now);
      next = at + gap * count;
      // Timers are no finer than a millisecond.
      if (at - now >= 1) await sleep(at - now, undefined, { signal });
    },
  };
}
