import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { FIELD, fieldName } from './header-names.ts';

it.each([
  ['X-Request-ID', 'x-request-id', FIELD.requestId],
  ['COOKIE', 'cookie', FIELD.cookie],
  ['X-Envoy-Anything', 'x-envoy-anything', FIELD.envoy],
  ['X-Mine', 'x-mine', FIELD.plain],
])('%s', (raw, lower, kind) => {
  expect(fieldName(raw)).toEqual({ lower, kind });
  expect(fieldName(raw)).toEqual({ lower, kind });
});

it('names that clients make up cost bounded memory, whatever they were cut out of', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 20_000; at++) {
    const head = Buffer.from(`X-Made-Up-By-A-Client-${at}: ${'x'.repeat(20_000)}`, 'latin1').toString('latin1');
    fieldName(head.slice(0, head.indexOf(':')));
  }
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  expect(fieldName('Cookie').kind).toBe(FIELD.cookie);
});
