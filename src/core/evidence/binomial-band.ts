/** Terms this much smaller than the largest add nothing to a sum of doubles. */
const NEGLIGIBLE = 1e-20;

/**
 * Where chance alone puts the number of successes among `count` independent draws of probability `share` in at least 95 of 100 cases: from the
 * first number that is reached with a probability over 2.5 % to the first that is exceeded with one of at most 2.5 %. Exact: the binomial's
 * terms, from its mode outwards by their ratios, p(k + 1) / p(k) = (n - k) / (k + 1) x share / (1 - share). `count` is a whole number, `share` 0 to 1.
 */
export function binomialBand(count: number, share: number): readonly [low: number, high: number] {
  if (share <= 0 || count === 0) return [0, 0];
  if (share >= 1) return [count, count];
  const odds = share / (1 - share);
  const mode = Math.min(count, Math.floor((count + 1) * share));
  const below: number[] = [];
  for (let k = mode, term = 1; k > 0 && term > NEGLIGIBLE; k--) {
    term *= k / ((count - k + 1) * odds);
    below.push(term);
  }
  const above: number[] = [];
  for (let k = mode, term = 1; k < count && term > NEGLIGIBLE; k++) {
    term *= ((count - k) * odds) / (k + 1);
    above.push(term);
  }
  const terms = [...below.reverse(), 1, ...above];
  const first = mode - below.length;
  const total = terms.reduce((sum, term) => sum + term, 0);
  const reaching = (tail: number): number => {
    let sum = 0;
    const index = terms.findIndex((term) => {
      sum += term;
      return sum > tail * total;
    });
    return first + Math.max(index, 0);
  };
  return [reaching(0.025), reaching(0.975)];
}
