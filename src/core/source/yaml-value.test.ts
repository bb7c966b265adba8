import { expect, it } from 'vitest';
import { parseYamlValue } from './yaml-value.ts';

const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${[...'bcdefghij'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[index]}`).join(', ')}]`).join('\n')}`;

it.each([
  ['a: {b: [1, true]}', { a: { b: [1, true] } }],
  ['a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
  ['', null],
  ['{', undefined],
  ['a: 1\na: 2', undefined],
  [bomb, undefined],
  [`a: ${'x'.repeat(1 << 20)}`, undefined],
])('the value of a text, or none where it is not to be read: %#', (text, value) => {
  expect(parseYamlValue(text)).toEqual(value);
});
