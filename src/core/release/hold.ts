import type { ReleaseStatus } from './status.ts';
import type { Turn } from './turn.ts';

/** A time of the status: ISO 8601 in UTC with milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** When a hold of so many ms ends. Whole ms, rounded up: a hold is never shortened. */
export function holdEnd(now: number, ms: number): string {
  return isoTime(Math.ceil(now + ms));
}

/** What is left of the current hold, in ms; undefined while none has begun. */
export function holdLeft(turn: Turn, { holdUntil, holdRemainingMs }: ReleaseStatus): number | undefined {
  return holdUntil === undefined ? holdRemainingMs : Math.max(0, Date.parse(holdUntil) - turn.now);
}
