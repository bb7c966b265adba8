import { expect, test } from 'vitest';
import { KINDS, readKind } from './kinds.ts';

test.each([
  ['vs', 'VirtualService'],
  ['VirtualServices', 'VirtualService'],
  ['release', 'CanaryRelease'],
  ['dr', 'DestinationRule'],
  ['gw', 'Gateway'],
])('%s means %s', (word, kind) => {
  expect(readKind(word)).toBe(kind);
});

test('every kind can be called by its own name', () => {
  for (const kind of KINDS) expect(readKind(kind)).toBe(kind);
});

test('a typing mistake gets a suggestion, and the kinds there are', () => {
  expect(() => readKind('virtualsevrice')).toThrow(/"virtualsevrice" is no kind of object: did you mean virtualservice\?.*gateway/);
  expect(() => readKind('zzzzzzzz')).toThrow(/"zzzzzzzz" is no kind of object \(kinds: canaryrelease/);
});
