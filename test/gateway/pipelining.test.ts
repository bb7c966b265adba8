import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Origin, startHttpOrigin, startScriptedOrigin } from './origins.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

/** An origin that answers with method, path and body; `/slow` after a while. */
async function tellingOrigin(): Promise<{ origin: Origin; served: string[] }> {
  const served: string[] = [];
  const origin = await own(
    startHttpOrigin(async (request, response) => {
      const body = await request
        .setEncoding('latin1')
        .toArray()
        .then(
          (pieces) => pieces.join(''),
          () => undefined,
        );
      if (body === undefined) return;
      served.push(`${request.method} ${request.url}`);
      if (request.url === '/slow') await sleep(150);
      const text = `<${request.method} ${request.url} ${body}>`;
      if (request.url === '/chunked') {
        response.write(text.slice(0, 5));
        await sleep(5);
        response.end(text.slice(5));
      } else {
        response.setHeader('content-length', text.length).end(text);
      }
    }),
  );
  return { origin, served };
}

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\n${headers}\r\n`;
const statuses = (received: string): string[] => received.match(/HTTP\/1\.1 [0-9]{3}/g) ?? [];

/** Requests of every form: without body, with one of each framing, with trailers, with an answer without body. */
const MIXED = [
  get('/slow'),
  'POST /length HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nfirst',
  'POST /chunks HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HEAD /head HTTP/1.1\r\nHost: shop\r\n\r\n',
  'POST /empty HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n',
  get('/chunked'),
  // Its body looks like a request.
  `PUT /nested HTTP/1.1\r\nHost: shop\r\nContent-Length: ${get('/smuggled').length}\r\n\r\n${get('/smuggled')}`,
];
const MIXED_SERVED = ['GET /slow', 'POST /length', 'POST /chunks', 'HEAD /head', 'POST /empty', 'GET /chunked', 'PUT /nested'];

describe('requests in one segment', () => {
  it('leave others their turn, however many they are', async () => {
    let inThisTurn = 0;
    let most = 0;
    const { ingress } = await start(
      tableOf(() => {
        if (inThisTurn++ === 0) setImmediate(() => (inThisTurn = 0));
        most = Math.max(most, inThisTurn);
        return { kind: 'direct', rule: undefined, status: 200, body: 'ok', response: [] };
      }),
    );
    const client = await open(ingress);
    client.send(get('/').repeat(1000));
    await client.until(({ received }) => statuses(received).length === 1000);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('are answered in order, whatever their form, the slowest first', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(MIXED.join('') + get('/last', 'Connection: close\r\n'));
    const received = await client.untilClosed();
    expect(statuses(received)).toEqual(Array.from({ length: 8 }, () => 'HTTP/1.1 200'));
    const bodies = [
      '<GET /slow >',
      '<POST /length first>',
      '<POST /chunks second>',
      '<POST /empty >',
      '<GET ',
      '/chunked >',
      '<PUT /nested ',
      '<GET /last >',
    ];
    let at = 0;
    for (const body of bodies) {
      const found = received.indexOf(body, at);
      expect(`${body} at ${found >= at}`).toBe(`${body} at true`);
      at = found + body.length;
    }
    expect(served).toEqual([...MIXED_SERVED, 'GET /last']);
    expect((await told(8)).map(({ path }) => path)).toEqual([...MIXED_SERVED, 'GET /last'].map((line) => line.split(' ')[1]));
  });

  it('are answered in order too when they come byte by byte', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    for (const byte of MIXED.join('') + get('/last', 'Connection: close\r\n')) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(statuses(await client.untilClosed()).length).toBe(8);
    expect(served).toEqual([...MIXED_SERVED, 'GET /last']);
  });

  it('are all answered to a client that has closed its sending side', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, { allowHalfOpen: true });
    client.socket.end(MIXED.join('') + get('/last'), 'latin1');
    const received = await client.untilClosed();
    expect(statuses(received).length).toBe(8);
    expect(received.endsWith('<GET /last >')).toBe(true);
    expect(served).toEqual([...MIXED_SERVED, 'GET /last']);
  });

  it.each([
    ['two Hosts', get('/bad', 'Host: other\r\n'), 400],
    ['an unknown coding', 'POST /bad HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
    ['a NUL', get('/bad', 'X: \0\r\n'), 400],
    ['both lengths', 'POST /bad HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['a bad chunk', 'POST /bad HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 400],
  ])('end with one that is refused: %s', async (_name, bad, status) => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(get('/slow') + get('/fine') + bad + get('/smuggled') + get('/smuggled'));
    const received = await client.untilClosed();
    expect(statuses(received)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', `HTTP/1.1 ${status}`]);
    expect(served).toEqual(['GET /slow', 'GET /fine']);
  });

  it('end with one that is refused for a client that has closed its sending side, too', async () => {
    const { origin } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, { allowHalfOpen: true });
    client.socket.end(`${get('/slow')}${get('/bad', 'X: \0\r\n')}`, 'latin1');
    expect(statuses(await client.untilClosed())).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  it('behind a last one are nobody’s', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(get('/slow') + get('/last', 'Connection: close\r\n') + get('/smuggled'));
    expect(statuses(await client.untilClosed()).length).toBe(2);
    expect(served).toEqual(['GET /slow', 'GET /last']);
  });

  it('wait in the client where they are very many: the gateway reads no further than it answers', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    const more = get('/more').repeat(1000);
    client.send(get('/slow'));
    for (let count = 0; count < 500; count++) client.send(more);
    await client.untilText('<GET /slow >');
    // Some 20 MB were sent; the system holds a few MB of them.
    expect(client.socket.writableLength).toBeGreaterThan(10_000_000);
    expect(served.length).toBeLessThan(100_000);
    client.destroy();
  });
});

/** Requests for an upgrade that the gateway serves as plain ones. */
const upgrade = (to: string, more = ''): string => `Connection: upgrade${more}\r\nUpgrade: ${to}\r\n`;
const PLAIN_UPGRADES = [
  get('/h2c', upgrade('h2c', ', http2-settings')),
  `POST /length HTTP/1.1\r\nHost: shop\r\n${upgrade('x')}Content-Length: 5\r\n\r\nfirst`,
  `POST /chunks HTTP/1.1\r\nHost: shop\r\n${upgrade('x')}Transfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `PUT /nested HTTP/1.1\r\nHost: shop\r\nContent-Length: ${get('/smuggled').length}\r\n\r\n${get('/smuggled')}`,
];
const PLAIN_SERVED = ['GET /h2c', 'POST /length', 'POST /chunks', 'PUT /nested', 'GET /last'];

