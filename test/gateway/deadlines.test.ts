import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLimit } from '../../src/gateway/connection-limit.ts';
import type { ForwardingContext } from '../../src/gateway/forwarding-context.ts';
import { Http1Transport } from '../../src/gateway/http1/http1-transport.ts';
import { DEFAULT_LIMITS as LIMITS } from '../../src/gateway/limits.ts';
import { ProxiedRequest } from '../../src/gateway/proxied-request.ts';
import { RequestReporter } from '../../src/gateway/request-report.ts';
import { UpstreamPools } from '../../src/gateway/upstream-pools.ts';
import { startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { own, client: open } = testScope();

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** The parts of a gateway without its timer: the test says what time it is. */
async function startParts(
  table = tableOf(() => ({ kind: 'none' })),
): Promise<{ port: number; transport: Http1Transport; pools: UpstreamPools }> {
  const pools = new UpstreamPools(LIMITS);
  const context: ForwardingContext = {
    table: () => table,
    limits: LIMITS,
    pools,
    reporter: new RequestReporter(undefined, undefined),
    random: Math.random,
    uuid: randomUUID,
  };
  const transport = new Http1Transport(
    {
      exchange: (exchange) => new ProxiedRequest(context, { kind: 'ingress', port: 80, bind: undefined }, exchange).start(),
      refused: () => undefined,
    },
    LIMITS,
    new ConnectionLimit(LIMITS.clientConnections),
  );
  cleanups.push(() => {
    transport.cut();
    pools.close();
  });
  return { port: await transport.listen(0, '127.0.0.1'), transport, pools };
}

const later = (ms: number): number => performance.now() + ms;

describe('a client connection', () => {
  it('without a request is closed after a while, not before', async () => {
    const { port, transport } = await startParts();
    const client = await open(port);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('404');
    await sleep(20);
    transport.sweep(later(LIMITS.clientIdleMs - 1_000));
    await sleep(30);
    expect(client.closed).toBe(false);
    transport.sweep(later(LIMITS.clientIdleMs + 1_000));
    await client.untilClosed();
  });

  it('with a request at work is not idle', async () => {
    const asked = Promise.withResolvers<undefined>();
    const origin = await own(startScriptedOrigin(() => void asked.resolve(undefined)));
    const { port, transport } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await asked.promise;
    transport.sweep(later(LIMITS.clientIdleMs * 100));
    await sleep(30);
    expect(client.closed).toBe(false);
  });

  it('whose request’s body has stalled gets 408, and the upstream no whole request', async () => {
    const complete: boolean[] = [];
    const begun = Promise.withResolvers<void>();
    const origin = await own(
      startHttpOrigin((request) => {
        request.once('data', () => begun.resolve());
        request.on('close', () => complete.push(request.complete));
      }),
    );
    const { port, transport } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    await begun.promise;
    transport.sweep(later(LIMITS.requestBodyStallMs - 1_000));
    transport.sweep(later(LIMITS.requestBodyStallMs + 1_000));
    expect(firstStatus(await client.untilClosed())).toBe(408);
    await expect.poll(() => complete).toEqual([false]);
  });

  it('whose body waits for the upstream is not blamed', async () => {
    const origin = await own(startTcpOrigin((socket) => socket.pause()));
    const { port, transport } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000000\r\n\r\n');
    const piece = 'x'.repeat(1_000_000);
    for (let count = 0; count < 30; count++) client.send(piece);
    let before = -1;
    while (before !== client.socket.bytesWritten - client.socket.writableLength) {
      before = client.socket.bytesWritten - client.socket.writableLength;
      await sleep(200);
    }
    transport.sweep(later(LIMITS.requestBodyStallMs + 1_000));
    await sleep(30);
    expect(client.received).toBe('');
    expect(client.closed).toBe(false);
  });

  it('that takes nothing of its answer is cut after a while, one that takes little is not', async () => {
    const origin = await own(
      startHttpOrigin((_request, response) => {
        response.on('error', () => undefined);
        response.write(Buffer.alloc(40_000_000));
      }),
    );
    const { port, transport } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await sleep(500);
    const start = performance.now();
    transport.sweep(start);
    client.socket.resume();
    await client.until(({ received }) => received.length > 8_000_000);
    client.socket.pause();
    await sleep(200);
    transport.sweep(start + LIMITS.responseStallMs + 1_000);
    await sleep(50);
    expect(client.closed).toBe(false);
    await sleep(200);
    transport.sweep(start + LIMITS.responseStallMs + 2_000);
    transport.sweep(start + 2 * LIMITS.responseStallMs + 3_000);
    client.socket.resume();
    await client.until(({ closed }) => closed);
    expect(client.received.length).toBeLessThan(40_000_000);
  });
});

describe('an upstream connection', () => {
  const KEEP = (header: string): string => `HTTP/1.1 200 OK\r\n${header}Content-Length: 2\r\n\r\nok`;
  it.each([
    ['where the upstream does not say', '', LIMITS.upstreamIdleMs],
    ['a second less than the upstream keeps it', 'Keep-Alive: timeout=20\r\n', 19_000],
    ['no longer than the maximum', 'Keep-Alive: timeout=9000\r\n', LIMITS.upstreamIdleMaximumMs],
  ])('is kept unused %s', async (_name, header, ms) => {
    const origin = await own(startScriptedOrigin(() => KEEP(header)));
    const { port, pools } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('ok');
    const pool = pools.of({ address: '127.0.0.1', port: origin.port });
    expect(pool.idleCount).toBe(1);
    pools.sweep(later(ms - 500));
    expect(pool.idleCount).toBe(1);
    pools.sweep(later(ms + 500));
    expect([pool.idleCount, pool.connectionCount, pool.active]).toEqual([0, 0, 0]);
  });

  it('that the upstream will not keep is not kept', async () => {
    const origin = await own(startScriptedOrigin(() => KEEP('Keep-Alive: timeout=1\r\n')));
    const { port, pools } = await startParts(everythingTo(clusterAt(origin.port)));
    const client = await open(port);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('ok');
    const pool = pools.of({ address: '127.0.0.1', port: origin.port });
    expect([pool.idleCount, pool.connectionCount, pool.active]).toEqual([0, 0, 0]);
  });

  it('that does not come about in time is given up: 503 UF', async () => {
    const { port, pools } = await startParts(everythingTo({ ...clusterAt(), endpoints: [{ address: '192.0.2.1', port: 9 }] }));
    const client = await open(port);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    // The time is over once the connection is on its way.
    const sweeping = setInterval(() => pools.sweep(later(LIMITS.connectMs + 1_000)), 20);
    const received = await client.untilClosed().finally(() => clearInterval(sweeping));
    expect(firstStatus(received)).toBe(503);
    // A machine without any route refuses at once; elsewhere the address never answers.
    expect(received).toMatch(/reset reason: (connection timeout|remote connection failure)$/);
  });
});

describe('pools', () => {
  it('count what is at work, and keep what is not, last in first out', async () => {
    const waiting: ServerResponse[] = [];
    let isPatient = true;
    const origin = await own(startHttpOrigin((_request, response) => (isPatient ? waiting.push(response) : response.end('ok'))));
    const { port, pools } = await startParts(everythingTo(clusterAt(origin.port)));
    const clients = await Promise.all([open(port), open(port), open(port)]);
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    const pool = pools.of({ address: '127.0.0.1', port: origin.port });
    await expect.poll(() => waiting.length).toBe(3);
    expect([pool.active, pool.idleCount]).toEqual([3, 0]);
    isPatient = false;
    for (const response of waiting) response.end('ok');
    for (const client of clients) await client.untilText('ok');
    expect([pool.active, pool.idleCount, pool.connectionCount]).toEqual([0, 3, 3]);
    // Only the newest is used on.
    for (let count = 0; count < 3; count++) {
      const client = await open(port);
      await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('ok');
    }
    expect(origin.connections()).toBe(3);
  });
});
