import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from './durations.ts';

describe('parseDuration', () => {
  test.each([
    ['300ms', 300],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['400d', 34_560_000_000],
    ['0s', 0],
    ['0.4ms', 0],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '10', 'm', '-5m', '5 m', '10M', '1h 30m', '.5h', '1e3s', 'manual', '10m!'])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('a long text is read in linear time', () => {
    expect(parseDuration(`${'1'.repeat(100_000)}x`)).toBeUndefined();
    expect(parseDuration(`${'1m'.repeat(50_000)}x`)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [250, '250ms'],
    [5_400_000, '1h30m'],
    [34_560_000_000, '400d'],
    [61_001, '1m1s1ms'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what it writes, parseDuration reads', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000_000), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
      { seed: 2 },
    );
  });
});
