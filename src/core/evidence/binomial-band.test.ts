import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binomialBand } from './binomial-band.ts';

/** P(X <= k) of a binomial, by logarithms of factorials: another way than the one that is tested. */
function distribution(count: number, share: number): readonly number[] {
  const logFactorial = [0];
  for (let k = 1; k <= count; k++) logFactorial.push((logFactorial[k - 1] ?? 0) + Math.log(k));
  let sum = 0;
  return logFactorial.map((log, k) => {
    const choose = (logFactorial[count] ?? 0) - log - (logFactorial[count - k] ?? 0);
    sum += Math.exp(choose + k * Math.log(share) + (count - k) * Math.log1p(-share));
    return sum;
  });
}

describe('the band of a binomial', () => {
  // Summed in exact fractions.
  test.each([
    [100, 0.1, [5, 16]],
    [50, 0.1, [1, 9]],
    [1000, 0.5, [469, 531]],
    [10, 0.5, [2, 8]],
    [1, 0.01, [0, 0]],
    [0, 0.5, [0, 0]],
    [7, 0, [0, 0]],
    [7, 1, [7, 7]],
  ])('of %i draws at %d is %j', (count, share, band) => {
    expect(binomialBand(count, share)).toEqual(band);
  });

  test('holds at least 95 %, and neither end could be drawn in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 4095 }), (count, cutoff) => {
        const [low, high] = binomialBand(count, cutoff / 4096);
        const upTo = distribution(count, cutoff / 4096);
        const below = (k: number): number => (k < 0 ? 0 : (upTo[k] ?? 1));
        expect(below(low - 1)).toBeLessThanOrEqual(0.025 + 1e-9);
        expect(below(low)).toBeGreaterThan(0.025 - 1e-9);
        expect(below(high)).toBeGreaterThan(0.975 - 1e-9);
        expect(below(high - 1)).toBeLessThanOrEqual(0.975 + 1e-9);
      }),
    );
  });

  test('is as the normal distribution says where there are many, and takes no time', () => {
    const [low, high] = binomialBand(1e9, 410 / 4096);
    const [mean, sd] = [1e9 * (410 / 4096), Math.sqrt(1e9 * (410 / 4096) * (3686 / 4096))];
    expect((low - mean) / sd).toBeCloseTo(-1.96, 2);
    expect((high - mean) / sd).toBeCloseTo(1.96, 2);
  });
});
