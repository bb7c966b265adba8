import { expect, test } from 'vitest';
import type { RequestEvent } from '../core/evidence/request-event.ts';
import { startRequestRateObserver } from './request-rate-observer.ts';

test('counts requests by service, whatever the subset, and none that the gateway answered itself', () => {
  let now = 5000;
  const observer = startRequestRateObserver(() => now);
  const to = (host: string, subset?: string): RequestEvent => ({ destination: { host, subset, port: 9080 } }) as RequestEvent;
  for (let each = 0; each < 10; each++) {
    observer.observe(to('reviews', 'v1'));
    observer.observe(to('reviews', 'v2'));
    observer.observe(to('ratings'));
    observer.observe({ destination: undefined } as RequestEvent);
  }
  expect(observer.perSecond('reviews', 9080)).toBe('measuring');
  now += 10_000;
  expect([observer.perSecond('reviews', 9080), observer.perSecond('ratings', 9080), observer.perSecond('reviews', 80)]).toEqual([2, 1, 0]);
});
