import type { RequestEvent } from './request-event.ts';

/** A request as a gateway tells of it: a page of reviews v2, unless said otherwise. */
export function requestEvent(more: Partial<RequestEvent> = {}): RequestEvent {
  return {
    ...{
      at: 1_700_000_000_000,
      listener: 'mesh',
      method: 'GET',
      path: '/page?q=1',
      scheme: 'http',
      version: '1.1',
      authority: 'reviews:9080',
    },
    ...{ requestId: 'id', cookies: [], lines: () => [], userAgent: 'test', accept: undefined, fetchMode: undefined, fetchSite: undefined },
    ...{ rule: 'rule', trace: undefined, bytesReceived: 0, bytesSent: 100, status: 200, flag: '-', durationMs: 7 },
    destination: { host: 'reviews.default.svc.cluster.local', subset: 'v2', port: 9080 },
    endpoint: { address: '127.0.0.1', port: 1, workload: { labels: { app: 'reviews', version: 'v2' } } },
    ...more,
  };
}
