import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededUuid } from '../../../test/harness/seeded-random.ts';
import { bucketOf, cutoffOf } from '../visitor/bucket.ts';
import { forecastVisitors } from './visitor-forecast.ts';

const MINUTE = 60_000;

describe('the forecast of visitors', () => {
  test('counts who is new in each step by cohort, and who moves', () => {
    const [first, second] = forecastVisitors(
      [
        { share: 0.1, holdMs: 10 * MINUTE },
        { share: 0.5, holdMs: 2 * MINUTE },
      ],
      10,
    );
    expect(first).toEqual({
      newVisitors: 100,
      canary: { expected: 10, low: 5, high: 16 },
      stable: { expected: 90, low: 84, high: 95 },
    });
    expect(second).toMatchObject({ newVisitors: 20, canary: { expected: 10 }, moving: { expected: 40 } });
    expect(first).not.toHaveProperty('moving');
  });

  test('a hold without a known length leaves open what depends on it, and nothing else', () => {
    const steps = [MINUTE, undefined, MINUTE].map((holdMs, index) => ({ share: [0.1, 0.5, 1][index] ?? 0, holdMs }));
    const [first, manual, last] = forecastVisitors(steps, 60);
    expect(first?.newVisitors).toBe(60);
    expect(manual).toEqual({ moving: expect.objectContaining({ expected: 24 }) });
    expect(last).toEqual({
      newVisitors: 60,
      canary: { expected: 60, low: 60, high: 60 },
      stable: { expected: 0, low: 0, high: 0 },
    });
  });

  test('cohorts add up, bands hold what is expected', () => {
    const step = fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), holdMs: fc.integer({ min: 0, max: 30 * MINUTE }) });
    fc.assert(
      fc.property(step, fc.integer({ min: 0, max: 1000 }), (one, perMinute) => {
        const [{ newVisitors = -1, canary, stable } = {}] = forecastVisitors([one], perMinute);
        expect((canary?.expected ?? 0) + (stable?.expected ?? 0)).toBeCloseTo(newVisitors);
        for (const { expected, low, high } of [canary, stable].filter((each) => each !== undefined)) {
          expect(low).toBeLessThanOrEqual(Math.ceil(expected));
          expect(high).toBeGreaterThanOrEqual(Math.floor(expected));
        }
      }),
    );
  });

  test('is what real buckets do: of 250 crowds with seeded ids, the band holds 91 to 100 of 100', () => {
    const uuid = seededUuid(7);
    const cutoff = cutoffOf(10);
    const [step] = forecastVisitors([{ share: cutoff / 4096, holdMs: MINUTE }], 200);
    const counts = Array.from(
      { length: 250 },
      () => Array.from({ length: 200 }, () => bucketOf(uuid(), 0) ?? 4096).filter((bucket) => bucket < cutoff).length,
    );
    const { expected = 0, low = 0, high = 0 } = step?.canary ?? {};
    // The mean of 250 crowds has a standard deviation of 0.27; the share within the band, at least 95 %, one of at most 1.4 %: 3 of each.
    expect(Math.abs(counts.reduce((sum, each) => sum + each, 0) / 250 - expected)).toBeLessThan(0.81);
    const within = counts.filter((each) => each >= low && each <= high).length / 250;
    expect(within).toBeGreaterThan(0.908);
  });
});
