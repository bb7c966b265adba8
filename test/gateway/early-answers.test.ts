import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MEGABYTE, writeAll } from './large-body.ts';
import { type Origin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own } = testScope();

const TOTAL = 64 * MEGABYTE;
const REASON = 'x'.repeat(10_000);

/**
 * Uploads as fast as it can, and begins to read a moment later, as a client that is busy with writing: all that came until the other
 * side ended the connection, or broke it.
 */
function upload(port: number, headers: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    let proceed: () => void = () => undefined;
    socket.setEncoding('latin1');
    socket.pause();
    setTimeout(() => socket.resume(), 100);
    socket.on('data', (chunk: string) => {
      received += chunk;
      // What it came for is there.
      if (received.endsWith('\r\n\r\nno') || received.endsWith(REASON)) socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('drain', () => proceed());
    socket.on('close', () => {
      proceed();
      resolve(received);
    });
    socket.write(`PUT / HTTP/1.1\r\nHost: shop\r\n${headers}\r\n`);
    const drained = (): Promise<void> =>
      new Promise((done) => {
        proceed = done;
      });
    void writeAll((piece) => !socket.writable || socket.write(piece), drained, TOTAL);
  });
}

const LENGTH = `Content-Length: ${TOTAL}\r\n`;
const CLOSE = 'Connection: close\r\n';

function expectWhole(received: string): void {
  expect(received.startsWith('HTTP/1.1 413 ')).toBe(true);
  expect(received.endsWith('\r\n\r\nno')).toBe(true);
}

describe('an answer that comes while the client is still sending', () => {
  const answering = (answer: string): Promise<Origin> => own(startScriptedOrigin(() => answer));
  const NO = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno';

  // The connection must stand for as long as the client looks away.
  const patience = { limits: { unreadBodyMs: 10_000 } };

  it.each([
    ['is kept alive', ''],
    ['is to be closed', CLOSE],
  ])('reaches it whole, where the connection %s', async (_name, connection) => {
    const origin = await answering(NO);
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), patience);
    for (let count = 1; count <= 5; count++) {
      expectWhole(await upload(ingress, LENGTH + connection));
    }
    expect((await told(5)).every(({ status, flag }) => status === 413 && flag === '-')).toBe(true);
  });

  it('reaches it whole from an upstream that closes, or resets, right behind it', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const origin = await own(
        startTcpOrigin((socket) => {
          socket.once('data', () => {
            // Reset once the answer is on its way.
            socket.write(NO, () => setTimeout(() => socket[end](), 20));
          });
        }),
      );
      const { ingress } = await start(everythingTo(clusterAt(origin.port)), patience);
      for (let count = 1; count <= 3; count++) {
        expectWhole(await upload(ingress, LENGTH + CLOSE));
      }
    }
  });

  it('reaches it whole where the gateway gives it itself', async () => {
    const { ingress } = await start(
      tableOf(() => ({ kind: 'direct', rule: undefined, status: 403, body: REASON, response: [] })),
      patience,
    );
    for (let count = 1; count <= 5; count++) {
      const received = await upload(ingress, LENGTH + CLOSE);
      expect(received.startsWith('HTTP/1.1 403 ')).toBe(true);
      expect(received.endsWith(`\r\n\r\n${REASON}`)).toBe(true);
    }
  });

  it('reaches one whose request is refused', async () => {
    const { ingress } = await start(
      tableOf(() => ({ kind: 'none' })),
      patience,
    );
    for (let count = 1; count <= 5; count++) {
      const received = await upload(ingress, `${LENGTH}Host: other\r\n`);
      expect(received.startsWith('HTTP/1.1 400 ')).toBe(true);
      expect(received.endsWith('\r\n\r\nseveral Host headers')).toBe(true);
    }
  });

  it('does not keep a client for ever that goes on sending', async () => {
    const origin = await answering(NO);
    const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { unreadBodyMs: 100 } });
    for (const connection of ['', CLOSE]) {
      const socket = connect({ port: ingress, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.write(`PUT / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n${connection}\r\n`);
      const timer = setInterval(() => socket.write('1\r\nx\r\n'), 10);
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(timer);
      expect(received).toContain('413');
    }
  });
});
