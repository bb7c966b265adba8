import { expect, test } from 'vitest';
import { sipHash24, sipKey } from './sip-hash.ts';

const REFERENCE_KEY = sipKey(Uint8Array.from({ length: 16 }, (_, index) => index));

// vectors_sip64 of the reference implementation (github.com/veorq/SipHash, vectors.h): key 00..0f, message 00, 01, ... of that length.
const VECTORS = [
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [2, '5a4fa9d909806c0d'],
  [3, '2d7efbd796666785'],
  [4, 'b7877127e09427cf'],
  [5, '8da699cd64557618'],
  [6, 'cee3fe586e46c9cb'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [9, 'b0e4a90bdf82009e'],
  [10, 'f3b9dd94c5bb5d7a'],
  [11, 'a7ad6b22462fb3f4'],
  [12, 'fbe50e86bc8f1e75'],
  [13, '903d84c02756ea14'],
  [14, 'eef27a8e90ca23f7'],
  [15, 'e545be4961ca29a1'],
] as const;

function hex(text: string, key = REFERENCE_KEY): string {
  const out = new Uint32Array(2);
  sipHash24(key, text, out);
  return Array.from(new Uint8Array(out.buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

test.each(VECTORS)('the reference vector of length %i', (length, expected) => {
  expect(hex(String.fromCharCode(...Array.from({ length }, (_, index) => index)))).toBe(expected);
});

test('another key gives another hash', () => {
  const id = '3e4666bf-d5e5-4aa7-b8ce-cefe41c7568a';
  expect(hex(id, sipKey(new Uint8Array(16)))).not.toBe(hex(id));
});

test('a key of another length is refused', () => {
  expect(() => sipKey(new Uint8Array(8))).toThrow('16 bytes');
});
