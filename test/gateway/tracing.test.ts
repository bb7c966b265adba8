import { describe, expect, test } from 'vitest';
import { readTraceParent } from '../../src/core/tracing/trace-parent.ts';
import { type Origin, startScriptedOrigin } from './origins.ts';
import { exchange } from './raw-client.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own } = testScope();

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SAMPLED = `traceparent: 00-${TRACE}-${SPAN}-01\r\ntracestate: a=1,b=2\r\nbaggage: x=1\r\n`;
const B3 = 'b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\nX-B3-TraceId: 80f198ee56343ba8\r\n';

/** Heads as the upstream saw them. */
async function seenHeads(): Promise<{ readonly heads: string[]; readonly origin: Origin }> {
  const heads: string[] = [];
  const origin = await own(
    startScriptedOrigin((head) => {
      heads.push(head);
      return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    }),
  );
  return { heads, origin };
}

const get = (lines: string) => `GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n${lines}\r\n`;

function header(head: string | undefined, name: string): string | undefined {
  return head?.match(new RegExp(`^${name}: (.*)\\r$`, 'im'))?.[1];
}

test('without tracing, trace headers pass as they are, also those that are not valid', async () => {
  const { heads, origin } = await seenHeads();
  const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
  await exchange(ingress, get(SAMPLED + B3));
  await exchange(ingress, get('traceparent: nonsense\r\n'));
  expect(heads[0]).toContain(SAMPLED);
  expect(heads[0]?.toLowerCase()).toContain(B3.toLowerCase());
  expect(header(heads[1], 'traceparent')).toBe('nonsense');
  expect((await told(2)).map(({ trace }) => trace)).toEqual([undefined, undefined]);
});

describe('with tracing', () => {
  test('a sampled trace goes on below the gateway’s span, with its state; request ids are drawn as ever', async () => {
    const { heads, origin } = await seenHeads();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { traceShare: 0 });
    await exchange(ingress, get(`${SAMPLED}${B3}X-Request-Id: mine\r\n`));
    const [event] = await told(1);
    expect(event?.trace).toMatchObject({ traceId: TRACE, parentId: SPAN, sampled: true });
    expect(header(heads[0], 'traceparent')).toBe(`00-${TRACE}-${event?.trace?.spanId}-01`);
    expect(event?.trace?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(event?.trace?.spanId).not.toBe(SPAN);
    expect(heads[0]?.match(/^traceparent:/gim)).toHaveLength(1);
    expect(header(heads[0], 'tracestate')).toBe('a=1,b=2');
    expect(heads[0]?.toLowerCase()).toContain(B3.toLowerCase());
    expect(header(heads[0], 'x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(header(heads[0], 'x-request-id')).not.toContain(TRACE.slice(0, 8));
  });

  test('one that is not sampled passes as it is', async () => {
    const { heads, origin } = await seenHeads();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { traceShare: 1 });
    await exchange(ingress, get(SAMPLED.replace('-01', '-00')));
    expect(heads[0]).toContain(SAMPLED.replace('-01', '-00'));
    expect((await told(1))[0]?.trace).toMatchObject({ traceId: TRACE, sampled: false });
  });

  test.each([
    ['no traceparent', ''],
    ['a malformed one', `traceparent: 00-${TRACE}-${SPAN}\r\ntracestate: a=1\r\n`],
    ['two of them', `traceparent: 00-${TRACE}-${SPAN}-01\r\ntraceparent: 00-${TRACE}-${SPAN}-01\r\ntracestate: a=1\r\n`],
  ])('%s: a trace begins, without the state of another', async (_name, lines) => {
    const { heads, origin } = await seenHeads();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { traceShare: 1 });
    await exchange(ingress, get(lines));
    await exchange(ingress, get(lines));
    const traces = (await told(2)).map(({ trace }) => trace);
    for (const [index, trace] of traces.entries()) {
      expect(trace).toMatchObject({ parentId: undefined, sampled: true });
      expect(trace?.traceId).not.toBe(TRACE);
      const sent = readTraceParent([header(heads[index], 'traceparent') ?? '']);
      expect(sent).toEqual({ traceId: trace?.traceId, parentId: trace?.spanId, sampled: true });
      expect(header(heads[index], 'tracestate')).toBeUndefined();
    }
    expect(traces[0]?.traceId).not.toBe(traces[1]?.traceId);
  });

  test('a share of the traces that begin here is sampled, and upstreams are told of the others, too', async () => {
    const { heads, origin } = await seenHeads();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { traceShare: 0 });
    await exchange(ingress, get(''));
    expect((await told(1))[0]?.trace).toMatchObject({ sampled: false });
    expect(header(heads[0], 'traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  test('what the gateway answers itself is a part of its trace', async () => {
    const { ingress, told } = await start(
      tableOf(() => ({ kind: 'none' })),
      { traceShare: 0 },
    );
    await exchange(ingress, get(SAMPLED));
    expect((await told(1))[0]).toMatchObject({ flag: 'NR', trace: { traceId: TRACE, parentId: SPAN, sampled: true } });
  });
});
