import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startBodyOrigin, startHttpOrigin, startScriptedOrigin } from './origins.ts';
import { exchange, firstStatus, type RawClient } from './raw-client.ts';
import { clusterAt, everythingTo, INGRESS, MESH, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
const DIRECT = tableOf(() => ({ kind: 'direct', rule: undefined, status: 200, body: 'ok', response: [] }));

const answered = (client: RawClient, count = 1): Promise<string> =>
  client.until(({ received }) => received.split('HTTP/1.1 200').length === count + 1);
const used = async (port: number): Promise<RawClient> => {
  const client = await open(port);
  await answered(client.send(GET));
  return client;
};

/** Sends a byte now and then, until told to stop. */
function drip(client: RawClient, text: string, everyMs: number): () => void {
  const timer = setInterval(() => client.send(text), everyMs);
  return () => clearInterval(timer);
}

describe('slow clients', () => {
  it('whose heads drip are all cut, and others are served meanwhile', async () => {
    const { ingress } = await start(DIRECT, { limits: { requestHeadMs: 1_000 } });
    const slow = await Promise.all(Array.from({ length: 50 }, () => open(ingress)));
    const stop = slow.map((client) => drip(client.send('GET / HTTP/1.1\r\nHost: shop\r\nX: '), 'y', 20));
    const [quick] = await Promise.all([used(ingress), sleep(500)]);
    await answered(quick.send(GET), 2);
    for (const client of slow) expect(firstStatus(await client.untilClosed())).toBe(408);
    for (const end of stop) end();
  });

  it('whose body drips goes on, unless a least rate is asked for: then 408, and the upstream is let go', async () => {
    const closed: boolean[] = [];
    const origin = await own(
      startHttpOrigin((request) => {
        request.resume().on('close', () => closed.push(request.complete));
      }),
    );
    const slowBody = async (requestBodyStallBytes: number): Promise<RawClient> => {
      const { ingress } = await start(everythingTo(clusterAt(origin.port)), {
        limits: { requestBodyStallMs: 1_000, requestBodyStallBytes },
      });
      return (await open(ingress)).send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n');
    };
    const [patient, strict] = await Promise.all([slowBody(1), slowBody(1024)]);
    const stop = [patient, strict].map((client) => drip(client, 'x', 50));
    expect(firstStatus(await strict.untilClosed())).toBe(408);
    await expect.poll(() => closed).toEqual([false]);
    expect(patient.closed || patient.ended).toBe(false);
    for (const end of stop) end();
  });

  it('whose body comes quickly enough is not cut by a least rate', async () => {
    const bodies: string[] = [];
    const origin = await own(startBodyOrigin(bodies));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), {
      limits: { requestBodyStallMs: 2_000, requestBodyStallBytes: 1024 },
    });
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10000\r\n\r\n');
    for (let piece = 0; piece < 10; piece++) {
      client.send('x'.repeat(1000));
      await sleep(250);
    }
    await answered(client);
    expect(bodies).toEqual(['x'.repeat(10_000)]);
  });

  it('that read their answer at a drip are cut, and those that only read slowly are not', async () => {
    const origin = await own(
      startHttpOrigin((_request, response) => {
        response.on('error', () => undefined);
        response.end(Buffer.alloc(60_000_000));
      }),
    );
    const sipping = async (responseStallBytes: number) => {
      const gateway = await start(everythingTo(clusterAt(origin.port)), { limits: { responseStallMs: 1_500, responseStallBytes } });
      const client = await open(gateway.ingress);
      client.socket.pause();
      client.send(GET);
      // Some of it all the time: a few MB each second.
      const sip = setInterval(() => void client.socket.read(), 20);
      return { gateway, stop: () => clearInterval(sip) };
    };
    const [cut, kept] = await Promise.all([sipping(50_000_000), sipping(1)]);
    const [event] = await cut.gateway.told(1);
    expect(event).toMatchObject({ flag: 'DC' });
    expect(event?.durationMs).toBeGreaterThan(1_500);
    await sleep(500);
    expect(kept.gateway.events).toEqual([]);
    cut.stop();
    kept.stop();
  });
});

