import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, cutoffOf, isVisitorId, OFFSETS, weightReaching } from './bucket.ts';

const ID = '3f2a9c1e-7b54-4d21-9e0a-19ab3702f001';

describe('bucketOf', () => {
  it('reads three hex digits of the last group, at the offset of the draw', () => {
    expect(OFFSETS.map((offset) => bucketOf(ID, offset))).toEqual([0x19a, 0xb37, 0x02f, 0x001]);
  });

  it.each([
    ['upper case', ID.toUpperCase()],
    ['no hyphen', '19ab3702f001'],
    // Without a hyphen its last group is at -1, which is also 11 - 12.
    ['no hyphen and 11 digits', '19ab3702f00'],
    ['a last group of 11 digits', '3f2a9c1e-19ab3702f00'],
    ['a last group of 13 digits', '3f2a9c1e-19ab3702f0011'],
    ['anything else before the last group', 'x-19ab3702f001'],
    ['characters beyond ASCII', `é${ID}`],
    ['the first character beyond ASCII', `\u0080${ID}`],
    ['a line feed at the end', `${ID}\n`],
    ['nothing', ''],
  ])('refuses %s', (_, id) => {
    expect(bucketOf(id, 0)).toBeUndefined();
    expect(isVisitorId(id)).toBe(false);
  });

  it('needs no more than the hyphen before the last group', () => {
    expect(bucketOf('-19ab3702f001', 0)).toBe(0x19a);
  });
});

describe('cutoffOf', () => {
  it.each([
    [0, 0],
    [0.1, 4],
    [10, 0x19a],
    [33.3, 1364],
    [50, 2048],
    [99.9, 4092],
    [100, BUCKETS],
  ])('%f %% -> %i', (weight, cutoff) => {
    expect(cutoffOf(weight)).toBe(cutoff);
  });

  it('grows with each 0.1 %, and stays within half a bucket of the weight', () => {
    for (let tenths = 1; tenths <= 1000; tenths++) {
      expect(cutoffOf(tenths / 10)).toBeGreaterThan(cutoffOf((tenths - 1) / 10));
      expect(Math.abs(cutoffOf(tenths / 10) - (tenths * BUCKETS) / 1000)).toBeLessThan(0.5);
    }
  });

  it('does not care how a decimal was computed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 500 }), (a, b) => {
        expect(cutoffOf(a * 0.1 + b * 0.1)).toBe(cutoffOf((a + b) / 10));
      }),
      { seed: 1 },
    );
  });
});

describe('weightReaching', () => {
  it('is the smallest weight on the 0.1 % grid whose cutoff exceeds the bucket, for every bucket', () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const weight = weightReaching(bucket);
      expect(cutoffOf(weight)).toBeGreaterThan(bucket);
      expect(cutoffOf(weight - 0.1)).toBeLessThanOrEqual(bucket);
    }
  });

  it('ends at 100 % for the last bucket and never exceeds it', () => {
    expect([weightReaching(0), weightReaching(409), weightReaching(410), weightReaching(BUCKETS - 1)]).toEqual([0.1, 10, 10.1, 100]);
  });
});
