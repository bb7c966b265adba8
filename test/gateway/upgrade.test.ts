import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Origin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
/** RFC 6455 section 1.3. */
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** A WebSocket server without a library: accepts, and echoes each frame. Unmasks nothing but what it reads. */
async function webSocketOrigin(): Promise<Origin> {
  const server = createServer();
  server.on('upgrade', (request, socket: Socket, head: Buffer) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Id: ${request.headers['x-request-id']}\r\n\r\n`,
    );
    let pending = head;
    const echo = (chunk: Buffer): void => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const length = pending.length < 2 ? 0 : (pending[1] as number) & 0x7f;
        const size = 2 + 4 + length;
        if (pending.length < size || length === 0) return;
        const mask = pending.subarray(2, 6);
        const data = Buffer.from(pending.subarray(6, size).map((byte, at) => byte ^ (mask[at % 4] as number)));
        socket.write(Buffer.concat([Buffer.from([0x80 | ((pending[0] as number) & 0x0f), length]), data]));
        pending = pending.subarray(size);
      }
    };
    echo(Buffer.alloc(0));
    socket.on('data', echo);
    socket.on('end', () => socket.end());
  });
  return own(startTcpOrigin((socket) => server.emit('connection', socket)));
}

/** A masked text frame, as clients send them. */
function frame(text: string): string {
  const mask = randomBytes(4);
  const data = Buffer.from(text).map((byte, at) => byte ^ (mask[at % 4] as number));
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, data]).toString('latin1');
}

describe('a WebSocket', () => {
  it('passes, frames and all, with the route’s header edits on its 101', async () => {
    const origin = await webSocketOrigin();
    const { ingress, told, log } = await start(
      everythingTo(clusterAt(origin.port), {
        response: [{ remove: [], set: [], add: [{ name: 'set-cookie', value: ['perch=', { operator: 'REQ', header: 'x-request-id' }] }] }],
      }),
    );
    const client = await open(ingress);
    // The first frame comes with the request's head.
    client.send(UPGRADE + frame('early'));
    await client.untilText('\x81\x05early');
    expect(client.received).toContain('HTTP/1.1 101 Switching Protocols\r\n');
    expect(client.received).toContain(`sec-websocket-accept: ${ACCEPT}\r\n`);
    expect(client.received).toContain('connection: upgrade\r\nupgrade: websocket\r\n');
    const id = /\r\nx-id: (\S+)\r\n/.exec(client.received)?.[1];
    expect(client.received).toContain(`\r\nset-cookie: perch=${id}\r\n`);
    for (let count = 0; count < 50; count++) {
      client.send(frame(`message ${count}`));
      await client.untilText(`message ${count}`);
    }
    client.socket.end();
    await client.untilClosed();
    expect((await told(1))[0]).toMatchObject({ status: 101, flag: '-', path: '/chat', requestId: id });
    expect(log[0]?.['bytes_sent']).toBeGreaterThan(50 * 10);
  });

  it('that the upstream refuses is an ordinary answer', async () => {
    const origin = await own(
      startScriptedOrigin(() => 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n'),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(UPGRADE);
    const received = await client.untilClosed();
    expect(firstStatus(received)).toBe(403);
    expect(received).toContain('transfer-encoding: chunked\r\nconnection: close\r\n');
    // What one read brings goes out as one chunk.
    expect(received).toMatch(/\r\n\r\n(?:3\r\nno!|2\r\nno\r\n1\r\n!)\r\n0\r\n\r\n$/);
    expect((await told(1))[0]).toMatchObject({ status: 403, flag: '-' });
  });

  it('without route or upstream gets the gateway’s own answer', async () => {
    const { ingress, told } = await start(everythingTo(clusterAt()));
    const client = await open(ingress);
    client.send(UPGRADE);
    const received = await client.untilClosed();
    expect(firstStatus(received)).toBe(503);
    expect(received.endsWith('no healthy upstream')).toBe(true);
    expect((await told(1))[0]).toMatchObject({ status: 503, flag: 'UH' });
  });
});

it.each([204, 304])('an answer %d of a route to a request for an upgrade has no body', async (status) => {
  const { ingress } = await start(
    tableOf(() => ({ kind: 'direct', rule: 'rule', status, body: new TextEncoder().encode('hello'), response: [] })),
  );
  const client = await open(ingress);
  client.send(UPGRADE);
  const received = await client.untilClosed();
  expect(firstStatus(received)).toBe(status);
  expect(received.endsWith('\r\n\r\n')).toBe(true);
});

describe('an upgrade to h2c', () => {
  // What it carries would reach the upstream past all routes.
  it.each([
    ['alone', 'Upgrade: h2c\r\n'],
    ['in capitals', 'Upgrade: H2C\r\n'],
    ['before another', 'Upgrade: h2c, websocket\r\n'],
    ['behind another', 'Upgrade: websocket,h2c\r\n'],
    ['on a line before another', 'Upgrade: h2c\r\nUpgrade: websocket\r\n'],
    ['on a line behind another', 'Upgrade: websocket\r\nUpgrade: h2c\r\n'],
  ])('%s is not passed on, and its request is a plain one', async (_name, lines) => {
    const heads: string[] = [];
    const origin = await own(
      startScriptedOrigin((head) => {
        heads.push(head);
        return head.includes('upgrade')
          ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(`GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\n${lines}HTTP2-Settings: AAMAAABk\r\n\r\n`);
    expect(firstStatus(await client.until(({ received }) => received !== ''))).toBe(200);
    expect(heads.map((head) => /upgrade|http2/.test(head))).toEqual([false]);
  });
});

describe('a tunnel of any protocol', () => {
  const accepting = (act: (socket: Socket) => void): Promise<Origin> =>
    own(
      startTcpOrigin((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello');
          act(socket);
        }),
      ),
    );
  const ASK = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';

  it('passes the end of the client’s data on, and still brings the answer', async () => {
    const origin = await accepting((socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('end', () => socket.end(`got ${text}`));
    });
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, { allowHalfOpen: true });
    client.send(ASK);
    await client.untilText('hello');
    client.socket.end('all of it');
    expect((await client.untilClosed()).endsWith('hellogot all of it')).toBe(true);
  });

  it.each(['', 'early'])('passes an end on that came before the switch, behind the bytes %j', async (early) => {
    let text = '';
    const origin = await own(
      startTcpOrigin((socket) =>
        socket.once('data', async () => {
          await sleep(100);
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
          socket.on('data', (chunk) => {
            text += chunk.toString();
          });
          socket.on('end', () => socket.end(`got ${text}.`));
        }),
      ),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, { allowHalfOpen: true });
    client.send(ASK).socket.end(early);
    await client.untilText(`\r\n\r\ngot ${early}.`, 2_000);
    await client.untilClosed();
    expect((await told(1))[0]).toMatchObject({ status: 101, flag: '-', bytesReceived: early.length });
  });

  it('passes the end of the upstream’s data on, and still brings what the client says', async () => {
    let heard = '';
    const origin = await accepting((socket) => {
      socket.end();
      socket.on('data', (chunk) => {
        heard += chunk.toString();
      });
    });
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress, { allowHalfOpen: true });
    client.send(ASK);
    await client.until(({ ended }) => ended);
    client.socket.end('afterwards');
    await expect.poll(() => heard).toBe('afterwards');
  });

  it('breaks on both sides when one breaks', async () => {
    const sockets: Socket[] = [];
    const closed: number[] = [];
    const origin = await accepting((socket) => {
      sockets.push(socket);
      socket.on('data', () => undefined);
      socket.on('close', () => closed.push(sockets.indexOf(socket)));
    });
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const first = await open(ingress);
    first.send(ASK);
    await first.untilText('hello');
    sockets[0]?.resetAndDestroy();
    await first.untilClosed();
    const second = await open(ingress);
    second.send(ASK);
    await second.untilText('hello');
    second.socket.resetAndDestroy();
    await told(2);
    await expect.poll(() => closed).toEqual([0, 1]);
  });

  it('holds the faster side back', async () => {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    const origin = await accepting((socket) => {
      socket.on('error', () => undefined);
      const pump = (): void => {
        do sent += piece.length;
        while (socket.write(piece) && sent < 200_000_000);
      };
      socket.on('drain', pump);
      pump();
    });
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(ASK);
    await client.untilText('hello');
    client.socket.pause();
    let last = -1;
    while (sent !== last) {
      last = sent;
      await sleep(300);
    }
    expect(sent).toBeLessThan(40_000_000);
  });

  it('stays open when the gateway drains, and is cut at the end of its grace', async () => {
    const origin = await accepting((socket) => socket.pipe(socket));
    const { ingress, gateway } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(ASK);
    await client.untilText('hello');
    const closing = gateway.close(1_000);
    client.send('still here');
    await client.untilText('still here');
    await closing;
    await client.untilClosed();
  });
});
