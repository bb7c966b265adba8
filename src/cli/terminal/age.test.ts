import { expect, test } from 'vitest';
import { ageText, countdown, spanText, timeText } from './age.ts';

test.each([
  [-5, '0s'],
  [999, '0s'],
  [12_000, '12s'],
  [60_000, '1m'],
  [245_000, '4m05s'],
  [3_600_000, '1h'],
  [12_000_000, '3h20m'],
  [187_200_000, '2d4h'],
  [172_800_000, '2d'],
])('%i ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

test.each([
  [0, '0:00'],
  [17_001, '0:18'],
  [725_000, '12:05'],
  [3_723_000, '1:02:03'],
])('%i ms to go show as %s', (ms, text) => {
  expect(countdown(ms)).toBe(text);
});

test('an age is the time since', () => {
  expect(ageText('2026-11-22T10:00:00.000Z', Date.parse('2026-11-22T10:04:05.900Z'))).toBe('4m05s');
});

test('a time without its fraction', () => {
  expect(timeText('2026-11-22T12:00:30.137Z')).toBe('2026-11-22T12:00:30Z');
  expect(timeText('2026-11-22T12:00:30Z')).toBe('2026-11-22T12:00:30Z');
});
