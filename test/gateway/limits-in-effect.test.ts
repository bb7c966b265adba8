import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { GatewayLimits } from '../../src/gateway/limits.ts';
import { refusingPort, startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, type TestGateway, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

// trailerBytes: trailers.test.ts; interimResponses, continueMs: interim-responses.test.ts;
// requestHeadMs: head-timeout.test.ts; halfClosedMs: half-closed.test.ts; unreadBodyMs: early-answers.test.ts;
// clientConnections, listenerConnections, requestBodyStallBytes, responseStallBytes: abuse.test.ts.

const { start, own, client: open } = testScope();

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CLOSE = 'Host: shop\r\nConnection: close\r\n';
const NOWHERE = tableOf(() => ({ kind: 'none' }));

/** A gateway with these limits in front of an origin that answers each request with `response`. */
async function inFrontOf(response: string, limits: Partial<GatewayLimits>): Promise<TestGateway & { connections(): number }> {
  const origin = await own(startScriptedOrigin(() => response));
  return { ...(await start(everythingTo(clusterAt(origin.port)), { limits })), connections: origin.connections };
}

const lines = (count: number): string => Array.from({ length: count }, (_, at) => `X${at}: a\r\n`).join('');

describe('heads', () => {
  it('requestHeadBytes', async () => {
    const { ingress } = await inFrontOf(OK, { requestHeadBytes: 2048 });
    const sized = (bytes: number): string => `GET / HTTP/1.1\r\n${CLOSE}X: ${'a'.repeat(bytes)}\r\n\r\n`;
    expect(firstStatus(await exchange(ingress, sized(1500)))).toBe(200);
    expect(firstStatus(await exchange(ingress, sized(2500)))).toBe(431);
  });

  it('requestHeadBytes above the default', async () => {
    const { ingress } = await start(
      tableOf(() => ({ kind: 'direct', rule: undefined, status: 200, body: '', response: [] })),
      {
        limits: { requestHeadBytes: 200 * 1024 },
      },
    );
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}X: ${'a'.repeat(150 * 1024)}\r\n\r\n`))).toBe(200);
  });

  it('requestHeaderCount', async () => {
    const { ingress } = await inFrontOf(OK, { requestHeaderCount: 10 });
    // Host and Connection count too.
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}${lines(8)}\r\n`))).toBe(200);
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}${lines(9)}\r\n`))).toBe(431);
  });

  it.each([
    [200, 900],
    [502, 1100],
  ])('responseHeadBytes: %d for %d', async (status, bytes) => {
    const { ingress } = await inFrontOf(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ${'a'.repeat(bytes)}\r\n\r\n`, {
      responseHeadBytes: 1024,
    });
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(status);
  });

  it.each([
    [200, 9],
    [502, 10],
  ])('responseHeaderCount: %d for %d and a length', async (status, count) => {
    const { ingress } = await inFrontOf(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${lines(count)}\r\n`, { responseHeaderCount: 10 });
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(status);
  });
});

describe('clients', () => {
  it('clientIdleMs', async () => {
    const { ingress } = await start(NOWHERE, { limits: { clientIdleMs: 100 } });
    const client = await open(ingress);
    await client.send(GET).untilText('404');
    await client.untilClosed();
  });

  it('requestBodyStallMs', async () => {
    const origin = await own(startHttpOrigin((request) => request.resume()));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { requestBodyStallMs: 100 } });
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    expect(firstStatus(await client.untilClosed())).toBe(408);
  });

  it('requestStallMs', async () => {
    const origin = await own(startTcpOrigin((socket) => socket.pause()));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { requestStallMs: 100 } });
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000000\r\n\r\n');
    for (let count = 0; count < 30; count++) client.send('x'.repeat(1_000_000));
    expect(firstStatus(await client.untilClosed())).toBe(504);
    expect((await told(1))[0]).toMatchObject({ status: 504, flag: 'UT' });
  });

  it('requestStallMs, for a client that has left meanwhile', async () => {
    const origin = await own(startTcpOrigin((socket) => socket.pause()));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { requestStallMs: 1_000 } });
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000000\r\n\r\n');
    for (let count = 0; count < 30; count++) client.send('x'.repeat(1_000_000));
    await sleep(300);
    client.socket.resetAndDestroy();
    expect((await told(1))[0]).toMatchObject({ status: 504 });
  });

  it.each([
    ['responseStallMs', GET],
    ['responseStallMs, for an upgrade that is refused', 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ])('%s', async (_limit, request) => {
    const origin = await own(
      startHttpOrigin((_request, response) => {
        response.on('error', () => undefined);
        response.end(Buffer.alloc(40_000_000));
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { responseStallMs: 100 } });
    const client = await open(ingress);
    client.socket.pause();
    client.send(request);
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: 'DC' });
  });

  it.each(['responseStallMs', 'requestStallMs'] as const)('%s, for a tunnel', async (limit) => {
    const stuck = limit === 'requestStallMs';
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.once('data', () => {
          if (stuck) socket.pause();
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
          if (!stuck) socket.write(Buffer.alloc(40_000_000));
        });
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { [limit]: 100 } });
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    await client.untilText('101');
    if (stuck) for (let count = 0; count < 30; count++) client.send('x'.repeat(1_000_000));
    else client.socket.pause();
    expect((await told(1))[0]).toMatchObject({ status: 101 });
  });

  it.runIf(process.platform === 'linux')('tcpKeepAliveMs, on both sides', async () => {
    const origin = await own(startTcpOrigin((socket) => socket.resume()));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { tcpKeepAliveMs: 3_000_000 } });
    const client = await open(ingress);
    client.send(GET);
    await expect.poll(origin.connections).toBe(1);
    // The gateway's own ends: of the client's connection the local port is the ingress, of the upstream's the remote one the origin.
    const fromClient = await keepAliveSeconds(ingress, client.socket.localPort ?? 0);
    const toOrigin = await keepAliveSeconds(undefined, origin.port);
    for (const seconds of [fromClient, toOrigin]) {
      expect(seconds).toBeGreaterThan(2_900);
      expect(seconds).toBeLessThanOrEqual(3_001);
    }
  });
});

/** Seconds until TCP asks whether the peer is there, of an established connection (proc(5): timer 2, in hundredths of a second). */
async function keepAliveSeconds(localPort: number | undefined, remotePort: number): Promise<number> {
  const portOf = (address = ''): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
  let seconds = 0;
  await expect
    .poll(async () => {
      for (const line of (await readFile('/proc/net/tcp', 'latin1')).split('\n')) {
        const [, local, remote, state, , timer] = line.trim().split(/\s+/);
        const [kind, left = '0'] = (timer ?? '').split(':');
        if (state !== '01' || kind !== '02' || portOf(remote) !== remotePort) continue;
        if (localPort === undefined || portOf(local) === localPort) seconds = Number.parseInt(left, 16) / 100;
      }
      return seconds;
    })
    .toBeGreaterThan(0);
  return seconds;
}

describe('upstreams', () => {
  it('connectMs', async () => {
    const nowhere = { ...clusterAt(), endpoints: [{ address: '192.0.2.1', port: 9 }] };
    const { ingress } = await start(everythingTo(nowhere), { limits: { connectMs: 100 } });
    // A machine without any route refuses at once; elsewhere the address never answers.
    expect(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`, 8_000)).toMatch(
      /reset reason: (connection timeout|remote connection failure)$/,
    );
  });

  it.each([
    [1, 503],
    [2, 200],
  ])('connectAttempts: %d of two endpoints, the first dead: %d', async (connectAttempts, status) => {
    const origin = await own(startScriptedOrigin(() => OK));
    // Draws the first of the two, and as the first to try.
    const { ingress } = await start(everythingTo(clusterAt(await refusingPort(), origin.port)), {
      limits: { connectAttempts },
      random: () => 0,
    });
    expect(firstStatus(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(status);
  });

  const ASKED = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok';
  it.each<[name: string, response: string, limits: Partial<GatewayLimits>, connections: number]>([
    ['the defaults', OK, {}, 1],
    ['upstreamIdleMs', OK, { upstreamIdleMs: 0 }, 2],
    ['upstreamIdleMs, where the upstream says', ASKED, { upstreamIdleMs: 0 }, 1],
    ['upstreamIdleMaximumMs', ASKED, { upstreamIdleMaximumMs: 0 }, 2],
    ['idlePerEndpoint', OK, { idlePerEndpoint: 0 }, 2],
  ])('%s', async (_name, response, limits, connections) => {
    const gateway = await inFrontOf(response, limits);
    for (let count = 1; count <= 2; count++) {
      expect(firstStatus(await exchange(gateway.ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(200);
      await gateway.told(count);
    }
    expect(gateway.connections()).toBe(connections);
  });
});

describe('the end', () => {
  it('closeGraceMs: 0 cuts what is at work', async () => {
    const origin = await own(startScriptedOrigin(() => undefined));
    const { gateway, ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { closeGraceMs: 0 } });
    const client = await open(ingress);
    client.send(GET);
    await expect.poll(origin.connections).toBe(1);
    await gateway.close();
    expect((await told(1))[0]).toMatchObject({ flag: 'DC' });
  });

  it('closeGraceMs waits for what is at work', async () => {
    const origin = await own(startHttpOrigin((_request, response) => setTimeout(() => response.end('ok'), 200)));
    const { gateway, ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { closeGraceMs: 600_000 } });
    const client = await open(ingress);
    client.send(GET);
    await expect.poll(origin.connections).toBe(1);
    await gateway.close();
    expect((await client.untilClosed()).endsWith('\r\n\r\nok')).toBe(true);
  });
});

it('a limit out of its bounds is refused at the start', async () => {
  await expect(startGateway({ limits: { connectAttempts: 0 } })).rejects.toThrow(
    new RangeError('connectAttempts is 0: not a whole number from 1 to 100'),
  );
});
