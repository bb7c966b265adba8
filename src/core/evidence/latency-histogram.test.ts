import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

function histogramOf(times: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const ms of times) histogram.add(ms);
  return histogram;
}

/** By nearest rank. */
function exact(times: readonly number[], share: number): number {
  return times.toSorted((left, right) => left - right)[Math.ceil(share * times.length) - 1] ?? Number.NaN;
}

test('quantiles are those of the times themselves, to within 3.2 % and a microsecond', () => {
  // From a microsecond to half an hour, evenly by their logarithm, and some that are the same.
  const time = fc.oneof(
    fc.double({ min: Math.log(0.001), max: Math.log(1_800_000), noNaN: true }).map(Math.exp),
    fc.constantFrom(0, 0.0004, 1, 1.024, 4, 250),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 300, size: 'max' }), (times) => {
      const quantiles = histogramOf(times).quantiles() ?? expect.fail('none');
      for (const [share, found] of [
        [0.5, quantiles.p50Ms],
        [0.95, quantiles.p95Ms],
        [0.99, quantiles.p99Ms],
      ] as const) {
        const wanted = exact(times, share);
        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(wanted / 32 + 0.001);
      }
    }),
    { seed: 9, numRuns: 500 },
  );
});

test('a single time, and none', () => {
  expect(histogramOf([]).quantiles()).toBeNull();
  expect(histogramOf([0]).quantiles()).toEqual({ p50Ms: 0, p95Ms: 0, p99Ms: 0 });
  expect(histogramOf([0.01]).quantiles()?.p99Ms).toBe(0.01);
  // Longer than 36 minutes, and what a clock that jumps back gives, stay within the ends.
  expect(histogramOf([1e12]).quantiles()?.p50Ms).toBeGreaterThan(2_000_000);
  expect(histogramOf([-5]).quantiles()?.p50Ms).toBe(0);
});

test('it forgets', () => {
  const histogram = histogramOf([5, 500]);
  histogram.clear();
  expect(histogram.quantiles()).toBeNull();
  histogram.add(1);
  expect(histogram.quantiles()?.p99Ms).toBeCloseTo(1, 1);
});
