import { expect, test } from 'vitest';
import { Backoff, REFLECTOR_BACKOFF } from './backoff.ts';

test('waits double up to a limit, with up to as much again by chance, and begin anew after a calm', () => {
  let now = 0;
  let draw = 0;
  const backoff = new Backoff({ ...REFLECTOR_BACKOFF, random: () => draw, now: () => now });
  const waits = (count: number) => Array.from({ length: count }, () => backoff.afterFailure());
  expect(waits(7)).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
  draw = 0.5;
  expect(waits(1)).toEqual([45_000]);
  draw = 0;
  now += 120_000;
  expect(waits(1)).toEqual([30_000]);
  now += 120_001;
  expect(waits(1)).toEqual([800]);
});

test('a server that asks for more time gets it', () => {
  const backoff = new Backoff({ ...REFLECTOR_BACKOFF, random: () => 0, now: () => 0 });
  expect([backoff.afterFailure(5000), backoff.afterFailure(1000)]).toEqual([5000, 1600]);
});
