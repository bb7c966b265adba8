import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROGRESSING } from '../core/release/status.cases.ts';
import { latestRecordedTime, startClock } from './clock.ts';

const HOUR = 3_600_000;

function sources(wall: number, monotonic: number) {
  const time = { wall, monotonic };
  return { time, read: { wall: () => time.wall, monotonic: () => time.monotonic } };
}

test('starts at the wall clock and goes on by what elapsed, whatever the wall clock does then', () => {
  const { time, read } = sources(Date.UTC(2026, 0, 1), 5000);
  const clock = startClock(0, read);
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1));
  time.wall -= HOUR;
  time.monotonic += 1500;
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 1500);
  time.wall += 48 * HOUR;
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 1500);
});

test('after a restart the wall clock rules, but not backwards', () => {
  const recorded = Date.UTC(2026, 0, 1);
  expect(startClock(recorded, sources(recorded + HOUR, 7).read).now()).toBe(recorded + HOUR);
  expect(startClock(recorded, sources(recorded - HOUR, 7).read).now()).toBe(recorded);
});

test('never goes backwards, for any walk of both clocks', () => {
  const walk = fc.array(fc.record({ wall: fc.integer(), elapsed: fc.double({ min: 0, max: 1e6, noNaN: true }) }));
  fc.assert(
    fc.property(walk, (ticks) => {
      const { time, read } = sources(1_700_000_000_000, 12.25);
      const clock = startClock(0, read);
      let last = clock.now();
      for (const { wall, elapsed } of ticks) {
        time.wall += wall;
        time.monotonic += elapsed;
        const now = clock.now();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    }),
    { seed: 11 },
  );
});

test('the system clock tells whole milliseconds', () => {
  const now = startClock().now();
  expect(Number.isInteger(now)).toBe(true);
  expect(Math.abs(now - Date.now())).toBeLessThan(1000);
});

test('the latest recorded time is the latest of the past, whatever is planned', () => {
  const ref = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
  const base = { apiVersion: 'perch.dev/v1alpha1', kind: 'CanaryRelease', metadata: { name: 'reviews' } };
  const object = { ref, base, served: base, generation: 1, revision: 1, createdAt: '2026-01-01T00:00:00.000Z' };
  const status = { ...PROGRESSING, stepStartedAt: '2026-01-01T00:05:00.000Z', holdUntil: '2026-01-01T00:15:00.000Z' };
  expect(latestRecordedTime([])).toBe(0);
  expect(latestRecordedTime([object])).toBe(Date.UTC(2026, 0, 1));
  expect(latestRecordedTime([{ ...object, status }, object])).toBe(Date.UTC(2026, 0, 1, 0, 5));
});
