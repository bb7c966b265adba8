import { expect, test } from 'vitest';
import { coalesced } from './coalesced.ts';

test('calls during a run come to one more run, and runs never overlap', async () => {
  let running = 0;
  let runs = 0;
  const trigger = coalesced(
    async () => {
      running++;
      runs++;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    },
    (error) => {
      throw error;
    },
  );
  trigger();
  for (let call = 0; call < 10; call++) trigger();
  await expect.poll(() => running).toBe(0);
  expect(runs).toBe(2);
  trigger();
  await expect.poll(() => runs).toBe(3);
});

test('a failure is told and does not end it', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const trigger = coalesced(
    async () => {
      if (++runs === 1) throw new Error('first');
    },
    (error) => errors.push(error),
  );
  trigger();
  await expect.poll(() => errors.length).toBe(1);
  trigger();
  await expect.poll(() => runs).toBe(2);
});
