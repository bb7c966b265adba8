import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { BUCKETS, OFFSETS, type Offset } from './bucket.ts';
import { parseOwnPattern } from './own-pattern.ts';
import { cookieBelow, cookieEqual, cookieValid, digitsBelow, requestIdBelow, requestIdValid } from './patterns.ts';
import { visitorIdFromCookies } from './visitor-id.ts';

const EARLIER = '3f2a9c1e-7b54-4d21-9e0a-';
/** 1 but for mutation testing (vitest.mutation.config.ts). */
const STRIDE = Number(process.env['PERCH_CUTOFF_STRIDE'] ?? 1);
const LONGEST_NAME = '__Host-perch14';

/** An id whose bucket at `offset` is `bucket`; its other digits are chosen to mislead: 0 where a low bucket would show. */
function idOf(bucket: number, offset: Offset, filler: '0' | 'f' = '0'): string {
  const digits = bucket.toString(16).padStart(3, '0');
  return EARLIER + filler.repeat(offset) + digits + filler.repeat(9 - offset);
}

function bucketsAround(cutoff: number): number[] {
  const near = [0, 1, cutoff - 17, cutoff - 16, cutoff - 1, cutoff, cutoff + 1, cutoff + 16, 0xffe, 0xfff];
  return near.filter((bucket) => bucket >= 0 && bucket < BUCKETS);
}

