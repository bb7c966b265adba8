import { isIdAt, LAST_GROUP } from './last-group.ts';

/** Hex digits that decide a draw start at one of these places of the id's last group; each is an independent draw. */
export type Offset = 0 | 3 | 6 | 9;

/** The four draws, in the order of `cohort` 0..3. */
export const OFFSETS: readonly Offset[] = [0, 3, 6, 9];

/** Number of buckets: three hex digits. */
export const BUCKETS = 4096;

/** Whether the text is a visitor id: lower-case hex digits and hyphens, ending in a hyphen and 12 hex digits, as a UUID does. */
export function isVisitorId(text: string): boolean {
  return isIdAt(text, 0, text.length);
}

/**
 * The bucket (0..4095) of a visitor in the draw at `offset`; undefined for anything that is not a visitor id.
 * Only the last group counts: earlier groups of a UUID carry version, variant, trace bits or a timestamp (docs/adr/0001).
 */
export function bucketOf(visitorId: string, offset: Offset): number | undefined {
  if (!isVisitorId(visitorId)) return undefined;
  const start = visitorId.length - LAST_GROUP + offset;
  return Number.parseInt(visitorId.slice(start, start + 3), 16);
}

/**
 * The cutoff (0..4096) of a weight in percent: round(weight x 4096 / 100). A visitor is on the canary exactly when
 * bucket < cutoff. Weights are multiples of 0.1; tenths are counted as integers, so 0.3 and 0.1 + 0.2 agree.
 */
export function cutoffOf(weightPercent: number): number {
  return cutoffOfTenths(Math.round(weightPercent * 10));
}

/** The smallest weight in percent, on the 0.1 % grid, that puts this bucket on the canary: "you move when the release reaches X %". */
export function weightReaching(bucket: number): number {
  // round(tenths x 4.096) > bucket exactly when tenths x 4.096 >= bucket + 0.5: a tie would need 1024 x tenths to be odd.
  return Math.ceil(((bucket + 0.5) * 1000) / BUCKETS) / 10;
}

function cutoffOfTenths(tenths: number): number {
  return Math.round((tenths * BUCKETS) / 1000);
}
