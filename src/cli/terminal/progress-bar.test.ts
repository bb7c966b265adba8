import fc from 'fast-check';
import { expect, test } from 'vitest';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import { progressBar } from './progress-bar.ts';
import { plainStyle } from './style.ts';

const bar = (weights: readonly number[], step: number, fraction: number, width: number): string =>
  progressBar(weights, step, fraction, width, plainStyle);

test('each weight is followed by how much of its hold is over, in half columns', () => {
  expect(bar([10, 25, 50, 100], 1, 0.375, 40)).toBe('10 ━━━━━━ 25 ━━╸╌╌╌ 50 ╌╌╌╌╌╌ 100 ╌╌╌╌╌╌');
});

test('before the first step nothing is filled, after the last everything', () => {
  expect(bar([50, 100], -1, 0, 16)).toBe('50 ╌╌╌╌ 100 ╌╌╌╌');
  expect(bar([50, 100], 2, 0, 16)).toBe('50 ━━━━ 100 ━━━━');
});

test('many steps share one bar', () => {
  const weights = Array.from({ length: 40 }, (_, index) => (index + 1) * 2.5);
  expect(bar(weights, 20, 0, 31)).toBe('2.5 ━━━━━━━━━━━╸╌╌╌╌╌╌╌╌╌╌╌ 100');
});

test('never wider than asked for, from 20 columns on', () => {
  const weights = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(
      weights,
      fc.integer({ min: -1, max: 50 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 20, max: 200 }),
      (tenths, step, fraction, width) => {
        const steps = tenths.toSorted((a, b) => a - b).map((tenth) => tenth / 10);
        expect(widthOf(bar(steps, Math.min(step, steps.length), fraction, width))).toBeLessThanOrEqual(width);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});
