import { expect, test } from 'vitest';
import { DEFAULT_HEALTH_CHECK, healthCheckOf } from './health-check.ts';
import { readinessSpec } from './readiness-spec.ts';

test('a release that asks for no check in particular gets a TCP connection a second', () => {
  expect(healthCheckOf(readinessSpec.parse({}))).toBeUndefined();
  expect(DEFAULT_HEALTH_CHECK).toEqual({ path: undefined, intervalMs: 1000, timeoutMs: 1000, healthyThreshold: 2, unhealthyThreshold: 3 });
});

test.each([
  [{ path: '/healthz' }, { path: '/healthz', intervalMs: 1000, timeoutMs: 1000 }],
  [{ interval: '250ms' }, { intervalMs: 250, timeoutMs: 250 }],
  [{ interval: '10s' }, { intervalMs: 10_000, timeoutMs: 1000 }],
  [
    { interval: '10s', timeout: '3s', unhealthyThreshold: 1 },
    { intervalMs: 10_000, timeoutMs: 3000, unhealthyThreshold: 1 },
  ],
])('%j', (healthCheck, expected) => {
  expect(healthCheckOf(readinessSpec.parse({ healthCheck }))).toMatchObject(expected);
});
