/** From and to, shares in [0, 1]. */
export type Interval = readonly [from: number, to: number];

/** Standard deviations of a two-sided chance of 5 %. */
const Z_95 = 1.959964;

/** The Wilson interval of a share, 95 % (Wilson 1927): which chances explain `hits` of `count` draws. All of [0, 1] where nothing was drawn. */
export function wilsonInterval(hits: number, count: number): Interval {
  if (count === 0) return [0, 1];
  const share = hits / count;
  const z2 = Z_95 ** 2;
  const centre = (share + z2 / (2 * count)) / (1 + z2 / count);
  const half = (Z_95 / (1 + z2 / count)) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count ** 2));
  return [Math.max(centre - half, 0), Math.min(centre + half, 1)];
}

/**
 * How far two shares are apart, in standard deviations under the hypothesis that both are draws with one chance (the pooled two-proportion
 * test). 0 where either has no draw, or all draws are alike.
 */
export function deviation(hitsA: number, countA: number, hitsB: number, countB: number): number {
  if (countA === 0 || countB === 0) return 0;
  const pooled = (hitsA + hitsB) / (countA + countB);
  const sd = Math.sqrt(pooled * (1 - pooled) * (1 / countA + 1 / countB));
  return sd === 0 ? 0 : (hitsA / countA - hitsB / countB) / sd;
}

/** The share that at least one of `draws` draws hits. */
export function hitWithin(chance: number, draws: number): number {
  return 1 - (1 - chance) ** draws;
}

/** The smallest chance that would have shown itself in `count` draws, with probability 95 %. */
export function smallestSeen(count: number): number {
  return count === 0 ? 1 : 1 - 0.05 ** (1 / count);
}
