import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, type Offset } from './bucket.ts';
import { cookieBelow } from './patterns.ts';
import { visitorCookie, visitorIdFromCookies } from './visitor-id.ts';

function idOf(bucket: number, offset: Offset): string {
  return `3f2a9c1e-7b54-4d21-9e0a-${'0'.repeat(offset)}${bucket.toString(16).padStart(3, '0')}${'0'.repeat(9 - offset)}`;
}

describe('visitorIdFromCookies', () => {
  it('takes the first valid id, over all lines', () => {
    expect(visitorIdFromCookies(['a=1', `b=2;perch=${idOf(9, 0)}`, `perch=${idOf(3, 0)}`], 'perch')).toBe(idOf(9, 0));
    expect(visitorIdFromCookies([], 'perch')).toBeUndefined();
  });

  it('with an offset takes the id that decides: the rule for the canary is tested first, and any id below the cutoff matches it', () => {
    const [low, high] = [idOf(3, 6), idOf(900, 6)];
    const line = `perch=${high}; perch=${low}`;
    const id = visitorIdFromCookies([line], 'perch', 6) ?? '';
    expect(id).toBe(low);
    expect(visitorIdFromCookies([`perch=${low}; perch=${high}`], 'perch', 6)).toBe(low);
    for (const cutoff of [3, 4, 900, 901]) {
      expect(RE2JS.compile(cookieBelow('perch', cutoff, 6) ?? '').matches(line)).toBe((bucketOf(id, 6) ?? BUCKETS) < cutoff);
    }
  });
});

describe('visitorCookie', () => {
  it('is read again and again, each time as if it were the first', () => {
    const [low, high] = [idOf(3, 6), idOf(900, 6)];
    const cookie = visitorCookie('perch', 6);
    const read = () => [cookie.idIn([`a=perch=1; perch=${high}`]), cookie.idIn([`perch=${high};perch=${low}`]), cookie.idIn(['perch=x'])];
    expect(read()).toEqual([high, low, undefined]);
    expect(read()).toEqual([high, low, undefined]);
  });
});
