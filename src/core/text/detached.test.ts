import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Exposure } from '../evidence/exposure.ts';
import { sipKey } from '../evidence/sip-hash.ts';
import { detached } from './detached.ts';

test('is the same text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void expect(detached(text)).toBe(text)));
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('ids are remembered without the header that they were cut out of', () => {
  const exposure = new Exposure(sipKey(new Uint8Array(16)));
  const header = (at: number): string => `${String(at).padStart(8, '0')}-0000-4000-8000-000000000000; ${'x'.repeat(50_000)}${at}`;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 2000; at++) {
    // Flat, as what was read from a socket is.
    const cookie = Buffer.from(header(at), 'latin1').toString('latin1');
    exposure.passed({ visitorId: cookie.slice(0, 36), requestId: cookie.slice(1, 36), cohort: 'stable', synthetic: false });
    exposure.answered({ visitorId: undefined, requestId: cookie.slice(1, 36), cohort: 'stable', synthetic: false, failed: false });
  }
  collect();
  // 100 MB of headers went by.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  expect(exposure.summary('', 10, 410).visitors.total).toBe(2000);
});
