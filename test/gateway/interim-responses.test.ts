import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Origin, refusingPort, startBodyOrigin, startTcpOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EXPECTING = 'POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
/** Long enough that nothing in a test happens because of it. */
const NEVER = { limits: { continueMs: 600_000 } };

interface Watched {
  readonly origin: Origin;
  readonly connections: { readonly socket: Socket; text: string }[];
  /** Resolves when the newest connection has received `text`. */
  received(text: string): Promise<Socket>;
}

/** An origin that the test answers for. */
async function watchedOrigin(): Promise<Watched> {
  const connections: { readonly socket: Socket; text: string }[] = [];
  const origin = await own(
    startTcpOrigin((socket) => {
      const connection = { socket, text: '' };
      connections.push(connection);
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        connection.text += chunk;
      });
    }),
  );
  return {
    origin,
    connections,
    received: async (text) => {
      await expect.poll(() => connections.at(-1)?.text ?? '', { timeout: 5_000 }).toContain(text);
      return (connections.at(-1) as (typeof connections)[number]).socket;
    },
  };
}

describe('Expect: 100-continue', () => {
  it('goes to the upstream, and its 100 to the client, which then sends the body', async () => {
    const { origin, received, connections } = await watchedOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), NEVER);
    const client = await open(ingress);
    client.send(EXPECTING);
    const socket = await received('expect: 100-continue\r\n');
    expect(client.received).toBe('');
    socket.write(CONTINUE);
    expect(await client.untilText('\r\n\r\n')).toBe(CONTINUE);
    client.send('hello');
    await received('hello');
    socket.write(OK);
    await client.untilText('\r\n\r\nok');
    // Nothing is uncertain about this connection, nor about the upstream's.
    client.send('GET /next HTTP/1.1\r\nHost: shop\r\n\r\n');
    await received('GET /next');
    expect(connections.length).toBe(1);
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it.each([417, 401, 200])('whose answer is %d means no body, and the end of the connection', async (status) => {
    const { origin, received, connections } = await watchedOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), NEVER);
    const client = await open(ingress);
    client.send(EXPECTING);
    (await received('expect: ')).write(`HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\nend`);
    const text = await client.untilClosed();
    expect(firstStatus(text)).toBe(status);
    expect(text).toContain('\r\nconnection: close\r\n');
    expect(text.endsWith('\r\n\r\nend')).toBe(true);
    expect((await told(1))[0]).toMatchObject({ status, flag: '-' });
    // The upstream still waits for a body: its connection is of no more use.
    await expect.poll(() => connections[0]?.socket.readableEnded || connections[0]?.socket.destroyed).toBe(true);
  });

  it('holds nobody up who sends the body without waiting', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), NEVER);
    const client = await open(ingress);
    client.send(`${EXPECTING}hello`);
    const socket = await received('\r\n\r\nhello');
    socket.write(CONTINUE + OK);
    await client.untilText('\r\n\r\nok');
    // The body is complete, so the next request's place is known.
    client.send('GET /next HTTP/1.1\r\nHost: shop\r\n\r\n');
    await received('GET /next');
  });

  it('is answered by the gateway where the upstream leaves it unanswered', async () => {
    // A server that knows no Expect reads on for the body.
    const { origin, received } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { continueMs: 50 } });
    const client = await open(ingress);
    client.send(EXPECTING);
    expect(await client.untilText('\r\n\r\n')).toBe(CONTINUE);
    client.send('hello');
    const socket = await received('hello');
    // The upstream's own, late, would be a second one.
    socket.write(CONTINUE + OK);
    expect((await client.untilText('\r\n\r\nok')).split(CONTINUE).length).toBe(2);
  });

  it('is answered at once with continueMs=0, when there is an upstream', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { continueMs: 0 } });
    const client = await open(ingress);
    client.send(EXPECTING);
    await client.untilText(CONTINUE);
    client.send('hello');
    (await received('hello')).write(OK);
    await client.untilText('\r\n\r\nok');
  });

  it('goes with the request to another endpoint', async () => {
    const { origin, received } = await watchedOrigin();
    const dead = await Promise.all([refusingPort(), refusingPort()]);
    const { ingress } = await start(everythingTo(clusterAt(...dead, origin.port)), NEVER);
    const client = await open(ingress);
    client.send(EXPECTING);
    (await received('expect: 100-continue\r\n')).write(CONTINUE);
    await client.untilText(CONTINUE);
    client.send('hello');
    (await received('\r\n\r\nhello')).write(OK);
    await client.untilText('\r\n\r\nok');
  });

  it('without any endpoint that answers is 503, and the body is not asked for', async () => {
    const { ingress } = await start(everythingTo(clusterAt(await refusingPort())), { limits: { continueMs: 0 } });
    const received = await exchange(ingress, EXPECTING, 5_000);
    expect(received).not.toContain('100 Continue');
    expect(firstStatus(received)).toBe(503);
    expect(received).toContain('\r\nconnection: close\r\n');
  });

  it('is not asked for either where the answer is known already', async () => {
    const { ingress } = await start(tableOf(() => ({ kind: 'none' })));
    const received = await exchange(ingress, EXPECTING, 5_000);
    expect(firstStatus(received)).toBe(404);
    expect(received).toContain('connection: close');
  });

  it('without a body is nobody’s business', async () => {
    const { origin, received, connections } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), NEVER);
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n\r\n');
    (await received('\r\n\r\n')).write(OK);
    await client.untilText('\r\n\r\nok');
    expect(connections[0]?.text).not.toContain('expect');
    expect(client.received).not.toContain('connection: close');
  });

  it('works between Node’s own client and server', async () => {
    const bodies: string[] = [];
    const origin = await own(startBodyOrigin(bodies));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), NEVER);
    const client = await open(ingress);
    for (let count = 1; count <= 3; count++) {
      client.send(EXPECTING);
      await client.until(({ received }) => received.split(CONTINUE).length === count + 1);
      client.send('hello');
      await client.until(({ received }) => received.split('HTTP/1.1 200 OK').length === count + 1);
    }
    expect(bodies).toEqual(['hello', 'hello', 'hello']);
    expect(origin.connections()).toBe(1);
  });
});