describe('a flood of connections', () => {
  it('that are idle: those that have been so for the longest time make room, and whoever asks is served', async () => {
    const { ingress } = await start(DIRECT, { limits: { clientConnections: 40 } });
    const idle: RawClient[] = [];
    for (let count = 0; count < 40; count++) idle.push(await used(ingress));
    // The first is used again, so it is the youngest now.
    await answered((idle[0] as RawClient).send(GET), 2);
    const others = await Promise.all(Array.from({ length: 5 }, () => used(ingress)));
    await expect.poll(() => idle.filter(({ closed, ended }) => closed || ended).length).toBe(5);
    expect(idle.slice(1, 6).every(({ closed, ended }) => closed || ended)).toBe(true);
    await Promise.all([idle[0] as RawClient, ...others].map((client, at) => answered(client.send(GET), at === 0 ? 3 : 2)));
  });

  it('that never say a word make room, too', async () => {
    const { ingress } = await start(DIRECT, { limits: { clientConnections: 20 } });
    const silent = await Promise.all(Array.from({ length: 100 }, () => open(ingress)));
    await Promise.all(Array.from({ length: 5 }, () => used(ingress)));
    await expect.poll(() => silent.filter(({ closed, ended }) => closed || ended).length).toBeGreaterThanOrEqual(85);
  });

  it('that are all in use: new ones are closed, and served again once there is room', async () => {
    const waiting: (() => void)[] = [];
    const origin = await own(
      startScriptedOrigin((_head, socket) => void waiting.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { clientConnections: 10 } });
    const busy = await Promise.all(Array.from({ length: 9 }, () => open(ingress)));
    for (const client of busy) client.send(GET);
    const dripping = await open(ingress);
    dripping.send('GET / HTTP/1.1\r\n');
    await expect.poll(() => waiting.length).toBe(9);
    await sleep(50);
    for (let count = 0; count < 5; count++) expect(await exchange(ingress, GET)).toBe('');
    for (const respond of waiting.splice(0)) respond();
    await Promise.all(busy.map((client) => answered(client)));
    await sleep(150);
    const late = await open(ingress);
    late.send(GET);
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.();
    await answered(late);
  });

  it('at one listener leaves room for the others', async () => {
    const { ingress, mesh } = await start(
      tableOf(() => ({ kind: 'direct', rule: undefined, status: 200, body: 'ok', response: [] }), [], [INGRESS, MESH]),
      { limits: { clientConnections: 30, listenerConnections: 20 } },
    );
    const inside: RawClient[] = [];
    for (let count = 0; count < 5; count++) inside.push(await used(mesh));
    await Promise.all(Array.from({ length: 100 }, () => open(ingress)));
    await used(ingress);
    await Promise.all(inside.map((client) => answered(client.send(GET), 2)));
  });

  it('does not outlive its clients: all room is there again', async () => {
    const { ingress } = await start(DIRECT, { limits: { clientConnections: 8 } });
    for (let round = 0; round < 3; round++) {
      const clients = await Promise.all(Array.from({ length: 8 }, () => used(ingress)));
      for (const client of clients) client.destroy();
      await Promise.all(clients.map((client) => client.until(({ closed }) => closed)));
    }
    await sleep(50);
    const clients: RawClient[] = [];
    for (let count = 0; count < 8; count++) clients.push(await used(ingress));
    await Promise.all(clients.map((client) => answered(client.send(GET), 2)));
  });
});

describe('heads', () => {
  it.each([
    ['of one huge header', `X: ${'a'.repeat(10_000_000)}\r\n\r\n`],
    ['of very many headers', `${'X: a\r\n'.repeat(1_000_000)}\r\n`],
    ['of a huge target', undefined],
  ])('%s get 431 before they have ended, and their connection is closed', async (_name, lines) => {
    const { ingress } = await start(DIRECT);
    const client = await open(ingress);
    client.send(lines === undefined ? `GET /${'a'.repeat(10_000_000)}` : `GET / HTTP/1.1\r\nHost: shop\r\n${lines}`);
    expect(firstStatus(await client.until(({ closed, ended }) => closed || ended))).toBe(431);
    await used(ingress);
  });
});
