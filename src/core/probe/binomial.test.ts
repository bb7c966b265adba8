import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/harness/seeded-random.ts';
import { deviation, hitWithin, smallestSeen, wilsonInterval } from './binomial.ts';

test.each([
  // By hand: with z² = 3.8415, 0 of n gives z² / (n + z²) as its upper end.
  [0, 10, 0, 0.2775],
  [5, 10, 0.2366, 0.7634],
  [20, 200, 0.0657, 0.1494],
])('%d of %d', (hits, count, from, to) => {
  const [low, high] = wilsonInterval(hits, count);
  expect([low, high]).toEqual([expect.closeTo(from, 4), expect.closeTo(to, 4)]);
});

test('the interval covers the chance in 95 % of cases: 2,000 seeded cases at 10 %, within 3.5 sd', () => {
  const random = seededRandom(3);
  let covered = 0;
  for (let run = 0; run < 2_000; run++) {
    let hits = 0;
    for (let draw = 0; draw < 200; draw++) if (random() < 0.1) hits++;
    const [low, high] = wilsonInterval(hits, 200);
    if (low <= 0.1 && 0.1 <= high) covered++;
  }
  // Hits are whole numbers, so the coverage is 95 % nearly only; the sd of 2,000 cases is 0.0049.
  expect(covered / 2_000).toBeGreaterThan(0.95 - 0.017);
  expect(covered / 2_000).toBeLessThan(0.95 + 0.017);
});

test('two shares, draws in a row, and what would have shown itself', () => {
  expect(deviation(10, 100, 10, 100)).toBe(0);
  expect(deviation(20, 100, 10, 100)).toBeCloseTo(1.98, 2);
  expect(deviation(0, 0, 10, 100)).toBe(0);
  expect(hitWithin(0.1, 10)).toBeCloseTo(0.6513, 4);
  expect(smallestSeen(200)).toBeCloseTo(0.0149, 4);
});
