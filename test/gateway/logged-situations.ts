import type { Socket } from 'node:net';
import type { Cluster, RouteTable } from '../../src/core/routing/selection.ts';
import { startScriptedOrigin } from './origins.ts';
import { RawClient } from './raw-client.ts';
import { clusterAt, forwardTo, tableOf } from './running-gateway.ts';

/** What one request looks like, and what the access log says of it: Envoy's response code, flags and details. */
export interface Situation {
  readonly name: string;
  readonly sent: string;
  readonly code: number;
  readonly flags: string;
  readonly details: string;
  /** The client leaves once this much of the answer is there, or at once where it is empty; else it waits for the end. */
  readonly leavesAt?: string;
  /** Fields of which Perch says something else than Envoy: its own words to who breaks HTTP, and what it could read of the request. */
  readonly unlikeEnvoy?: readonly string[];
}

/** Deadlines of both proxies in these situations, ms. */
export const STALL_MS = 600;
export const ROUTE_TIMEOUT_MS = 400;

function get(path: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n${more}\r\n`;
}

const post = (path: string, more: string, body: string) => `POST ${path} HTTP/1.1\r\nHost: shop\r\n${more}\r\n${body}`;
const before = (reason: string) => `upstream_reset_before_response_started{${reason}}`;
const after = (reason: string) => `upstream_reset_after_response_started{${reason}}`;
const OWN = ['bytes_sent', 'protocol'];
const REFUSED = 'remote_connection_failure|delayed_connect_error:_Connection_refused';

/** One of each. The table of flags: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#response-flags */
export const SITUATIONS: readonly Situation[] = [
  { name: 'an answer', sent: get('/ok//a/../b?x=1', 'User-Agent: a"b\x9b\xe9\r\n'), code: 200, flags: '-', details: 'via_upstream' },
  { name: 'an error of the upstream’s own', sent: get('/error'), code: 503, flags: '-', details: 'via_upstream' },
  {
    name: 'a body',
    sent: post('/ok', 'Content-Length: 5\r\nConnection: close\r\n', 'hello'),
    code: 200,
    flags: '-',
    details: 'via_upstream',
  },
  { name: 'no route', sent: get('/ok').replace('shop', 'other'), code: 404, flags: 'NR', details: 'route_not_found' },
  { name: 'no such cluster', sent: get('/unknown'), code: 503, flags: 'NC', details: 'cluster_not_found' },
  { name: 'no endpoint', sent: get('/empty'), code: 503, flags: 'UH', details: 'no_healthy_upstream' },
  { name: 'an endpoint that refuses', sent: get('/dead'), code: 503, flags: 'UF', details: before(REFUSED) },
  { name: 'a direct response', sent: get('/direct'), code: 418, flags: '-', details: 'direct_response' },
  { name: 'a redirect', sent: get('/redirect'), code: 301, flags: '-', details: 'direct_response' },
  { name: 'the upstream closes before it answers', sent: get('/close'), code: 503, flags: 'UC', details: before('connection_termination') },
  { name: 'the upstream resets before it answers', sent: get('/reset'), code: 503, flags: 'UC', details: before('connection_termination') },
  { name: 'the upstream closes within the head', sent: get('/half-head'), code: 502, flags: 'UPE', details: before('protocol_error') },
  {
    name: 'the upstream closes after a 1xx',
    sent: get('/interim'),
    code: 503,
    flags: 'UC',
    details: before('connection_termination'),
    unlikeEnvoy: ['response_code_details'],
  },
  { name: 'the upstream does not speak HTTP', sent: get('/ssh'), code: 502, flags: 'UPE', details: before('protocol_error') },
  { name: 'the upstream closes within a body', sent: get('/half-body'), code: 200, flags: 'UPE', details: after('protocol_error') },
  { name: 'the upstream closes within chunks', sent: get('/half-chunks'), code: 200, flags: 'UPE', details: after('protocol_error') },
  { name: 'the upstream resets within a body', sent: get('/reset-body'), code: 200, flags: 'UPE', details: after('protocol_error') },
  { name: 'the upstream breaks its chunks', sent: get('/bad-chunks'), code: 200, flags: 'UPE', details: after('protocol_error') },
  { name: 'the route’s time is over', sent: get('/slow'), code: 504, flags: 'UT', details: 'response_timeout' },
  { name: 'the route’s time is over within a body', sent: get('/slow-body'), code: 200, flags: 'UT', details: 'response_timeout' },
  { name: 'the client leaves', sent: get('/hang'), code: 0, flags: 'DC', details: 'downstream_remote_disconnect', leavesAt: '' },
  {
    ...{ name: 'the client leaves within the answer', sent: get('/hang-body'), code: 200, flags: 'DC' },
    ...{ details: 'downstream_remote_disconnect', leavesAt: 'hello' },
  },
  {
    name: 'a head that is not HTTP',
    sent: 'GET /ok HTTP/1.1\r\nHost: shop\r\nX: a\0b\r\n\r\n',
    code: 400,
    flags: 'DPE',
    details: 'http1.codec_error',
    unlikeEnvoy: [...OWN, 'response_code_details'],
  },
  { name: 'no request at all', sent: 'FOO BAR\r\n\r\n', code: 400, flags: 'DPE', details: 'http1.codec_error', unlikeEnvoy: OWN },
  {
    name: 'HTTP/1.0',
    sent: 'GET /ok HTTP/1.0\r\nHost: shop\r\n\r\n',
    code: 426,
    flags: 'DPE',
    details: 'low_version',
    unlikeEnvoy: [...OWN, 'method', 'path'],
  },
  {
    name: 'a head too large',
    sent: get('/ok', `X: ${'a'.repeat(70_000)}\r\n`),
    code: 431,
    flags: 'DPE',
    details: 'http1.headers_too_large',
    unlikeEnvoy: OWN,
  },
  {
    name: 'a broken chunk',
    sent: post('/hang', 'Transfer-Encoding: chunked\r\n', 'zz\r\n'),
    code: 400,
    flags: 'DPE',
    details: 'http1.codec_error',
    // Envoy sees it before it has connected.
    unlikeEnvoy: [...OWN, 'upstream_local_address'],
  },
  {
    name: 'a body that stalls',
    sent: post('/hang', 'Content-Length: 5\r\n', 'ab'),
    code: 408,
    flags: 'SI',
    details: 'stream_idle_timeout',
    unlikeEnvoy: OWN,
  },
  {
    name: 'a head that does not end',
    sent: 'GET /ok HTTP/1.1\r\nHost: shop\r\n',
    code: 408,
    flags: '-',
    details: 'request_header_timeout',
    unlikeEnvoy: OWN,
  },
];

const BODY = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';

/** What the origin does at each path: at once, or after the first part of its answer has gone out. */
const ACTS: Readonly<Record<string, readonly [first: string, then?: (socket: Socket) => void]>> = {
  '/ok': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  '/error': ['HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno'],
  '/close': ['', (socket) => socket.end()],
  '/reset': ['', (socket) => socket.resetAndDestroy()],
  '/half-head': ['HTTP/1.1 200 OK\r\nX: ', (socket) => socket.end()],
  '/interim': ['HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n', (socket) => socket.end()],
  '/ssh': ['SSH-2.0-OpenSSH\r\n'],
  '/half-body': [BODY, (socket) => socket.end()],
  '/half-chunks': [CHUNKS, (socket) => socket.end()],
  '/reset-body': [BODY, (socket) => socket.resetAndDestroy()],
  '/bad-chunks': [CHUNKS, (socket) => socket.write('zz\r\n')],
  '/slow': [''],
  '/slow-body': [BODY],
  '/hang': [''],
  '/hang-body': [BODY],
};

/** The upstream of all situations. */
export function startSituationOrigin(): ReturnType<typeof startScriptedOrigin> {
  return startScriptedOrigin((head, socket) => {
    const path = /^\S+ (\/[a-z-]*)/.exec(head)?.[1] ?? '';
    const [first, then] = ACTS[path] ?? [''];
    if (first !== '') socket.write(first, 'latin1');
    if (then !== undefined) setTimeout(() => then(socket), first === '' ? 0 : 30);
    return undefined;
  });
}

/** The routes of all situations: host shop; `dead` is a port that refuses. */
export function situationTable(origin: number, dead: number): RouteTable {
  const cluster = clusterAt(origin);
  const clusters: Readonly<Record<string, Cluster | undefined>> = {
    '/unknown': undefined,
    '/empty': { ...clusterAt(), subset: 'empty' },
    '/dead': { ...clusterAt(dead), subset: 'dead' },
  };
  return tableOf(
    (_kind, _port, _bind, request) => {
      if (request.authority !== 'shop') return { kind: 'none' };
      const { path } = request;
      if (path === '/direct') return { kind: 'direct', rule: 'direct', status: 418, body: 'tea', response: [] };
      if (path === '/redirect') return { kind: 'redirect', rule: 'redirect', status: 301, location: 'http://shop/x', response: [] };
      const chosen = path in clusters ? clusters[path] : cluster;
      const timeoutMs = path.startsWith('/slow') ? ROUTE_TIMEOUT_MS : 0;
      const { host, port, subset } = chosen ?? { ...cluster, subset: 'v9' };
      return forwardTo(chosen, request, { timeoutMs, destination: { host, port, subset }, rule: timeoutMs > 0 ? 'slow' : 'shop' });
    },
    [cluster],
  );
}

/** Lives through one situation at a proxy. */
export async function liveThrough({ sent, leavesAt }: Situation, port: number): Promise<void> {
  const client = await RawClient.open(port);
  client.send(sent);
  if (leavesAt === undefined) await client.untilClosed();
  // The request has to be read by then, on a busy machine, too.
  else if (leavesAt === '') await new Promise((resolve) => setTimeout(resolve, 300));
  else await client.untilText(leavesAt);
  if (leavesAt === undefined) client.destroy();
  else client.socket.resetAndDestroy();
}