describe('1xx', () => {
  it('reaches the client ahead of the answer, as it comes, without the headers of the upstream’s connection', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    const socket = await received('\r\n\r\n');
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\n');
    expect(await client.untilText('\r\n\r\n')).toBe('HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n');
    socket.write('HTTP/1.1 102 Processing\r\n\r\n');
    await client.untilText('HTTP/1.1 102 Processing\r\n\r\n');
    socket.write(OK);
    await client.untilText('\r\n\r\nok');
    expect((await told(1))[0]).toMatchObject({ status: 200 });
  });

  it('100 is kept from a client that did not ask', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi');
    (await received('hi')).write(CONTINUE + OK);
    expect(firstStatus(await client.untilText('\r\n\r\nok'))).toBe(200);
  });

  it('comes before 101 too', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    (await received('\r\n\r\n')).write(
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello',
    );
    const text = await client.untilText('hello');
    expect(text.match(/HTTP\/1\.1 [0-9]{3}/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 101']);
  });

  it('cannot go on for ever: 502', async () => {
    const { origin, received } = await watchedOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { interimResponses: 3 } });
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    (await received('\r\n\r\n')).write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(4));
    const text = await client.untilClosed();
    expect(text.match(/HTTP\/1\.1 [0-9]{3}/g)).toEqual(['HTTP/1.1 102', 'HTTP/1.1 102', 'HTTP/1.1 102', 'HTTP/1.1 502']);
    expect((await told(1))[0]).toMatchObject({ status: 502, flag: 'UPE' });
  });
});