/** RE2's full match with the platform's engine: the whole value, and `.` excludes the line feed only. */
function platformRegex(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern.replaceAll('.*', '[^\\n]*')})$`);
}

describe('the patterns of 10 %', () => {
  it('are these, literally', () => {
    expect(cookieBelow('perch', 0x19a, 0)).toBe('(?:.*; ?)?perch=[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*(?:;.*)?');
    expect(cookieValid('perch')).toBe('(?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?');
    expect(requestIdBelow(0x19a, 0)).toBe('[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*');
    expect(requestIdValid()).toBe('[0-9a-f-]*-[0-9a-f]{12}');
  });

  it('skip the digits of other draws', () => {
    expect(requestIdBelow(0x19a, 6)).toBe('[0-9a-f-]*-[0-9a-f]{6}(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*');
  });

  it('need no rule at cutoff 0, and take any valid id at cutoff 4096', () => {
    expect(cookieBelow('perch', 0, 3)).toBeUndefined();
    expect(requestIdBelow(0, 3)).toBeUndefined();
    expect(cookieBelow('perch', BUCKETS, 3)).toBe(cookieValid('perch'));
    expect(requestIdBelow(BUCKETS, 3)).toBe(requestIdValid());
  });
});

describe('digitsBelow', () => {
  it('groups no more than it must', () => {
    expect([0x001, 0x010, 0x100, 0x200, 0xb00, 0xf00, 0x00a, 0x0a5, 0x123].map(digitsBelow)).toEqual([
      '000',
      '00',
      '0',
      '[0-1]',
      '[0-9a]',
      '[0-9a-e]',
      '00[0-9]',
      '0(?:[0-9]|a[0-4])',
      '0|1(?:[0-1]|2[0-2])',
    ]);
  });

  it('equals arithmetic for every cutoff and every bucket', () => {
    const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket.toString(16).padStart(3, '0'));
    let wrong = 0;
    for (let cutoff = 1; cutoff < BUCKETS; cutoff += STRIDE) {
      const regex = new RegExp(`^(?:${digitsBelow(cutoff)})[0-9a-f]*$`);
      buckets.forEach((digits, bucket) => {
        if (regex.test(digits) !== bucket < cutoff) wrong++;
      });
    }
    expect(wrong).toBe(0);
  });
});

describe('the whole patterns', () => {
  // Together with the test above this covers every cutoff, offset and bucket: the frame around the digits is the same for all.
  it('are one frame around the digits, for every cutoff and offset', () => {
    for (const offset of OFFSETS) {
      const skipped = offset === 0 ? '' : `[0-9a-f]{${offset}}`;
      for (let cutoff = 1; cutoff < BUCKETS; cutoff += STRIDE) {
        const digits = digitsBelow(cutoff);
        const core = /^[^(]*\|/.test(digits) ? `(?:${digits})` : digits;
        expect(requestIdBelow(cutoff, offset)).toBe(`[0-9a-f-]*-${skipped}${core}[0-9a-f]*`);
        expect(cookieBelow('perch', cutoff, offset)).toBe(`(?:.*; ?)?perch=${requestIdBelow(cutoff, offset)}(?:;.*)?`);
      }
    }
  });

  it('stay within 100 characters for the longest name, every cutoff and every offset', () => {
    let longest = 0;
    for (const offset of OFFSETS) {
      for (let cutoff = 1; cutoff <= BUCKETS; cutoff++) {
        longest = Math.max(longest, cookieBelow(LONGEST_NAME, cutoff, offset)?.length ?? 0);
      }
    }
    expect(longest).toBe(100);
    expect(cookieValid(LONGEST_NAME).length).toBeLessThanOrEqual(100);
  });

  const CUTOFFS = [1, 2, 15, 16, 17, 0x0a5, 0x0ff, 0x100, 0x101, 0x19a, 0x7ff, 0x800, 0xabc, 0xbcd, 0xf00, 0xfff];

  it.each(OFFSETS)(
    'equal arithmetic as RE2 at offset %i, around every boundary of sampled cutoffs, wherever the cookie stands',
    (offset) => {
      for (const cutoff of CUTOFFS) {
        const cookie = RE2JS.compile(cookieBelow('perch', cutoff, offset) ?? '');
        const requestId = RE2JS.compile(requestIdBelow(cutoff, offset) ?? '');
        for (const bucket of bucketsAround(cutoff)) {
          for (const id of [idOf(bucket, offset, '0'), idOf(bucket, offset, 'f')]) {
            const lines = [`perch=${id}`, `a=1; perch=${id}`, `a=1;perch=${id}; b=2`, `perch=${id};b=2`];
            expect([id, requestId.matches(id), ...lines.map((line) => cookie.matches(line))]).toEqual([
              id,
              ...Array(5).fill(bucket < cutoff),
            ]);
          }
        }
      }
    },
  );

  it.each([
    ['a name that ends alike', `xperch=${idOf(0, 0)}`],
    ['a name that begins alike', `perchx=${idOf(0, 0)}`],
    ['the name inside a value', `a=perch=${idOf(0, 0)}`],
    ['a space before the name, at the start', ` perch=${idOf(0, 0)}`],
    ['two spaces before the name', `a=1;  perch=${idOf(0, 0)}`],
    ['a tab before the name', `a=1;\tperch=${idOf(0, 0)}`],
    ['a comma before the name', `a=1, perch=${idOf(0, 0)}`],
    ['upper case', `perch=${idOf(0, 0).replace('3f', '3F')}`],
    ['a quoted value', `perch="${idOf(0, 0)}"`],
    ['a space after the value', `perch=${idOf(0, 0)} ; b=2`],
    ['text after the id', `perch=${idOf(0, 0)}x`],
    ['a line feed', `perch=${idOf(0, 0)}; b=\n`],
    ['no id', 'perch='],
  ])('never match %s', (_, line) => {
    for (const pattern of [cookieValid('perch'), cookieBelow('perch', 4095, 0) ?? '']) {
      expect(RE2JS.compile(pattern).matches(line)).toBe(false);
      expect(platformRegex(pattern).test(line)).toBe(false);
      expect(parseOwnPattern(pattern)?.(line)).toBe(false);
    }
    expect(visitorIdFromCookies([line], 'perch')).toBeUndefined();
  });

  it('do not stop at the first cookie of that name', () => {
    const line = `perch=broken; perch=${idOf(7, 0)}`;
    expect(RE2JS.compile(cookieBelow('perch', 8, 0) ?? '').matches(line)).toBe(true);
    expect(visitorIdFromCookies([line], 'perch')).toBe(idOf(7, 0));
  });
});

describe('cookieEqual', () => {
  const NAME = 'reviews-cookie';
  const VALUE = 'REVIRES-V2';
  const strict = RE2JS.compile(cookieEqual(NAME, VALUE));
  /** What the article matches on. */
  const loose = RE2JS.compile(`.*${NAME}.*${VALUE}.*`);

  it('stays within 100 characters for the longest name and value', () => {
    expect(cookieEqual('n'.repeat(32), 'v'.repeat(32))).toHaveLength(83);
  });

  // Cookie names and values as RFC 6265 section 4.1.1 has them, but for quotes; neither text stands in another cookie.
  const token = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,6}$/);
  const jars = fc.record({
    others: fc.dictionary(token, fc.stringMatching(/^[a-zA-Z0-9!#-+./:<-[\]-~]{0,8}$/), { maxKeys: 4 }),
    own: fc.constantFrom(undefined, VALUE, 'REVIRES-V1', ''),
    place: fc.nat({ max: 4 }),
  });

  it('decides what the article’s pattern decides, on all that browsers send while neither text stands in another cookie', () => {
    let held = 0;
    fc.assert(
      fc.property(jars, ({ others, own, place }) => {
        // One line of pairs, separated by a semicolon and a space (RFC 6265 section 5.4).
        const pairs = Object.entries(others).map(([name, value]) => `${name}=${value}`);
        const all = own === undefined ? pairs : pairs.toSpliced(place, 0, `${NAME}=${own}`);
        const line = all.join('; ');
        expect([line, strict.matches(line)]).toEqual([line, own === VALUE]);
        expect([line, loose.matches(line)]).toEqual([line, own === VALUE]);
        if (own === VALUE) held++;
      }),
      { seed: 23, numRuns: 1_000 },
    );
    expect(held).toBeGreaterThan(100);
  });

  it.each([
    ['a name that ends alike', `x${NAME}=${VALUE}`],
    ['a value that begins alike', `${NAME}=${VALUE}-beta`],
    ['a value that ends alike', `${NAME}=not-${VALUE}`],
    ['the value in another cookie', `${NAME}=REVIRES-V1; seen=${VALUE}`],
    ['both inside a value', `last=${NAME}:${VALUE}`],
    ['quotes', `${NAME}="${VALUE}"`],
  ])('is stricter than the article’s pattern: %s is no cookie that anybody was given', (_, line) => {
    expect([loose.matches(line), strict.matches(line)]).toEqual([true, false]);
  });
});
