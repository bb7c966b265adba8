import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('at most so many at a time, in order, and a failure gives its slot back', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const works = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const ends = works.map(({ promise }, index) =>
    slots.use(async () => {
      begun.push(index);
      await promise;
    }),
  );
  expect(begun).toEqual([0, 1]);
  works[1]?.reject(new Error('broken'));
  await expect(ends[1]).rejects.toThrow('broken');
  expect(begun).toEqual([0, 1, 2]);
  for (const work of works) work.resolve();
  await Promise.allSettled(ends);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
