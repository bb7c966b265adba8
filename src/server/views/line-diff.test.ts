import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineDiff } from './line-diff.ts';

test('shows every line of both, what goes before what comes', () => {
  expect(lineDiff(['a', 'b', 'c'], ['a', 'B', 'c', 'd'])).toEqual([
    { sign: ' ', text: 'a' },
    { sign: '-', text: 'b' },
    { sign: '+', text: 'B' },
    { sign: ' ', text: 'c' },
    { sign: '+', text: 'd' },
  ]);
  expect(lineDiff(['a'], ['a'])).toEqual([{ sign: ' ', text: 'a' }]);
});

test('both texts can be read off it', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 40 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = lineDiff(before, after);
      expect(diff.filter(({ sign }) => sign !== '+').map(({ text }) => text)).toEqual(before);
      expect(diff.filter(({ sign }) => sign !== '-').map(({ text }) => text)).toEqual(after);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('of large texts with little in common all goes and all comes, in no time', () => {
  const [before, after] = ['x', 'y'].map((letter) => Array.from({ length: 20_000 }, (_, index) => `${letter} ${index}`));
  const start = performance.now();
  expect(lineDiff(before ?? [], after ?? [])).toHaveLength(40_000);
  expect(performance.now() - start).toBeLessThan(20_000);
});
