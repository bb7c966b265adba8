import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineDiff } from './line-diff.ts';
import { turnsDuring } from './turns-during.cases.ts';

test('shows every line of both, what goes before what comes', async () => {
  expect(await lineDiff(['a', 'b', 'c'], ['a', 'B', 'c', 'd'])).toEqual([
    { sign: ' ', text: 'a' },
    { sign: '-', text: 'b' },
    { sign: '+', text: 'B' },
    { sign: ' ', text: 'c' },
    { sign: '+', text: 'd' },
  ]);
  expect(await lineDiff(['a'], ['a'])).toEqual([{ sign: ' ', text: 'a' }]);
});

test('both texts can be read off it', async () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(lines, lines, async (before, after) => {
      const diff = await lineDiff(before, after);
      expect(diff.filter(({ sign }) => sign !== '+').map(({ text }) => text)).toEqual(before);
      expect(diff.filter(({ sign }) => sign !== '-').map(({ text }) => text)).toEqual(after);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('many changes are found as few are', async () => {
  const before = Array.from({ length: 1000 }, (_, index) => `${index}`);
  const after = before.flatMap((line, index) => (index % 3 === 0 ? [`new ${index}`, line] : [line]));
  const diff = await lineDiff(before, after);
  expect(diff.filter(({ sign }) => sign === '-')).toEqual([]);
  expect(diff.map(({ text }) => text)).toEqual(after);
});

test('of large texts with little in common all goes and all comes, and the event loop has its turns meanwhile', async () => {
  const [before = [], after = []] = ['x', 'y'].map((letter) => Array.from({ length: 20_000 }, (_, index) => `${letter} ${index}`));
  const diff = lineDiff(before, after);
  expect(await turnsDuring(diff)).toBeGreaterThan(1000);
  expect(await diff).toHaveLength(40_000);
});
