import { BUCKETS } from '../visitor/bucket.ts';
import type { ReleaseStatus } from './status.ts';
import { stepIndex, type Turn } from './turn.ts';

/** Which step a release is on, and of how many: `2 of 3`. Undefined where it is on none: before the first, and once it goes back. */
export function progressText(turn: Pick<Turn, 'release'>, status: Pick<ReleaseStatus, 'step' | 'weight'>): string | undefined {
  const index = stepIndex(turn, status);
  return index < 0 ? undefined : `${index + 1} of ${turn.release.spec.steps.length}`;
}

/**
 * The share of buckets that are on the canary, in percent, to two digits: that of the visitors, which is the weight rounded to a whole bucket (10.01). Undefined
 * where no bucket decides: with `canaryOnly` more and more visitors come to the canary at one weight, and nobody counts them.
 */
export function exposurePercent({ cutoff }: Pick<ReleaseStatus, 'cutoff'>): number | undefined {
  return cutoff === undefined ? undefined : Number(((cutoff / BUCKETS) * 100).toFixed(2));
}

/** The same for people: `10.01 %`. */
export function exposureText(status: Pick<ReleaseStatus, 'cutoff'>): string | undefined {
  const percent = exposurePercent(status);
  return percent === undefined ? undefined : `${percent} %`;
}
