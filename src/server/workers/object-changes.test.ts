import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChanges, changesBetween } from './object-changes.ts';

const item = fc.constantFrom(...Array.from({ length: 6 }, (_, name) => ({ name })));
const list = fc.array(item, { maxLength: 12 });

test('what is applied gives the other list, with the very items that were there', () => {
  fc.assert(
    fc.property(list, list, (before, after) => {
      const result = applyChanges(before, changesBetween(before, after));
      expect(result).toHaveLength(after.length);
      for (const [place, each] of result.entries()) expect(each).toBe(after[place]);
    }),
  );
});

test('only what changed is sent: in its place, or a group that came or went', () => {
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'];
  expect(changesBetween([a, b, c], [a, d, c])).toEqual({ at: 0, remove: 0, insert: [], set: [[1, d]] });
  expect(changesBetween([a, b], [a, c, d, b])).toEqual({ at: 1, remove: 0, insert: [c, d], set: [] });
  expect(changesBetween([a, b, c, d], [a, d])).toEqual({ at: 1, remove: 2, insert: [], set: [] });
  expect(changesBetween([], [a, e])).toEqual({ at: 0, remove: 0, insert: [a, e], set: [] });
});
