import { describe, expect, it } from 'vitest';
import type { RouteTable } from '../../src/core/routing/selection.ts';
import { compileYaml } from '../harness/routes.ts';
import { type Origin, refusingPort, startScriptedOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { forwardTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

/** An origin that answers with its name, the request's head, a cookie of its own and a Cache-Control. */
function namedOrigin(name: string): Promise<Origin> {
  return own(
    startScriptedOrigin((head) => {
      const body = `${name} ${head}`;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Internal: secret\r\nCache-Control: max-age=5\r\nSet-Cookie: session=1\r\n\r\n${body}`;
    }),
  );
}

const DOCUMENT = 'GET /shop?x=1 HTTP/1.1\r\nHost: shop.test\r\nAccept: text/html\r\nConnection: close\r\n\r\n';

/** Istio objects as a user writes them, with the endpoints of the test. */
function shop(v1: number, v2: number, dead: number): RouteTable {
  const { table, diagnostics } = compileYaml(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.default.svc.cluster.local]
  ports: [{number: 9080, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints:
  - {address: 127.0.0.1, ports: {http: ${v1}}, labels: {version: v1}}
  - {address: 127.0.0.1, ports: {http: ${v2}}, labels: {version: v2}}
  - {address: 127.0.0.1, ports: {http: ${dead}}, labels: {version: dead}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec:
  host: shop.default.svc.cluster.local
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
  - {name: dead, labels: {version: dead}}
  - {name: none, labels: {version: nobody}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: ["shop.test"]
  gateways: [edge]
  http:
  - name: moved
    match: [{uri: {prefix: /old}}]
    redirect: {uri: /new, redirectCode: 302}
    headers: {response: {set: {x-why: moved}}}
  - name: hello
    match: [{uri: {exact: /hello}}]
    directResponse: {status: 299, body: {string: "grüß dich"}}
    headers: {response: {add: {x-path: "%REQ(:path)%"}}}
  - name: dead
    match: [{uri: {prefix: /dead}}]
    route: [{destination: {host: shop.default.svc.cluster.local, subset: dead}}]
    headers: {response: {add: {Set-Cookie: "tried=%RESPONSE_CODE%"}}}
  - name: nobody
    match: [{uri: {prefix: /nobody}}]
    route: [{destination: {host: shop.default.svc.cluster.local, subset: none}}]
    headers: {response: {add: {x-route: nobody}}}
  - name: undefined-subset
    match: [{uri: {prefix: /undefined}}]
    route: [{destination: {host: shop.default.svc.cluster.local, subset: v9}}]
    headers: {response: {add: {x-route: undefined}}}
  - name: canary
    match: [{headers: {cookie: {regex: '(?:.*; ?)?perch=v2(?:;.*)?'}}}]
    route: [{destination: {host: shop.default.svc.cluster.local, subset: v2}}]
  - name: stable
    match: [{headers: {accept: {regex: '.*text/html.*'}}}]
    rewrite: {uri: /rewritten/, authority: inner.test}
    route:
    - destination: {host: shop.default.svc.cluster.local, subset: v1}
      headers:
        response:
          add: {Set-Cookie: "perch=%REQ(x-request-id)%; Path=/", Cache-Control: private}
          remove: [x-internal]
        request:
          add: {baggage: perch.shop=stable}
          set: {connection: close, content-length: "7", transfer-encoding: chunked}
          remove: [accept]
`);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return table;
}

async function startShop() {
  const [v1, v2] = await Promise.all([namedOrigin('v1'), namedOrigin('v2')]);
  const dead = await refusingPort();
  const table = shop(v1.port, v2.port, dead);
  const test = await start(table, { map: new Map([80, 9080].map((port) => [port, 0])) });
  return { ...test, v1, v2 };
}

describe('routes written in YAML', () => {
  it('issue a visitor id that is the very one the upstream saw', async () => {
    const { ingress, told } = await startShop();
    const ids = new Set<string>();
    for (let visit = 1; visit <= 20; visit++) {
      const received = await exchange(ingress, DOCUMENT);
      const [head = '', body = ''] = received.split('\r\n\r\n', 2);
      const issued = /\r\nset-cookie: perch=([0-9a-f-]{36}); Path=\//.exec(head)?.[1];
      expect(issued).toBeDefined();
      expect(body).toContain(`\r\nx-request-id: ${issued}`);
      expect((await told(visit))[visit - 1]).toMatchObject({ requestId: issued, rule: 'stable', destination: { subset: 'v1' } });
      ids.add(issued ?? '');
    }
    expect(ids.size).toBe(20);
  });

  it('edit, rewrite and choose', async () => {
    const { ingress } = await startShop();
    const received = await exchange(ingress, DOCUMENT);
    const [head = '', body = ''] = received.split('\r\n\r\n', 2);
    expect(head).toContain('\r\nset-cookie: session=1\r\n');
    expect(head).toContain('\r\ncache-control: max-age=5,private\r\n');
    expect(head).not.toContain('x-internal');
    expect(body).toMatch(/^v1 GET \/rewritten\/shop\?x=1 HTTP\/1\.1\r\nhost: inner\.test\r\n/);
    expect(body).toContain('\r\nbaggage: perch.shop=stable');
    // Framing stays the gateway's, whatever a route sets; so the next request on the connection is read right.
    expect(body).not.toMatch(/\r\n(accept|connection|content-length|transfer-encoding):/);
    const canary = await exchange(ingress, DOCUMENT.replace('Accept', 'Cookie: a=b; perch=v2\r\nAccept'));
    expect(canary).toContain('\r\n\r\nv2 GET /shop?x=1 HTTP/1.1\r\nhost: shop.test\r\n');
    expect(canary).toContain('x-internal: secret');
  });

  it('redirect and answer themselves', async () => {
    const { ingress, told } = await startShop();
    const moved = await exchange(ingress, 'GET /old HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
    expect(moved).toMatch(/^HTTP\/1\.1 302 Found\r\n/);
    expect(moved).toContain('\r\nlocation: http://shop.test/new\r\n');
    expect(moved).toContain('\r\nx-why: moved\r\n');
    const hello = await exchange(ingress, 'GET /hello?a=b HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
    expect(firstStatus(hello)).toBe(299);
    expect(Buffer.from(hello.split('\r\n\r\n')[1] ?? '', 'latin1').toString()).toBe('grüß dich');
    expect(hello).toContain('\r\ncontent-length: 11\r\n');
    expect(hello).toContain('\r\nx-path: /hello?a=b\r\n');
    const head = await exchange(ingress, 'HEAD /hello HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
    expect(head).toContain('\r\ncontent-length: 11\r\n');
    expect(head.endsWith('\r\n\r\n')).toBe(true);
    const events = await told(3);
    expect(events.map(({ rule, destination, flag }) => ({ rule, destination, flag }))).toEqual([
      { rule: 'moved', destination: undefined, flag: '-' },
      { rule: 'hello', destination: undefined, flag: '-' },
      { rule: 'hello', destination: undefined, flag: '-' },
    ]);
  });

  it('edit the gateway’s own answers too, once a route was selected', async () => {
    const { ingress, told } = await startShop();
    const ask = (path: string) => exchange(ingress, `GET ${path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n`);
    expect(await ask('/dead')).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nset-cookie: tried=503\r\n/);
    expect(await ask('/nobody')).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nx-route: nobody\r\n[\s\S]*no healthy upstream$/);
    expect(await ask('/undefined')).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nx-route: undefined\r\n[\s\S]*\r\n\r\n$/);
    expect(await ask('/none')).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect((await told(4)).map(({ flag, rule, destination }) => [flag, rule, destination?.subset])).toEqual([
      ['UF', 'dead', 'dead'],
      ['UH', 'nobody', 'none'],
      ['NC', 'undefined-subset', 'v9'],
      ['NR', undefined, undefined],
    ]);
  });

  it('at another declared port or unknown mesh host lead nowhere', async () => {
    const { mesh, proxy } = await startShop();
    expect(firstStatus(await exchange(mesh, 'GET / HTTP/1.1\r\nHost: elsewhere.test\r\nConnection: close\r\n\r\n'))).toBe(502);
    expect(firstStatus(await exchange(proxy, 'GET http://shop:1234/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n'))).toBe(502);
    const found = await exchange(proxy, 'GET http://shop:9080/ HTTP/1.1\r\nHost: shop:9080\r\nConnection: close\r\n\r\n');
    expect(firstStatus(found)).toBe(200);
  });
});

describe('what is told about a request', () => {
  it('has Envoy’s names in the access log, and no cookie', async () => {
    const { ingress, told, log, v1 } = await startShop();
    await exchange(
      ingress,
      DOCUMENT.replace('Accept', 'Cookie: perch=private\r\nUser-Agent: "x"\r\nSec-Fetch-Site: none\r\nX-Forwarded-For: 9.9.9.9\r\nAccept'),
    );
    const [event] = await told(1);
    expect(event).toMatchObject({
      ...{ listener: 'ingress', method: 'GET', path: '/shop?x=1', authority: 'shop.test', cookies: ['perch=private'], userAgent: '"x"' },
      ...{ accept: 'text/html', fetchMode: undefined, fetchSite: 'none' },
      ...{ rule: 'stable', status: 200, flag: '-', destination: { host: 'shop.default.svc.cluster.local', port: 9080, subset: 'v1' } },
    });
    expect(Math.abs((event?.at ?? 0) - Date.now())).toBeLessThan(5_000);
    expect(log).toEqual([
      {
        authority: 'shop.test',
        bytes_received: 0,
        bytes_sent: expect.any(Number),
        connection_termination_details: null,
        downstream_local_address: `127.0.0.1:${ingress}`,
        downstream_remote_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        duration: expect.any(Number),
        method: 'GET',
        path: '/shop?x=1',
        protocol: 'HTTP/1.1',
        request_id: event?.requestId,
        requested_server_name: null,
        response_code: 200,
        response_code_details: 'via_upstream',
        response_flags: '-',
        route_name: 'stable',
        start_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        upstream_cluster: 'outbound|9080|v1|shop.default.svc.cluster.local',
        upstream_host: `127.0.0.1:${v1.port}`,
        upstream_local_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        upstream_service_time: expect.stringMatching(/^\d+$/),
        upstream_transport_failure_reason: null,
        user_agent: '"x"',
        x_forwarded_for: '9.9.9.9,127.0.0.1',
      },
    ]);
    expect(JSON.stringify(log)).not.toContain('private');
  });

  it('includes a bug in routing: 500, and the next request is served', async () => {
    const origin = await namedOrigin('v1');
    const cluster = { host: 'a', port: 1, subset: undefined, endpoints: [{ address: '127.0.0.1', port: origin.port }] };
    const { ingress, told } = await start(
      tableOf(
        (_kind, _port, _bind, request) => {
          if (request.path === '/bug') throw new Error('a bug, thrown by a test');
          return forwardTo(cluster, request);
        },
        [cluster],
      ),
    );
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    expect(firstStatus(await exchange(ingress, 'GET /bug HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))).toBe(500);
    expect((await warned).message).toBe('a bug, thrown by a test');
    expect(firstStatus(await exchange(ingress, DOCUMENT))).toBe(200);
    expect((await told(2)).map(({ status }) => status)).toEqual([500, 200]);
  });

  it('ends the connection where a bug lets an answer be none, and the next request is served', async () => {
    const { ingress } = await start(
      tableOf((_kind, _port, _bind, { path }) => ({
        ...{ kind: 'redirect', rule: undefined, status: 301, response: [] },
        location: path === '/bug' ? '/a\r\nSet-Cookie: forged' : '/b',
      })),
    );
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const client = await open(ingress);
    client.send('GET /bug HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.untilClosed()).toBe('');
    expect((await warned).message).toContain('Invalid character in header');
    expect(firstStatus(await exchange(ingress, DOCUMENT))).toBe(301);
  });
});
