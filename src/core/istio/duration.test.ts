import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['3s', 3000],
  ['300ms', 300],
  ['1.5s', 1500],
  ['0.1s', 100],
  ['1h30m', 5_400_000],
  ['1m0.5s', 60_500],
  ['500us', 0.5],
  ['0s', 0],
  ['.5s', 500],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', '3', 's', '-1s', '1 s', '3S', '1s ', '1d', '1..5s', 'infinity'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
