import { afterEach, expect, test, vi } from 'vitest';
import { SparingTask } from './sparing-task.ts';

afterEach(() => vi.useRealTimers());

test('is done once for all that ask meanwhile, and for a small part of the time; stopped, no more', () => {
  vi.useFakeTimers();
  let done = 0;
  const task = new SparingTask(() => {
    done += 1;
    vi.advanceTimersByTime(100);
  });
  for (let index = 0; index < 1000; index++) task.ask();
  vi.advanceTimersByTime(49);
  expect(done).toBe(0);
  vi.advanceTimersByTime(1);
  expect(done).toBe(1);
  const began = performance.now();
  for (let index = 0; index < 1000; index++) task.ask();
  while (done === 1) vi.advanceTimersByTime(10);
  // It took 100 ms: 1,900 more belong to others.
  expect(performance.now() - began).toBeGreaterThanOrEqual(1900);
  task.ask();
  void task.stop();
  vi.advanceTimersByTime(10_000);
  expect(done).toBe(2);
});

test('what takes its time is done again for who asks meanwhile, never twice at a time', async () => {
  vi.useFakeTimers();
  let [running, most, done] = [0, 0, 0];
  const task = new SparingTask(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 100));
    running -= 1;
    done += 1;
  });
  for (let index = 0; index < 50; index++) {
    task.ask();
    await vi.advanceTimersByTimeAsync(20);
  }
  await vi.advanceTimersByTimeAsync(5000);
  expect([most, done]).toEqual([1, 2]);
  task.ask();
  await vi.advanceTimersByTimeAsync(60);
  const stopped = task.stop();
  await vi.advanceTimersByTimeAsync(100);
  await stopped;
  expect(done).toBe(3);
});
