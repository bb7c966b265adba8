import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asksForDocument } from '../../core/evidence/edge-tally.ts';
import type { RequestEvent } from '../../core/evidence/request-event.ts';
import { isSynthetic, SYNTHETIC_USER_AGENT } from '../../core/evidence/synthetic-visitor.ts';
import { visitorIdFromCookies, visitorIdFromHeader } from '../../core/visitor/visitor-id.ts';
import { type EventBatch, EventBatchWriter, eventsOf } from './event-batch.ts';

const ID = '6f1c2a34-9d1e-4b2a-8c3d-0123456789ab';
const OTHER_ID = '00000000-0000-4000-8000-fff000000000';
const NAMES = { cookies: ['perch', 'shop'], headers: ['x-tenant'] };

function event(more: Partial<RequestEvent> = {}): RequestEvent {
  return {
    at: 1_700_000_000_123,
    listener: 'ingress',
    method: 'GET',
    path: '/a?q=1',
    scheme: 'https',
    version: '2',
    authority: 'shop',
    endpoint: { address: '10.0.0.1', port: 1, workload: { labels: { version: 'v2' } } },
    trace: undefined,
    bytesReceived: 1,
    bytesSent: 2,
    requestId: OTHER_ID,
    cookies: [],
    lines: () => [],
    userAgent: 'Mozilla/5.0',
    accept: 'text/html,*/*',
    fetchMode: 'navigate',
    fetchSite: 'none',
    rule: 'perch:default/web:known:canary:v1:all',
    destination: { host: 'web.default.svc.cluster.local', subset: 'v2', port: 9080 },
    status: 200,
    flag: '-',
    durationMs: 1.5,
    ...more,
  };
}

/** As it is after the way between two processes. */
function told(events: readonly RequestEvent[]): readonly RequestEvent[] {
  const writer = new EventBatchWriter();
  for (const each of events) writer.addEvent(each, NAMES);
  return eventsOf(JSON.parse(JSON.stringify(writer.take(0))) as EventBatch);
}

test('what observers ask for arrives as it was', () => {
  const fields = [
    'at',
    'listener',
    'method',
    'requestId',
    'userAgent',
    'fetchMode',
    'fetchSite',
    'rule',
    'destination',
    'endpoint',
    'bytesReceived',
    'bytesSent',
    'trace',
    'status',
    'flag',
    'durationMs',
  ] as const;
  const sent = [
    event(),
    event({
      rule: undefined,
      destination: undefined,
      status: 0,
      flag: 'DC',
      userAgent: undefined,
      fetchMode: undefined,
      fetchSite: undefined,
    }),
    event({ listener: 'mesh', destination: { host: 'other', subset: undefined, port: 1 } }),
  ];
  const got = told(sent);
  for (const [place, each] of sent.entries()) {
    for (const field of fields) expect(got[place]?.[field], field).toEqual(each[field]);
    expect(got[place] && asksForDocument(got[place])).toBe(asksForDocument(each));
  }
});

const part = fc.oneof(
  fc.constantFrom(
    `perch=${ID}`,
    ` perch=${OTHER_ID}`,
    `shop=${ID}`,
    'perch=',
    'perch=x',
    `xperch=${ID}`,
    `  perch=${ID}`,
    '\n',
    'a=b',
    `shop=${OTHER_ID}`,
  ),
  fc.string({ maxLength: 8 }),
);
const line = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(';'));

test('of a request that is sampled, and of no other, arrives what a span says, without the query', () => {
  const trace = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentId: '3'.repeat(16), sampled: true };
  const [sampled, other] = told([event({ trace }), event({ trace: { ...trace, sampled: false } })]);
  expect(sampled).toMatchObject({ path: '/a', scheme: 'https', version: '2', authority: 'shop', trace: { ...trace } });
  expect(other).toMatchObject({ path: '', trace: undefined });
});

test('the visitor ids that observers find are those that they would have found', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (cookies) => {
      const [got] = told([event({ cookies })]);
      for (const name of [...NAMES.cookies]) {
        for (const offset of [undefined, 0, 3] as const) {
          expect(visitorIdFromCookies(got?.cookies ?? [], name, offset)).toBe(visitorIdFromCookies(cookies, name, offset));
        }
      }
    }),
  );
});

test('a header that says whose a request is arrives where it is one, and no other does', () => {
  const lines = (name: string) => ({ 'x-tenant': ['no', ID], authorization: ['secret'] })[name] ?? [];
  const [got] = told([event({ lines })]);
  expect(visitorIdFromHeader(got?.lines('x-tenant') ?? [])).toBe(ID);
  expect(got?.lines('authorization')).toEqual([]);
  expect(got?.lines('perch')).toEqual([]);
});

test('no more than a little is sent of what clients may write at length, and nothing of their cookies but ids', () => {
  const long = 'x'.repeat(60_000);
  const writer = new EventBatchWriter();
  const userAgent = `${SYNTHETIC_USER_AGENT}${long}`;
  writer.addEvent(
    event({ userAgent, accept: long, fetchMode: long, fetchSite: long, method: long, requestId: long, cookies: [`session=${long}`] }),
    NAMES,
  );
  const batch = writer.take(0);
  expect(JSON.stringify(batch).length).toBeLessThan(1000);
  expect(JSON.stringify(batch)).not.toContain('session');
  expect(isSynthetic(eventsOf(batch)[0]?.userAgent)).toBe(true);
});