describe('requests behind one for an upgrade that is served as a plain one', () => {
  it('are answered', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(PLAIN_UPGRADES.join('') + get('/last', 'Connection: close\r\n'));
    const received = await client.untilClosed();
    expect(statuses(received)).toEqual(PLAIN_SERVED.map(() => 'HTTP/1.1 200'));
    expect(served).toEqual(PLAIN_SERVED);
  });

  it('are answered wherever the network cuts them', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const text = PLAIN_UPGRADES.join('') + get('/last', 'Connection: close\r\n');
    for (let cut = 1; cut < text.length; cut += 3) {
      served.length = 0;
      const client = await open(ingress);
      client.send(text.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      client.send(text.slice(cut));
      expect(`${cut}: ${statuses(await client.untilClosed())}`).toBe(`${cut}: ${PLAIN_SERVED.map(() => 'HTTP/1.1 200')}`);
      expect(served).toEqual(PLAIN_SERVED);
    }
  }, 60_000);

  it('are nobody’s where its body is malformed', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(`POST /bad HTTP/1.1\r\nHost: shop\r\n${upgrade('x')}Transfer-Encoding: chunked\r\n\r\n3\r\nsec`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.send(`XX\r\n${get('/smuggled')}`);
    expect(statuses(await client.untilClosed())).toEqual(['HTTP/1.1 400']);
    expect(served).toEqual([]);
  });

  it('may ask for another one, which ends the connection where it is not granted', async () => {
    const { origin, served } = await tellingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(get('/h2c', upgrade('h2c')) + get('/websocket', upgrade('websocket')) + get('/smuggled'));
    expect(statuses(await client.untilClosed())).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(served).toEqual(['GET /h2c', 'GET /websocket']);
  });

  it('may ask for another one, and be granted it, with what it has sent already', async () => {
    const origin = await own(
      startScriptedOrigin((head, socket) => {
        if (head.startsWith('GET /first')) return 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst';
        socket.on('data', (bytes) => socket.write(`<${bytes.toString('latin1')}>`));
        return 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(`${get('/first')}${get('/tunnel', upgrade('x'))}early`);
    const received = await client.untilText('<early>');
    expect(statuses(received)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 101']);
    client.send('late');
    await client.untilText('<late>');
  });
});
