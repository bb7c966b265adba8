import { expect, test } from 'vitest';
import { Remembered } from './remembered.ts';

test('an answer is asked for once, until it is too old', async () => {
  let now = 0;
  let asked = 0;
  const remembered = new Remembered<number>(1000, 10, () => now);
  const ask = async (): Promise<number> => ++asked;
  expect(await Promise.all([remembered.get('who', ask), remembered.get('who', ask)])).toEqual([1, 1]);
  now = 999;
  expect(await remembered.get('who', ask)).toBe(1);
  now = 1000;
  expect(await remembered.get('who', ask)).toBe(2);
  expect(await remembered.get('else', ask)).toBe(3);
});

test('a failure is not an answer', async () => {
  const remembered = new Remembered<number>(1000, 10, () => 0);
  await expect(remembered.get('who', () => Promise.reject(new Error('nobody there')))).rejects.toThrow('nobody there');
  expect(await remembered.get('who', async () => 7)).toBe(7);
});

test('the oldest answers make room', async () => {
  let asked = 0;
  const remembered = new Remembered<number>(1000, 2, () => 0);
  for (const key of ['a', 'b', 'c']) await remembered.get(key, async () => ++asked);
  expect(await remembered.get('c', async () => ++asked)).toBe(3);
  expect(await remembered.get('a', async () => ++asked)).toBe(4);
});
