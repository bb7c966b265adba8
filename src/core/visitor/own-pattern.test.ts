import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { BUCKETS, OFFSETS, type Offset } from './bucket.ts';
import { baggagePattern } from './cohort.ts';
import { parseOwnPattern } from './own-pattern.ts';
import { cookieBelow, cookieEqual, cookieValid, requestIdBelow, requestIdValid } from './patterns.ts';

/** 1 but for mutation testing (vitest.mutation.config.ts). */
const STRIDE = Number(process.env['PERCH_CUTOFF_STRIDE'] ?? 1);

function matcherOf(pattern: string | undefined): (value: string) => boolean {
  const matcher = parseOwnPattern(pattern ?? '');
  if (matcher === undefined) throw new Error(`not recognised: ${pattern}`);
  return matcher;
}

describe('parseOwnPattern', () => {
  it('equals arithmetic for every cutoff, offset and bucket', () => {
    const ids = OFFSETS.map((offset) =>
      Array.from(
        { length: BUCKETS },
        (_, bucket) => `3f2a-${'0'.repeat(offset)}${bucket.toString(16).padStart(3, '0')}${'f'.repeat(9 - offset)}`,
      ),
    );
    let wrong = 0;
    OFFSETS.forEach((offset, draw) => {
      for (let cutoff = 1; cutoff <= BUCKETS; cutoff += STRIDE) {
        const matches = matcherOf(requestIdBelow(cutoff, offset));
        ids[draw]?.forEach((id, bucket) => {
          if (matches(id) !== bucket < cutoff) wrong++;
        });
      }
    });
    expect(wrong).toBe(0);
  });

  it('recognises the cookie pattern of every cutoff and offset', () => {
    for (const offset of OFFSETS) {
      for (let cutoff = 1; cutoff <= BUCKETS; cutoff += STRIDE)
        expect(parseOwnPattern(cookieBelow('__Host-p', cutoff, offset) ?? '')).toBeDefined();
    }
  });

  it.each([
    '.*text/html.*',
    '(?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{11}(?:;.*)?',
    '(?:.*; ?)?perch=[0-9a-f-]*-(?:0|1)[0-9a-f]*(?:;.*)?',
    '(?:.*; ?)?per.h=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?',
    '(?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}',
    '(?:.*; ?)?perch=v2',
    '(?:.*; ?)?perch=v.(?:;.*)?',
    '[0-9a-f-]*-[0-9a-f]{3}[0-9a-f]*',
    '[0-9a-f-]*-[0-9a-f]{5}0[0-9a-f]*',
    // Without its group the alternation is about the whole regex.
    '[0-9a-f-]*-0|1(?:[0-8]|9[0-9])[0-9a-f]*',
    '(?:.*, ?)?perch.reviews=canary(?:[ ;,].*)?',
    '(?:.*, ?)?perch\\.reviews=other(?:[ ;,].*)?',
    // More before or behind is another regex.
    'x(?:.*; ?)?web=v2(?:;.*)?',
    '(?:.*; ?)?web=v2(?:;.*)?x',
    '.*(a|b)*$',
    '',
  ])('leaves every other regex alone: %s', (regex) => {
    expect(parseOwnPattern(regex)).toBeUndefined();
  });

  const patterns: fc.Arbitrary<string> = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: BUCKETS }), fc.constantFrom<Offset[]>(...OFFSETS), fc.boolean())
      .map(([cutoff, offset, cookie]) => (cookie ? cookieBelow('perch', cutoff, offset) : requestIdBelow(cutoff, offset)) ?? ''),
    fc.constantFrom(
      cookieValid('perch'),
      cookieEqual('perch', '19a'),
      cookieEqual('perch', '-'),
      requestIdValid(),
      baggagePattern('perch.a-b.c', 'canary'),
      baggagePattern('perch.a-b.c', 'stable'),
    ),
  );
  /** Values made of the very pieces that the patterns are about, so that near misses are common. */
  const pieces = fc.constantFrom(
    ...[
      'perch=',
      'xperch=',
      'perch.a-b.c=canary',
      'perch.a-b.c=stable',
      'perch.a-bxc=canary',
      ';',
      '; ',
      ',',
      ', ',
      ' ',
      '=',
      '-',
      '\n',
      '\r',
    ],
    ...['0', '1', '19a', '7ff', 'fff', '000000000000', '19ab3702f001', '3f2a9c1e-7b54-', 'A', 'x', '\u2028', 'é', '\t', '"'],
  );
  const values = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
  const ids = fc
    .tuple(
      fc.stringMatching(/^[0-9a-f]{0,13}$/),
      fc.constantFrom('', 'perch=', ' perch=', 'a=1; perch=', 'a=1;perch='),
      fc.constantFrom('', ';', '; b', ' '),
    )
    .map(([digits, before, after]) => `${before}3f-${digits}${after}`);

  it('equals RE2 on adversarial values', () => {
    fc.assert(
      fc.property(patterns, fc.oneof(values, ids), (pattern, value) => {
        expect(matcherOf(pattern)(value)).toBe(RE2JS.compile(pattern).matches(value));
      }),
      { seed: 7, numRuns: 20_000 },
    );
  });

  it.each([
    [cookieEqual('web', 'v2'), ['web=v2', 'a=1; web=v2;b=2', 'web=v1; web=v2'], ['web=v2x', 'web=v', 'xweb=v2', 'a=1, web=v2', 'web=v2 ']],
    [
      baggagePattern('perch.web', 'canary'),
      ['perch.web=canary', 'a=1,perch.web=canary ;ttl=1', 'a=1, perch.web=canary;ttl=1', 'perch.web=canary,b=2'],
      ['perch.web=canaryx', 'perch.web=stable', 'a=1;perch.web=canary', 'perchxweb=canary', 'perch.web=canary\n'],
    ],
    [
      cookieValid('perch'),
      ['perch=-19ab3702f001', 'a=1; perch=3f2a-19ab3702f001; b=2'],
      ['perch=19ab3702f00', 'perch=-19ab3702f00', 'perch=-19ab3702f0011', 'perch=', 'perch="-19ab3702f001"'],
    ],
    [requestIdValid(), ['-19ab3702f001', '3f2a-19ab3702f001'], ['19ab3702f00', '19ab3702f001', '-19ab3702f00', 'x-19ab3702f001', '']],
  ])('decides as RE2 does: %s', (pattern, yes, no) => {
    const re2 = RE2JS.compile(pattern);
    for (const value of [...yes, ...no]) {
      expect([value, re2.matches(value), matcherOf(pattern)(value)]).toEqual([value, yes.includes(value), yes.includes(value)]);
    }
  });

  it('equals RE2 on ids cut short at every length', () => {
    for (const offset of OFFSETS) {
      for (const cutoff of [0x010, 0x0a5, 0x100, 0x19a, 0xfff]) {
        const pattern = requestIdBelow(cutoff, offset) ?? '';
        const re2 = RE2JS.compile(pattern);
        for (let length = 0; length <= 13; length++) {
          for (const digits of ['0000000000000', '19a19a19a19a1', '0a40a40a40a40']) {
            const id = `a-${digits.slice(0, length)}`;
            expect([pattern, id, matcherOf(pattern)(id)]).toEqual([pattern, id, re2.matches(id)]);
          }
        }
      }
    }
  });

  it('is linear: a cookie line of a megabyte, full of beginnings, is decided in one pass', () => {
    const matches = matcherOf(cookieBelow('perch', 0x19a, 0));
    const long = `${'perch=0-; '.repeat(100_000)}`;
    // Quadratic it would be 10^11 characters: not decided within any test's time.
    expect(matches(`${long}perch=3f2a-000000000000`)).toBe(true);
    expect(matches(`${long}perch=3f2a-ffffffffffff`)).toBe(false);
  });
});
