import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { requestEvent } from '../core/evidence/request-event.cases.ts';
import { wovenRuleName } from '../core/weave/rule-name.ts';
import { type SpanExporter, type SpanExporterOptions, startSpanExporter } from './span-exporter.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code: number };
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A collector that reads OTLP/HTTP in JSON, and answers what `answer` says: a status, and the body. */
async function startCollector(answer: (request: number) => readonly [status: number, body: string] = () => [200, '{}']) {
  const requests: { readonly path: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: Traces }[] = [];
  const listener: RequestListener = (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      requests.push({ path: request.url, headers: request.headers, body: JSON.parse(text) as Traces });
      const [status, body] = answer(requests.length);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const spans = () =>
    requests.flatMap(({ body }) => body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans)));
  return { url, requests, spans };
}

const warnings: string[] = [];

function startExporter(options: Partial<SpanExporterOptions> & { readonly url: string }): SpanExporter {
  warnings.length = 0;
  const exporter = startSpanExporter({
    ...{ headers: {}, serviceName: 'edge', version: '9.9.9', warn: (text: string) => void warnings.push(text), pauseMs: 10, retryMs: 10 },
    ...options,
  });
  closers.push(() => exporter.close());
  return exporter;
}

const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', parentId: '1111111111111111', sampled: true };

function values(attributes: readonly Attribute[] | undefined): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? `int ${value.intValue}`]));
}

test('a span is a server span as OTLP and the conventions for HTTP have it, with the release’s cohort', async () => {
  const collector = await startCollector();
  const exporter = startExporter({ url: collector.url, headers: { 'api-key': 'k' } });
  const rule = wovenRuleName({
    ...{ namespace: 'default', release: 'reviews', role: 'known', cohort: 'canary', baseName: undefined },
    base: { kind: 'moved', subset: 'v1', address: undefined },
  });
  exporter.observe(requestEvent({ trace: TRACE, rule, path: '/page?token=secret', durationMs: 7.25, cookies: ['perch=secret'] }));
  await expect.poll(() => exporter.counts()).toEqual({ exported: 1, dropped: 0 });
  const [request] = collector.requests;
  expect(request).toMatchObject({ path: '/v1/traces', headers: { 'content-type': 'application/json', 'api-key': 'k' } });
  expect(values(request?.body.resourceSpans[0]?.resource.attributes)).toEqual({ 'service.name': 'edge', 'service.version': '9.9.9' });
  const [span] = collector.spans();
  expect(span).toMatchObject({ traceId: TRACE.traceId, spanId: TRACE.spanId, parentSpanId: TRACE.parentId, name: 'GET', kind: 2 });
  expect([span?.startTimeUnixNano, span?.endTimeUnixNano]).toEqual(['1699999999992750000', '1700000000000000000']);
  expect(span?.status).toBeUndefined();
  expect(values(span?.attributes)).toEqual({
    'http.request.method': 'GET',
    'url.path': '/page',
    'url.scheme': 'http',
    'server.address': 'reviews',
    'server.port': 'int 9080',
    'network.protocol.version': '1.1',
    'http.response.status_code': 'int 200',
    'user_agent.original': 'test',
    response_flags: '-',
    'guid:x-request-id': 'id',
    upstream_cluster: 'outbound|9080|v2|reviews.default.svc.cluster.local',
    'perch.release': 'default/reviews',
    'perch.cohort': 'canary',
  });
  expect(JSON.stringify(collector.requests)).not.toContain('secret');
});

test('failures are errors, and what clients make up is bounded', async () => {
  const collector = await startCollector();
  const exporter = startExporter({ url: collector.url });
  const nowhere = { destination: undefined, endpoint: undefined, rule: undefined, trace: TRACE } as const;
  exporter.observe(requestEvent({ ...nowhere, status: 503, flag: 'UH', method: 'PURGE', userAgent: 'x'.repeat(5000), authority: '[::1]' }));
  exporter.observe(requestEvent({ ...nowhere, status: 0, flag: 'DC', trace: { ...TRACE, parentId: undefined } }));
  exporter.observe(requestEvent({ ...nowhere, status: 404, flag: 'NR', version: '2' }));
  await expect.poll(() => collector.spans()).toHaveLength(3);
  const [first, second, third] = collector.spans();
  expect(first).toMatchObject({ name: 'HTTP', status: { code: 2 } });
  expect(values(first?.attributes)).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PURGE',
    'error.type': '503',
  });
  expect(values(first?.attributes)).toMatchObject({ 'user_agent.original': 'x'.repeat(1024), 'server.address': '[::1]' });
  expect(second?.parentSpanId).toBeUndefined();
  expect(second?.status).toEqual({ code: 2 });
  expect(values(second?.attributes)['error.type']).toBe('DC');
  expect(third?.status).toBeUndefined();
  expect(values(third?.attributes)['network.protocol.version']).toBe('2');
});

test('what is not sampled, or not traced, is no span', async () => {
  const collector = await startCollector();
  const exporter = startExporter({ url: collector.url });
  exporter.observe(requestEvent());
  exporter.observe(requestEvent({ trace: { ...TRACE, sampled: false } }));
  exporter.observe(requestEvent({ trace: TRACE }));
  await exporter.close();
  expect(collector.spans()).toHaveLength(1);
});

test('a collector that is down costs a bounded queue, one warning, and nothing else; when it is back, what waits arrives', async () => {
  let isDown = true;
  const collector = await startCollector(() => (isDown ? [503, 'no'] : [200, '{}']));
  const exporter = startExporter({ url: collector.url });
  for (let count = 0; count < 5000; count++) exporter.observe(requestEvent({ trace: TRACE }));
  await expect.poll(() => collector.requests.length, { timeout: 10_000 }).toBeGreaterThan(2);
  // One batch is under way, and as many as the queue holds wait.
  expect(exporter.counts().exported).toBe(0);
  expect(exporter.counts().dropped).toBeGreaterThanOrEqual(5000 - 2048 - 512);
  expect(warnings).toEqual([`spans are not exported: the collector at ${collector.url} answers 503`]);
  isDown = false;
  const { dropped } = exporter.counts();
  await expect.poll(() => exporter.counts(), { timeout: 10_000 }).toEqual({ exported: 5000 - dropped, dropped });
});

test('a batch that is refused is dropped, and one that is taken in part is counted so', async () => {
  const collector = await startCollector((request) => (request === 1 ? [400, 'bad'] : [200, '{"partialSuccess":{"rejectedSpans":"2"}}']));
  const exporter = startExporter({ url: collector.url });
  exporter.observe(requestEvent({ trace: TRACE }));
  await expect.poll(() => exporter.counts()).toEqual({ exported: 0, dropped: 1 });
  for (let count = 0; count < 5; count++) exporter.observe(requestEvent({ trace: TRACE }));
  await expect.poll(() => exporter.counts()).toEqual({ exported: 3, dropped: 3 });
});

test('nobody listens: the end comes in time, and what waited is counted as dropped', async () => {
  const exporter = startExporter({ url: 'http://127.0.0.1:1/v1/traces', retryMs: 60_000 });
  exporter.observe(requestEvent({ trace: TRACE }));
  await expect.poll(() => warnings).toHaveLength(1);
  const before = performance.now();
  await exporter.close();
  expect(performance.now() - before).toBeLessThan(8000);
  expect(exporter.counts()).toEqual({ exported: 0, dropped: 1 });
});
