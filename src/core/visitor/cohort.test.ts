import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { baggageKey, baggageMember, baggagePattern, type DrawFacts, drawOrigin, fnv1a32, offsetOf } from './cohort.ts';

const REVIEWS: DrawFacts = { namespace: 'default', name: 'reviews', revision: undefined, started: 0, cohort: 'auto' };

describe('fnv1a32', () => {
  // Test vectors of the authors: http://www.isthe.com/chongo/src/fnv/test_fnv.c
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('%j', (text, hash) => {
    expect(fnv1a32(text)).toBe(hash);
  });
});

describe('offsetOf', () => {
  it('is another draw for each of four consecutive releases, and the first again for the fifth', () => {
    const offsets = [0, 1, 2, 3, 4].map((started) => offsetOf({ ...REVIEWS, started }));
    expect(new Set(offsets.slice(0, 4)).size).toBe(4);
    expect(offsets[4]).toBe(offsets[0]);
  });

  it('goes on to the next three digits with each release, and from the last to the first', () => {
    const offsets = [0, 1, 2, 3, 4].map((started) => offsetOf({ ...REVIEWS, started }));
    expect(offsets.slice(1)).toEqual(offsets.slice(0, 4).map((offset) => (offset + 3) % 12));
  });

  it('goes by an integer revision, whatever was started: clusters agree', () => {
    expect(offsetOf({ ...REVIEWS, revision: 7, started: 0 })).toBe(offsetOf({ ...REVIEWS, revision: 7, started: 5 }));
    expect(offsetOf({ ...REVIEWS, revision: 7 })).not.toBe(offsetOf({ ...REVIEWS, revision: 8 }));
  });

  it('goes by the count where the revision is a text', () => {
    expect(offsetOf({ ...REVIEWS, revision: 'b', started: 2 })).toBe(offsetOf({ ...REVIEWS, started: 2 }));
  });

  it('goes by the count where the revision is no whole number: 1.5 is between two draws', () => {
    for (const started of [0, 1, 2, 3]) expect(offsetOf({ ...REVIEWS, revision: 1.5, started })).toBe(offsetOf({ ...REVIEWS, started }));
  });

  it('is 3 x cohort where that is set', () => {
    expect([0, 1, 2, 3].map((cohort) => offsetOf({ ...REVIEWS, revision: 9, started: 4, cohort }))).toEqual([0, 3, 6, 9]);
  });

  it('depends on the namespace too', () => {
    const offsets = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((namespace) => offsetOf({ ...REVIEWS, namespace }));
    expect(new Set(offsets).size).toBeGreaterThan(1);
  });

  it('spreads names over the draws', () => {
    const counts = new Map<number, number>();
    for (let index = 0; index < 4000; index++) {
      const offset = offsetOf({ ...REVIEWS, name: `service-${index}` });
      counts.set(offset, (counts.get(offset) ?? 0) + 1);
    }
    // 1,000 each with a standard deviation of 27: 5 of them.
    for (const offset of [0, 3, 6, 9]) expect(Math.abs((counts.get(offset) ?? 0) - 1000)).toBeLessThan(137);
  });

  it('stays one of the four for every revision', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string(), (revision, name) => {
        expect([0, 3, 6, 9]).toContain(offsetOf({ ...REVIEWS, name, revision }));
      }),
      { seed: 3 },
    );
  });
});

describe('drawOrigin', () => {
  it.each([
    ['cohort', { cohort: 0, revision: 7 }],
    ['revision', { cohort: 'auto', revision: 7 }],
    ['started', { cohort: 'auto', revision: 1.5 }],
    ['started', { cohort: 'auto', revision: 'seven' }],
    ['started', { cohort: 'auto', revision: undefined }],
  ] as const)('says that %s decides: %j', (origin, spec) => {
    expect(drawOrigin(spec)).toBe(origin);
  });
});

describe('baggageKey', () => {
  const nameArbitrary = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);

  it('is perch.NAME', () => {
    expect(baggageKey('default', 'reviews')).toBe('perch.reviews');
  });

  it('cuts a long name and tells such names apart by a hash of namespace and name', () => {
    const name = 'a-very-long-release-name-that-goes-on-and-on-for-ever';
    expect(baggageKey('default', name)).toMatch(/^perch\.a-very-long-release-name-that-g-[0-9a-f]{8}$/);
    expect(new Set([baggageKey('default', name), baggageKey('other', name), baggageKey('default', `${name}r`)]).size).toBe(3);
  });

  it('leaves a name of 40 characters of the regex alone, in which each dot counts twice', () => {
    expect(baggageKey('default', 'a'.repeat(40))).toBe(`perch.${'a'.repeat(40)}`);
    expect(baggageKey('default', `${'a'.repeat(38)}.`)).toBe(`perch.${'a'.repeat(38)}.`);
    expect(baggageKey('default', 'a'.repeat(41))).toMatch(/^perch\.a{31}-[0-9a-f]{8}$/);
  });

  it('cuts a name with dots by as much as the dots take', () => {
    // 31 characters of the regex: ten times `a\\.`, and one more.
    expect(baggageKey('default', 'a.'.repeat(30))).toMatch(/^perch\.(?:a\.){10}a-[0-9a-f]{8}$/);
  });

  it('writes eight digits of hash, also where the first are 0', () => {
    const keys = Array.from({ length: 100 }, (_, index) => baggageKey('default', `${'a'.repeat(50)}${index}`));
    for (const key of keys) expect(key).toMatch(/-[0-9a-f]{8}$/);
    expect(keys.some((key) => key.includes('-0'))).toBe(true);
  });

  it('keeps the pattern within 100 characters for every name that Kubernetes allows', () => {
    fc.assert(
      fc.property(nameArbitrary, (name) => {
        expect(baggagePattern(baggageKey('default', name), 'canary').length).toBeLessThanOrEqual(100);
      }),
      { seed: 5, numRuns: 1_000 },
    );
  });
});

describe('baggagePattern', () => {
  const canary = baggagePattern('perch.reviews', 'canary');

  it('is readable', () => {
    expect(canary).toBe('(?:.*, ?)?perch\\.reviews=canary(?:[ ;,].*)?');
    expect(baggageMember('perch.reviews', 'canary')).toBe('perch.reviews=canary');
  });

  it.each([
    'perch.reviews=canary',
    'tenant=a,perch.reviews=canary',
    'tenant=a, perch.reviews=canary, b=2',
    'perch.reviews=canary;ttl=1',
    'perch.reviews=canary ;ttl=1',
    'perch.reviews=stable,perch.reviews=canary',
  ])('finds the member in %s', (line) => {
    expect(RE2JS.compile(canary).matches(line)).toBe(true);
  });

  it.each([
    'perch.reviews=canaryx',
    'perch.reviews=stable',
    'perchxreviews=canary',
    'xperch.reviews=canary',
    'perch.reviews-v2=canary',
    'perch.reviewsx=canary',
    'a=perch.reviews=canary',
    'a=1;perch.reviews=canary',
    '',
  ])('does not find it in %j', (line) => {
    expect(RE2JS.compile(canary).matches(line)).toBe(false);
  });
});
