import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { asChunk, digest, MEGABYTE, pieces, unchunk, writeAll } from './large-body.ts';
import { startHttpOrigin, startTcpOrigin } from './origins.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

/** Far more than the sockets of the way hold (a few megabytes each). */
const LARGE = 200 * MEGABYTE;
/** The gateway may hold a few buffers per connection; without back-pressure it would hold most of LARGE. */
const BOUND = 40 * MEGABYTE;

describe('large bodies', () => {
  it.each(['length', 'chunked', 'close'] as const)('reach a client whole (%s)', async (framing) => {
    const total = 30 * MEGABYTE;
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.once('data', async () => {
          const header = { length: `Content-Length: ${total}\r\n`, chunked: 'Transfer-Encoding: chunked\r\n', close: '' }[framing];
          socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n`);
          const drained = (): Promise<unknown> => new Promise((resolve) => socket.once('drain', resolve));
          await writeAll((piece) => socket.write(framing === 'chunked' ? asChunk(piece) : piece), drained, total);
          if (framing === 'chunked') socket.write('0\r\n\r\n');
          if (framing === 'close') socket.end();
        });
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const hash = createHash('sha1');
    const response = await fetch(`http://127.0.0.1:${ingress}/`);
    for await (const chunk of response.body as ReadableStream<Uint8Array>) hash.update(chunk);
    expect(hash.digest('hex')).toBe(digest(total));
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it.each([true, false])('reach an upstream whole (length given: %s)', async (lengthGiven) => {
    const total = 30 * MEGABYTE;
    const origin = await own(
      startHttpOrigin((request, response) => {
        const hash = createHash('sha1');
        request.on('data', (chunk: Buffer) => hash.update(chunk));
        request.on('end', () => response.end(hash.digest('hex')));
      }),
    );
    const { ingress, log, told } = await start(everythingTo(clusterAt(origin.port)));
    const body = await new Promise<string>((resolve, reject) => {
      const headers = lengthGiven ? { 'content-length': total } : { 'transfer-encoding': 'chunked' };
      const request = httpRequest({ port: ingress, host: '127.0.0.1', method: 'PUT', headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(text));
      });
      request.on('error', reject);
      void writeAll(
        (piece) => request.write(piece),
        () => new Promise((drained) => request.once('drain', drained)),
        total,
      ).then(() => request.end());
    });
    expect(body).toBe(digest(total));
    await told(1);
    expect(log[0]).toMatchObject({ bytes_received: total, bytes_sent: 40, response_code: 200 });
  });
});

describe('back-pressure', () => {
  it('holds an upstream back while the client does not read', async () => {
    let sent = 0;
    const origin = await own(
      startHttpOrigin(async (_request, response) => {
        response.on('error', () => undefined);
        await writeAll(
          (piece) => {
            sent += piece.length;
            return response.write(piece);
          },
          () => new Promise((resolve) => response.once('drain', resolve)),
          LARGE,
        );
        response.end();
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const before = process.memoryUsage();
    const socket = connect({ port: ingress, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    // Never read: flow stops once the buffers on the way are full.
    await steady(() => sent);
    const after = process.memoryUsage();
    expect(sent).toBeLessThan(BOUND);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(BOUND);

    // Reading on, all of it comes, and nothing was lost or read over meanwhile.
    const hash = createHash('sha1');
    let text: Buffer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text = unchunk(Buffer.concat([text, chunk]), hash);
    }
    expect(hash.digest('hex')).toBe(digest(LARGE));
  });

  it('holds a client back while the upstream does not read', async () => {
    let paused = true;
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.pause();
        const timer = setInterval(() => {
          if (!paused) socket.resume();
        }, 10);
        socket.on('close', () => clearInterval(timer));
        socket.on('data', () => undefined);
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const before = process.memoryUsage();
    const socket = connect({ port: ingress, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.write(`PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: ${LARGE}\r\n\r\n`);
    let sent = 0;
    void writeAll(
      (piece) => {
        sent += piece.length;
        return socket.write(piece);
      },
      () => new Promise((resolve) => socket.once('drain', resolve)),
      LARGE,
    );
    await steady(() => sent);
    const after = process.memoryUsage();
    expect(sent).toBeLessThan(BOUND);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(BOUND);
    paused = false;
    await until(() => sent === LARGE);
    socket.destroy();
  });
});

describe('streams', () => {
  it('sends the bytes of a head on as they are, also ahead of the body', async () => {
    const text = 'Content-Disposition: attachment; filename="\xe9\xc3\xa9"\r\n';
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.once('data', () => socket.write(`HTTP/1.1 200 \xd6K\r\n${text}Transfer-Encoding: chunked\r\n\r\n`, 'latin1'));
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    const head = await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').untilText('\r\n\r\n');
    expect(head).toContain('HTTP/1.1 200 \xd6K\r\n');
    expect(head).toContain('filename="\xe9\xc3\xa9"\r\n');
  });

  it('flow as they come, both ways at once', async () => {
    // An echo that answers before the request is complete.
    const origin = await own(
      startHttpOrigin((request, response) => {
        response.flushHeaders();
        request.pipe(response);
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n');
    await client.untilText('\r\n\r\n');
    for (const word of ['one', 'two', 'three']) {
      client.send(`${word.length.toString(16)}\r\n${word}\r\n`);
      await client.untilText(`${word.length.toString(16)}\r\n${word}\r\n`);
    }
    client.send('0\r\n\r\n');
    expect((await client.untilClosed()).endsWith('0\r\n\r\n')).toBe(true);
  });

  it('to clients that stall keep every byte', async () => {
    // 64 kB reads that are handed to sockets which do not take them: the read buffer must not be used again (performance.md, trap 1).
    const total = 4 * MEGABYTE;
    const origin = await own(
      startHttpOrigin((_request, response) => {
        response.setHeader('content-length', total);
        for (const piece of pieces(total)) response.write(piece);
        response.end();
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const expected = digest(total);
    const results = await Promise.all(
      Array.from({ length: 24 }, async (_, at) => {
        const socket = connect({ port: ingress, host: '127.0.0.1' });
        socket.write('GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
        await sleep(20 + (at % 6) * 40);
        const chunks: Buffer[] = [];
        for await (const chunk of socket as AsyncIterable<Buffer>) {
          chunks.push(chunk);
          if (chunks.length % 8 === at % 8) await sleep(1);
        }
        const all = Buffer.concat(chunks);
        return createHash('sha1')
          .update(all.subarray(all.indexOf('\r\n\r\n') + 4))
          .digest('hex');
      }),
    );
    expect(new Set(results)).toEqual(new Set([expected]));
  });

  it('of events arrive one by one', async () => {
    let tell: (event: string | undefined) => void = () => undefined;
    const origin = await own(
      startHttpOrigin((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        tell = (event) => void (event === undefined ? response.end() : response.write(event));
        tell('data: 1\n\n');
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const response = await fetch(`http://127.0.0.1:${ingress}/`);
    const events: string[] = [];
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      events.push(Buffer.from(chunk).toString());
      // Not before this one has come: a gateway that held events back would wait for ever.
      tell(events.length < 3 ? `data: ${events.length + 1}\n\n` : undefined);
    }
    expect(events).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
  });
});

/** Waits until a count has stood still for half a second. */
async function steady(count: () => number): Promise<void> {
  let last = -1;
  while (count() !== last || last === 0) {
    last = count();
    await sleep(500);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('not within 20 s');
    await sleep(10);
  }
}
