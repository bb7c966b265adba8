import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pauseAfter } from './probed-endpoint.ts';

test('endpoints that come together spread over the whole interval, and later stay within a tenth of it', () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 100, max: 60_000 }), draw, (round, interval, drawn) => {
      expect(pauseAfter(0, interval, drawn)).toBe(interval * drawn);
      const pause = pauseAfter(round, interval, drawn);
      expect(pause).toBeGreaterThanOrEqual(interval * 0.9);
      expect(pause).toBeLessThanOrEqual(interval * 1.1);
    }),
    { seed: 8 },
  );
});
