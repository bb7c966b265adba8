import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CanaryCookie, type CanaryCookieFacts, canaryCookieOf, cookieNameOf, hashed } from './canary-cookie.ts';
import type { CanaryReleaseSpec, Version } from './canary-release.ts';
import { specOf } from './release-world.cases.ts';

type Facts = Partial<Omit<CanaryCookieFacts, 'spec'>>;

function cookieOf(changes: Partial<CanaryReleaseSpec> = {}, facts: Facts = {}): CanaryCookie {
  const spec = specOf({ affinity: { mode: 'canaryOnly' }, ...changes });
  const cookie = canaryCookieOf({ namespace: 'default', name: 'reviews', started: 0, ...facts, spec });
  if (cookie === undefined) throw new Error('no cookie in canaryOnly');
  return cookie;
}

describe('canaryCookieOf', () => {
  it('gives no cookie where each visitor has an id', () => {
    expect(canaryCookieOf({ namespace: 'default', name: 'reviews', started: 0, spec: specOf() })).toBeUndefined();
  });

  it('takes what the spec says: here the article’s cookie', () => {
    const cookie = { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: '6h' };
    expect(cookieOf({ affinity: { mode: 'canaryOnly', cookie } })).toEqual({
      name: 'reviews-cookie',
      value: 'REVIRES-V2',
      maxAge: 21_600,
    });
  });

  it('names it for the release and its canary otherwise; it lasts as long as the article’s', () => {
    expect(cookieOf()).toEqual({ name: 'perch-reviews', value: expect.stringMatching(/^v2-[0-9a-f]{8}$/), maxAge: 21_600 });
    expect(cookieOf({ affinity: { mode: 'canaryOnly', cookie: { maxAge: '1h30m' } } }).maxAge).toBe(5_400);
  });

  it('is another one for every other canary, release, namespace and start, so that nobody is on a canary by an earlier draw', () => {
    const values = [
      cookieOf(),
      cookieOf({ canary: { subset: 'v3' } }),
      cookieOf({}, { name: 'ratings' }),
      cookieOf({}, { namespace: 'shop' }),
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((started) => cookieOf({}, { started })),
    ].map(({ value }) => value);
    expect(new Set(values).size).toBe(values.length);
  });

  it('is the same in two clusters where the revision is a number, however often each has started; a text does not count', () => {
    const atRevision = (revision: number | string, started: number) => cookieOf({ revision }, { started }).value;
    expect(atRevision(7, 0)).toBe(atRevision(7, 3));
    expect(atRevision(7, 0)).not.toBe(atRevision(8, 0));
    expect(atRevision('a', 0)).not.toBe(atRevision('a', 1));
  });

  const names = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/, { size: 'max' });
  const versions: fc.Arbitrary<Version> = fc.oneof(
    names.map((subset) => ({ subset })),
    fc.tuple(names, fc.constantFrom(undefined, 9080)).map(([host, port]) => ({ host: `${host}.shop`, ...(port && { port }) })),
  );

  it('always keeps to a cookie’s characters, and to 32 of them', () => {
    fc.assert(
      fc.property(names, versions, (name, canary) => {
        const cookie = cookieOf({ canary }, { name });
        expect(cookie.name).toMatch(/^[A-Za-z0-9_-]{1,32}$/);
        expect(cookie.value).toMatch(/^[A-Za-z0-9_-]{1,32}$/);
      }),
      { seed: 29 },
    );
  });

  it('cuts only what is longer than 32, and writes small hashes with all their digits', () => {
    expect(cookieNameOf('perch', { namespace: 'default', name: 'r'.repeat(26) })).toBe(`perch-${'r'.repeat(26)}`);
    expect(cookieNameOf('perch', { namespace: 'default', name: 'r'.repeat(27) })).toMatch(/^perch-r{17}-[0-9a-f]{8}$/);
    const small = Array.from({ length: 400 }, (_, count) => hashed('a.b', `${count}`));
    expect(small).toEqual(small.map(() => expect.stringMatching(/^a-b-[0-9a-f]{8}$/)));
    expect(small.some((each) => each.startsWith('a-b-0'))).toBe(true);
  });

  it('tells long names apart that begin alike', () => {
    const long = 'recommendations-of-the-day-for';
    const names = ['a', 'b'].map((end) => cookieOf({}, { name: `${long}-${end}` }).name);
    expect(names).toEqual(Array(2).fill(expect.stringMatching(/^perch-recommendations-o-[0-9a-f]{8}$/)));
    expect(new Set(names).size).toBe(2);
  });
});
