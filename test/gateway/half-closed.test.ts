import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { digest, MEGABYTE, writeAll } from './large-body.ts';
import { type Origin, startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
const HALF_OPEN = { allowHalfOpen: true };

describe('a client that has closed its sending side', () => {
  it.each([
    ['a request', GET],
    ['a body of known length', 'POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello'],
    ['chunks', 'POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('after %s still gets its answer, and then the end', async (_name, text) => {
    const origin = await own(
      startHttpOrigin((request, response) => {
        request.resume();
        request.on('end', () => setTimeout(() => response.end('here it is'), 100));
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, HALF_OPEN);
    client.socket.end(text, 'latin1');
    const received = await client.untilClosed();
    expect(firstStatus(received)).toBe(200);
    expect(received).toContain('here it is');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it('within its request gets 400, and the upstream no whole request', async () => {
    const complete: boolean[] = [];
    const begun = Promise.withResolvers<void>();
    const origin = await own(
      startHttpOrigin((request) => {
        request.once('data', () => begun.resolve());
        request.on('close', () => complete.push(request.complete));
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, HALF_OPEN);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    await begun.promise;
    client.socket.end();
    expect(firstStatus(await client.untilClosed())).toBe(400);
    expect((await told(1))[0]).toMatchObject({ status: 400, flag: 'DPE' });
    await expect.poll(() => complete).toEqual([false]);
  });

  it('within a head gets 400', async () => {
    const { ingress } = await start(everythingTo(clusterAt()));
    const client = await open(ingress, HALF_OPEN);
    client.socket.end('GET / HTTP/1.1\r\nHost: sh');
    expect(firstStatus(await client.untilClosed())).toBe(400);
  });

  /** Never answers; tells when the connection is gone. */
  async function silentOrigin(): Promise<{ origin: Origin; gone: () => boolean; asked: () => boolean }> {
    let [gone, asked] = [false, false];
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.on('data', () => {
          asked = true;
        });
        for (const event of ['end', 'close']) {
          socket.on(event, () => {
            gone = true;
          });
        }
      }),
    );
    return { origin, gone: () => gone, asked: () => asked };
  }

  it('is given up after a while of silence, as one that is gone: DC, and the upstream is let go', async () => {
    const { origin, gone } = await silentOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { halfClosedMs: 100 } });
    const client = await open(ingress, HALF_OPEN);
    client.socket.end(GET);
    await client.until(({ closed }) => closed);
    expect(client.received).toBe('');
    expect((await told(1))[0]).toMatchObject({ status: 0, flag: 'DC' });
    await expect.poll(gone).toBe(true);
  });

  it('is not given up while its answer flows', async () => {
    // A second in all, with silences of a tenth: beyond the limit together, not one by one.
    const origin = await own(
      startHttpOrigin((_request, response) => {
        let count = 0;
        const timer = setInterval(() => {
          response.write(`event ${++count}\n`);
          if (count === 12) {
            clearInterval(timer);
            response.end();
          }
        }, 100);
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { halfClosedMs: 600 } });
    const client = await open(ingress, HALF_OPEN);
    client.socket.end(GET);
    expect(await client.untilClosed()).toContain('event 12\n');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it('is given up at once with halfClosedMs=0, as at Envoy', async () => {
    const { origin, gone, asked } = await silentOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { halfClosedMs: 0 } });
    const client = await open(ingress, HALF_OPEN);
    client.send(GET);
    await expect.poll(asked).toBe(true);
    client.socket.end();
    expect((await told(1))[0]).toMatchObject({ status: 0, flag: 'DC' });
    await expect.poll(gone).toBe(true);
  });

  it('between requests is closed', async () => {
    const origin = await own(startScriptedOrigin(() => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, HALF_OPEN);
    await client.send(GET).untilText('\r\n\r\nok');
    client.socket.end();
    await client.until(({ closed }) => closed);
  });
});

describe('an upstream that has closed its sending side', () => {
  it('with an answer of unknown length has ended it, and is sent the rest of nothing', async () => {
    const asked = Promise.withResolvers<Socket>();
    const origin = await own(startTcpOrigin((socket) => socket.once('data', () => asked.resolve(socket))));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(GET);
    const socket = await asked.promise;
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    await client.untilText('\r\n\r\n');
    socket.write('some');
    await client.untilText('some');
    socket.end(' more');
    const received = await client.untilText('\r\n0\r\n\r\n');
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe('4\r\nsome\r\n5\r\n more\r\n0\r\n\r\n');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it('right behind a whole answer is not asked again', async () => {
    const origin = await own(
      startScriptedOrigin((_head, socket) => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        return undefined;
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    for (let count = 1; count <= 3; count++) {
      client.send(GET);
      await client.until(({ received }) => received.split('\r\n\r\nok').length === count + 1);
      await sleep(30);
    }
    expect((await told(3)).map(({ flag }) => flag)).toEqual(['-', '-', '-']);
    expect(origin.connections()).toBe(3);
  });

  it('before it answers gets no second chance with a POST: 503', async () => {
    const origin = await own(startTcpOrigin((socket) => socket.once('data', () => socket.end())));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi');
    expect(firstStatus(await client.untilText('connection termination'))).toBe(503);
    expect(origin.connections()).toBe(1);
  });
});

describe('a tunnel whose one side has ended', () => {
  const TOTAL = 8 * MEGABYTE;
  const ASK = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
  const accepting = (act: (socket: Socket) => void): Promise<Origin> =>
    own(
      startTcpOrigin((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello');
          act(socket);
        }),
      ),
    );
  const pump = (socket: Socket): Promise<void> =>
    writeAll(
      (piece) => socket.write(piece),
      () => once(socket, 'drain'),
      TOTAL,
    );
  async function tunnelTo(origin: Origin): Promise<{ socket: Socket; greeting: Promise<void> }> {
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const socket = connect({ port: ingress, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(ASK);
    const greeting = (async () => {
      let text = '';
      while (!text.endsWith('\r\n\r\nhello')) {
        await once(socket, 'readable');
        text += (socket.read() as Buffer | null)?.toString('latin1') ?? '';
      }
    })();
    return { socket, greeting };
  }

  it('the client’s: brings all that the upstream has left to say', async () => {
    const origin = await accepting((socket) => {
      socket.resume();
      socket.on('end', async () => {
        await pump(socket);
        socket.end();
      });
    });
    const { socket, greeting } = await tunnelTo(origin);
    await greeting;
    socket.end();
    const hash = createHash('sha1');
    for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk);
    expect(hash.digest('hex')).toBe(digest(TOTAL));
  });

  it('the upstream’s: takes all that the client has left to say', async () => {
    const heard = Promise.withResolvers<string>();
    const origin = await accepting((socket) => {
      socket.end();
      const hash = createHash('sha1');
      socket.on('data', (chunk) => hash.update(chunk));
      socket.on('end', () => heard.resolve(hash.digest('hex')));
    });
    const { socket, greeting } = await tunnelTo(origin);
    await greeting;
    socket.resume();
    await once(socket, 'end');
    await pump(socket);
    socket.end();
    expect(await heard.promise).toBe(digest(TOTAL));
  });

  it('by a reset is told as a reset, in both directions: an end would look regular', async () => {
    const sockets: Socket[] = [];
    const failures: string[] = [];
    const origin = await accepting((socket) => {
      sockets.push(socket);
      socket.resume();
      socket.on('error', (error: NodeJS.ErrnoException) => failures.push(`upstream ${error.code}`));
    });
    const first = await tunnelTo(origin);
    await first.greeting;
    first.socket.on('error', (error: NodeJS.ErrnoException) => failures.push(`client ${error.code}`));
    first.socket.resume();
    sockets[0]?.resetAndDestroy();
    await expect.poll(() => failures).toEqual(['client ECONNRESET']);
    const second = await tunnelTo(origin);
    await second.greeting;
    second.socket.resetAndDestroy();
    await expect.poll(() => failures).toEqual(['client ECONNRESET', 'upstream ECONNRESET']);
  });
});
