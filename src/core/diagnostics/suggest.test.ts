import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

const FIELDS = ['service', 'canary', 'stable', 'revision', 'route', 'visitorId', 'affinity', 'cohort', 'cache', 'steps'];

describe('suggest', () => {
  test.each([
    ['stpes', 'steps', 'two neighbours swapped'],
    ['step', 'steps', 'a letter missing'],
    ['visitorid', 'visitorId', 'only the case differs'],
    ['visitor-id', 'visitorId', 'another spelling of the same words'],
    ['canery', 'canary', 'one letter wrong'],
    ['affinityy', 'affinity', 'a letter too many'],
  ])('%s means %s: %s', (word, meant) => {
    expect(suggest(word, FIELDS)).toBe(meant);
  });

  test.each(['zebra', 'x', 'analysis', ''])('%j is like none of them', (word) => {
    expect(suggest(word, FIELDS)).toBeUndefined();
  });

  test('of equally near candidates the first wins', () => {
    expect(suggest('v0', ['v1', 'v2'])).toBe('v1');
  });

  test('without candidates there is no suggestion', () => {
    expect(suggest('steps', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['ab', 'ba', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('%j to %j takes %i edits', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });

  test('is symmetric, zero only for equal words, and at most the longer length', () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
      { seed: 1 },
    );
  });
});
