/** A SipHash key: its 16 bytes as four little-endian 32-bit words. */
export type SipKey = readonly [number, number, number, number];

/** The key in 16 bytes. Throws on any other length: a short key is a bug of the caller. */
export function sipKey(bytes: Uint8Array): SipKey {
  if (bytes.length !== 16) throw new Error(`a SipHash key has 16 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)];
}

/**
 * SipHash-2-4 of a text's character codes (one byte each: for ASCII), Aumasson and Bernstein 2012: a keyed hash, so that nobody
 * who picks ids can make them collide, and stored hashes do not tell ids. Writes the 64 bits as [low, high] words into `out`:
 * JavaScript has no fast 64-bit integers, hence the pairs of words (a and ah are v0, b and bh v1, c and ch v2, d and dh v3).
 */
export function sipHash24([k0, k1, k2, k3]: SipKey, text: string, out: Uint32Array): void {
  let a = k0 ^ 0x70736575;
  let ah = k1 ^ 0x736f6d65;
  let b = k2 ^ 0x6e646f6d;
  let bh = k3 ^ 0x646f7261;
  let c = k0 ^ 0x6e657261;
  let ch = k1 ^ 0x6c796765;
  let d = k2 ^ 0x79746573;
  let dh = k3 ^ 0x74656462;
  const { length } = text;
  const words = (length >> 3) + 1;
  // The pass after the last word is the finalization: no word, and four rounds instead of two.
  for (let word = 0; word <= words; word += 1) {
    const isFinal = word === words;
    const at = word * 8;
    const low = isFinal ? 0 : wordAt(text, at);
    const high = isFinal ? 0 : wordAt(text, at + 4) | (word === words - 1 ? length << 24 : 0);
    if (isFinal) c ^= 0xff;
    d ^= low;
    dh ^= high;
    for (let round = isFinal ? 4 : 2; round > 0; round -= 1) {
      let sum: number;
      let swap: number;
      // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
      sum = (a + b) | 0;
      ah = (ah + bh + carry(a, b, sum)) | 0;
      a = sum;
      swap = ((b << 13) | (bh >>> 19)) ^ a;
      bh = ((bh << 13) | (b >>> 19)) ^ ah;
      b = swap;
      swap = a;
      a = ah;
      ah = swap;
      // v2 += v3; v3 = rotl(v3, 16) ^ v2
      sum = (c + d) | 0;
      ch = (ch + dh + carry(c, d, sum)) | 0;
      c = sum;
      swap = ((d << 16) | (dh >>> 16)) ^ c;
      dh = ((dh << 16) | (d >>> 16)) ^ ch;
      d = swap;
      // v0 += v3; v3 = rotl(v3, 21) ^ v0
      sum = (a + d) | 0;
      ah = (ah + dh + carry(a, d, sum)) | 0;
      a = sum;
      swap = ((d << 21) | (dh >>> 11)) ^ a;
      dh = ((dh << 21) | (d >>> 11)) ^ ah;
      d = swap;
      // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
      sum = (c + b) | 0;
      ch = (ch + bh + carry(c, b, sum)) | 0;
      c = sum;
      swap = ((b << 17) | (bh >>> 15)) ^ c;
      bh = ((bh << 17) | (b >>> 15)) ^ ch;
      b = swap;
      swap = c;
      c = ch;
      ch = swap;
    }
    a ^= low;
    ah ^= high;
  }
  out[0] = a ^ b ^ c ^ d;
  out[1] = ah ^ bh ^ ch ^ dh;
}

/** Four characters as a little-endian word; those past the end are 0. */
function wordAt(text: string, from: number): number {
  const { length } = text;
  if (from + 4 <= length) {
    const low = (text.charCodeAt(from) & 0xff) | ((text.charCodeAt(from + 1) & 0xff) << 8);
    return low | ((text.charCodeAt(from + 2) & 0xff) << 16) | ((text.charCodeAt(from + 3) & 0xff) << 24);
  }
  let word = 0;
  for (let at = from; at < length; at += 1) word |= (text.charCodeAt(at) & 0xff) << (8 * (at - from));
  return word;
}

/** What a sum of two 32-bit words carries over: the top bits' majority. Without a comparison: a hash's carries are as good as drawn, and a branch on them is mispredicted half of the time. */
function carry(term: number, other: number, sum: number): number {
  return ((term & other) | ((term | other) & ~sum)) >>> 31;
}
