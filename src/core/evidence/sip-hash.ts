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
 * JavaScript has no fast 64-bit integers, hence the pairs of words.
 */
export function sipHash24(key: SipKey, text: string, out: Uint32Array): void {
  const [k0, k1, k2, k3] = key;
  const v = state;
  v[0] = k0 ^ 0x70736575;
  v[1] = k1 ^ 0x736f6d65;
  v[2] = k2 ^ 0x6e646f6d;
  v[3] = k3 ^ 0x646f7261;
  v[4] = k0 ^ 0x6e657261;
  v[5] = k1 ^ 0x6c796765;
  v[6] = k2 ^ 0x79746573;
  v[7] = k3 ^ 0x74656462;
  const { length } = text;
  const whole = length - (length % 8);
  for (let at = 0; at < whole; at += 8) absorb(v, wordAt(text, at, at + 4), wordAt(text, at + 4, at + 8));
  const tail = wordAt(text, Math.min(whole + 4, length), length);
  absorb(v, wordAt(text, whole, Math.min(whole + 4, length)), (tail | (length << 24)) >>> 0);
  v[4] = (v[4] ?? 0) ^ 0xff;
  rounds(v, 4);
  out[0] = (v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0);
  out[1] = (v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0);
}

/** v0..v3 as low and high words. One for all calls: nothing here is asynchronous. */
const state = new Uint32Array(8);

function wordAt(text: string, from: number, to: number): number {
  let word = 0;
  for (let at = from; at < to; at += 1) word |= (text.charCodeAt(at) & 0xff) << (8 * (at - from));
  return word >>> 0;
}

function absorb(v: Uint32Array, low: number, high: number): void {
  v[6] = (v[6] ?? 0) ^ low;
  v[7] = (v[7] ?? 0) ^ high;
  rounds(v, 2);
  v[0] = (v[0] ?? 0) ^ low;
  v[1] = (v[1] ?? 0) ^ high;
}

function rounds(v: Uint32Array, count: number): void {
  let a = v[0] ?? 0;
  let ah = v[1] ?? 0;
  let b = v[2] ?? 0;
  let bh = v[3] ?? 0;
  let c = v[4] ?? 0;
  let ch = v[5] ?? 0;
  let d = v[6] ?? 0;
  let dh = v[7] ?? 0;
  for (let round = 0; round < count; round += 1) {
    let sum: number;
    let swap: number;
    // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
    sum = (a >>> 0) + (b >>> 0);
    ah = (ah + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    a = sum | 0;
    swap = ((b << 13) | (bh >>> 19)) ^ a;
    bh = ((bh << 13) | (b >>> 19)) ^ ah;
    b = swap;
    swap = a;
    a = ah;
    ah = swap;
    // v2 += v3; v3 = rotl(v3, 16) ^ v2
    sum = (c >>> 0) + (d >>> 0);
    ch = (ch + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    c = sum | 0;
    swap = ((d << 16) | (dh >>> 16)) ^ c;
    dh = ((dh << 16) | (d >>> 16)) ^ ch;
    d = swap;
    // v0 += v3; v3 = rotl(v3, 21) ^ v0
    sum = (a >>> 0) + (d >>> 0);
    ah = (ah + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    a = sum | 0;
    swap = ((d << 21) | (dh >>> 11)) ^ a;
    dh = ((dh << 21) | (d >>> 11)) ^ ah;
    d = swap;
    // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
    sum = (c >>> 0) + (b >>> 0);
    ch = (ch + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    c = sum | 0;
    swap = ((b << 17) | (bh >>> 15)) ^ c;
    bh = ((bh << 17) | (b >>> 15)) ^ ch;
    b = swap;
    swap = c;
    c = ch;
    ch = swap;
  }
  v[0] = a;
  v[1] = ah;
  v[2] = b;
  v[3] = bh;
  v[4] = c;
  v[5] = ch;
  v[6] = d;
  v[7] = dh;
}
