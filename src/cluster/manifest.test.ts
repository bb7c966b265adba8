import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, sameJson } from './manifest.ts';

const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: true });
/** What a value may be taken for: itself with its keys turned round, with members that JSON leaves out, or something else. */
const variantOf = (json: unknown): fc.Arbitrary<unknown> => fc.oneof(fc.constant(turned(json)), value);

function turned(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(turned);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries([
    ...Object.entries(json)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)] as const),
    ['absent', undefined],
  ]);
}

test('two values are the same exactly where their canonical JSON is', () => {
  fc.assert(
    fc.property(
      value.chain((left) => fc.tuple(fc.constant(left), variantOf(left))),
      ([left, right]) => {
        expect(sameJson(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
        expect(sameJson(right, left)).toBe(sameJson(left, right));
      },
    ),
  );
});

test.each([
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: [] }, { a: {} }, false],
  [{ a: null }, {}, false],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, true],
])('%j and %j: %s', (left, right, same) => {
  expect(sameJson(left, right)).toBe(same);
});
