import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestRates } from './request-rates.ts';

const SECOND = 1000;

test('a rate is the mean of the last whole minute, in slots of ten seconds', () => {
  const rates = new RequestRates(0);
  for (let at = 0; at < 60 * SECOND; at += 50) rates.count('reviews', at);
  expect(rates.perSecond('reviews', 60 * SECOND)).toBe(20);
  expect(rates.perSecond('reviews', 69 * SECOND)).toBe(20);
  // One slot of six is empty.
  expect(rates.perSecond('reviews', 70 * SECOND)).toBe(16.7);
  expect(rates.perSecond('reviews', 120 * SECOND)).toBe(0);
  expect(rates.perSecond('ratings', 60 * SECOND)).toBe(0);
});

test('is not known before the first slot is over, and then known of what there is', () => {
  const rates = new RequestRates(5 * SECOND);
  for (let at = 5; at < 15; at++) rates.count('reviews', at * SECOND);
  expect(rates.perSecond('reviews', 14.9 * SECOND)).toBeUndefined();
  expect(rates.perSecond('reviews', 15 * SECOND)).toBe(1);
});

test('is what counting them all comes to', () => {
  const requests = fc.array(fc.record({ service: fc.constantFrom('a', 'b'), after: fc.integer({ min: 0, max: 25_000 }) }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(requests, fc.integer({ min: 0, max: 90_000 }), (given, later) => {
      const rates = new RequestRates(0);
      const seen: { service: string; at: number }[] = [];
      let now = 0;
      for (const { service, after } of given) {
        now += after;
        rates.count(service, now);
        seen.push({ service, at: now });
      }
      now += later;
      const slot = Math.floor(now / 10_000);
      const whole = Math.min(slot, 6);
      for (const service of ['a', 'b']) {
        const inside = seen.filter((each) => each.service === service && each.at >= (slot - whole) * 10_000 && each.at < slot * 10_000);
        const expected = whole === 0 ? undefined : Number((inside.length / (whole * 10)).toPrecision(3));
        expect(rates.perSecond(service, now)).toBe(expected);
      }
    }),
    { seed: 9, numRuns: 500 },
  );
});
