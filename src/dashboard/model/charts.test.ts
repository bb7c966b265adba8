import { describe, expect, test } from 'vitest';
import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { foldDiff } from './fold-diff.ts';
import { measuredLine } from './measured-line.ts';
import { bandPath, linePath, stairPath } from './paths.ts';
import { ratesOf } from './rates.ts';
import { linearScale, nearestPlace, roundUp, spreadLabels, timeTicks } from './scale.ts';
import { joinSamples } from './timeline.ts';

const x = linearScale([0, 100], [0, 1000]);
const y = linearScale([0, 100], [100, 0]);
const MINUTE = 60_000;

test('a scale leads the ends of its domain to those of its range; one of no width leads to the middle', () => {
  expect([x(0), x(25), x(100), y(0), y(100)]).toEqual([0, 250, 1000, 100, 0]);
  expect(linearScale([5, 5], [0, 10])(5)).toBe(5);
});

describe('ticks of time', () => {
  test('are round times of the reader’s day, no more than asked for', () => {
    const from = Date.UTC(2026, 10, 30, 12, 0, 40);
    expect(timeTicks([from, from + 2 * MINUTE], 4, 0).map(({ text }) => text)).toEqual(['12:01:00', '12:01:30', '12:02:00', '12:02:30']);
    // Half an hour ahead of a whole hour: India.
    const ahead = 5.5 * 60 * MINUTE;
    expect(timeTicks([from, from + 180 * MINUTE], 3, ahead).map(({ text }) => text)).toEqual(['18:00', '19:00', '20:00']);
  });

  test('are days where the domain is long', () => {
    const from = Date.UTC(2026, 10, 29, 13);
    expect(timeTicks([from, from + 3 * 24 * 60 * MINUTE], 4, 0).map(({ text }) => text)).toEqual(['30 Nov', '1 Dec', '2 Dec']);
  });
});

test('an axis ends with a round number', () => {
  expect([0, 0.3, 1, 3.2, 7, 42, 101].map(roundUp)).toEqual([1, 0.5, 1, 5, 10, 50, 200]);
});

test('labels keep their distance, their order, and stay on the picture', () => {
  expect(spreadLabels([50, 52, 10], 15, 100)).toEqual([50, 65, 10]);
  expect(spreadLabels([95, 99], 15, 100)).toEqual([85, 100]);
});

test('the nearest of several places, whatever their number', () => {
  const places = [0, 10, 11, 40];
  expect([-5, 0, 4, 6, 10.4, 10.6, 25, 26, 99].map((wanted) => nearestPlace(places, wanted))).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
  expect([nearestPlace([7], 100), nearestPlace([], 1), nearestPlace([3, 3], 3)]).toEqual([0, -1, 0]);
});

test('a staircase goes sideways, then up, and on to its end', () => {
  const stairs = [
    { at: 0, weight: 10 },
    { at: 50, weight: 25 },
  ];
  expect(stairPath(stairs, 100, x, y)).toBe('M0 90H500V75H1000');
  expect(stairPath([], 100, x, y)).toBe('');
});

test('a line breaks where nothing was measured, and where counts begin anew', () => {
  const values = [
    { at: 0, value: 10 },
    { at: 10, value: undefined },
    { at: 20, value: 12 },
    { at: 30, value: 13 },
    { at: 40, value: 30, isFirst: true },
  ];
  expect(linePath(values, x, y)).toBe('M0 90M200 88L300 87M400 70');
});

test('a band is closed, and has a part for each step', () => {
  const ranges = [
    { at: 0, range: [5, 15] as const },
    { at: 10, range: [8, 12] as const },
    { at: 20, range: [20, 30] as const, isFirst: true },
  ];
  // A single range has no area.
  expect(bandPath(ranges, x, y)).toBe('M0 85L100 88L100 92L0 95Z');
});

const sample = (at: number, weight: number, requests: number, errors = 0): TimelineSample => ({
  at: new Date(at).toISOString(),
  weight,
  requests: { stable: requests, canary: requests / 2 },
  errors: { stable: errors, canary: 0 },
});

test('rates are differences, and begin anew with each step', () => {
  const samples = [sample(0, 10, 0), sample(1000, 10, 10), sample(2000, 10, 30, 3), sample(3000, 25, 4), sample(5000, 25, 24)];
  expect(ratesOf(samples, 2000)).toEqual([
    { at: 2000, stable: { requests: 15, errors: 10 }, canary: { requests: 7.5, errors: 0 } },
    { at: 5000, stable: { requests: 10, errors: 0 }, canary: { requests: 5, errors: 0 } },
  ]);
  expect(ratesOf([sample(0, 10, 0), sample(2000, 10, 0)], 1000)).toMatchObject([{ stable: { requests: 0, errors: undefined } }]);
});

test('the measured line ends with what the release says by itself, while that is of the same step', () => {
  const samples = [{ ...sample(0, 10, 10), share: 33 }, sample(1000, 25, 0), { ...sample(2000, 25, 10), share: 20 }];
  const figures = { requests: { stable: 30, canary: 10 }, errors: { stable: 0, canary: 0 } };
  const exposure = { counts: 'requests', since: '', weight: 25, ...figures, real: figures, synthetic: figures } as const;
  expect(measuredLine(samples, exposure, 5000)).toEqual([
    { at: 0, value: 33, range: undefined, isFirst: false },
    { at: 1000, value: undefined, range: undefined, isFirst: true },
    { at: 2000, value: 20, range: undefined, isFirst: false },
    { at: 5000, value: 25, range: undefined, isFirst: false },
  ]);
  expect(measuredLine(samples, { ...exposure, weight: 50 }, 5000)).toHaveLength(3);
});

test('samples that are not newer are dropped: figures never jump back', () => {
  const loaded = [sample(0, 10, 0), sample(1000, 10, 10)];
  expect(joinSamples(loaded, [sample(500, 10, 3), sample(1000, 10, 10)])).toBe(loaded);
  expect(joinSamples(loaded, [sample(2000, 10, 20), sample(1500, 10, 15)])).toHaveLength(3);
});

test('what is far from any change is folded; a few lines are not', () => {
  const stay = (count: number) => Array.from({ length: count }, (_, index) => ({ sign: ' ' as const, text: `${index}` }));
  const lines = [...stay(9), { sign: '+' as const, text: 'new' }, ...stay(5)];
  expect(foldDiff(lines).map((part) => (part.kind === 'fold' ? part.count : -part.lines.length))).toEqual([6, -7, -2]);
});
