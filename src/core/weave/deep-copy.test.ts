import { expect, test } from 'vitest';
import { deepCopy } from './deep-copy.ts';

test('a copy has the same values and keys, in their order, and shares no object or list', () => {
  const shared = { exact: '/a' };
  const value = { b: [shared, null, [1]], a: shared, text: 'x', no: false };
  const copy = deepCopy(value);
  expect(copy).toStrictEqual(value);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  expect([copy === value, copy.b === value.b, copy.b[2] === value.b[2], copy.a === shared, copy.b[0] === copy.a]).toEqual(
    Array(5).fill(false),
  );
});
