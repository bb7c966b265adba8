import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isSynthetic } from '../../core/evidence/synthetic-visitor.ts';
import { probeHttp } from './http-probe.ts';
import type { ProbeAnswer } from './probe-answer.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Long enough for any answer that comes at all. */
const PATIENT_MS = 20_000;
/** Short, for those that never come. */
const HURRIED_MS = 150;

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An HTTP server that answers by `listener`. */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return await listening(server);
}

/** A TCP server that answers these bytes to whatever comes. */
async function say(bytes: string, after: (socket: Socket) => void = (socket) => socket.end()): Promise<number> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    socket.once('data', () => {
      socket.write(bytes);
      after(socket);
    });
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return await listening(server);
}

async function probe(port: number, timeoutMs = PATIENT_MS, path = '/healthz'): Promise<ProbeAnswer> {
  return await probeHttp({ address: '127.0.0.1', port }, path, timeoutMs, new AbortController().signal);
}

describe('an HTTP check', () => {
  test.each([
    [200, 'passes'],
    [204, 'passes'],
    [302, 'passes'],
    [399, 'passes'],
    [400, 'fails'],
    [404, 'fails'],
    [503, 'fails'],
  ] as const)('an answer of %d %s, as with a Kubernetes readinessProbe', async (status, kind) => {
    const port = await serve((_, response) => response.writeHead(status).end());
    const reason = kind === 'fails' ? { reason: `answers ${status} at /healthz` } : {};
    expect(await probe(port)).toEqual({ kind, ...reason });
  });

  test('asks once, on a connection of its own, as a probe', async () => {
    const asked: IncomingMessage[] = [];
    const port = await serve((request, response) => {
      asked.push(request);
      response.end('fine');
    });
    expect(await probe(port, PATIENT_MS, '/ready?deep=1')).toEqual({ kind: 'passes' });
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /ready?deep=1']);
    const { host, connection, 'user-agent': agent } = asked[0]?.headers ?? {};
    expect({ host, connection, agent }).toEqual({ host: `127.0.0.1:${port}`, connection: 'close', agent: 'perch-probe/1 (health check)' });
    expect(isSynthetic(agent)).toBe(true);
  });

  test('a redirect is not followed', async () => {
    let followed = 0;
    const elsewhere = await serve((_, response) => {
      followed += 1;
      response.writeHead(503).end();
    });
    const port = await serve((_, response) => response.writeHead(301, { location: `http://127.0.0.1:${elsewhere}/` }).end());
    expect(await probe(port)).toEqual({ kind: 'passes' });
    expect(followed).toBe(0);
  });

  test('an endpoint that takes the connection and never answers is cut at the timeout', async () => {
    const port = await serve(() => undefined);
    expect(await probe(port, HURRIED_MS)).toEqual({ kind: 'fails', reason: `no answer within ${HURRIED_MS} ms` });
  });

  test('so is one whose answer does not end', async () => {
    const port = await serve((_, response) => response.writeHead(200).write('and so on'));
    const reason = `answers 200 at /healthz, but not to its end within ${HURRIED_MS} ms`;
    expect(await probe(port, HURRIED_MS)).toEqual({ kind: 'fails', reason });
  });

  test('of a body without end 10 KiB are read, then the connection is closed', async () => {
    const closed = Promise.withResolvers<void>();
    const port = await serve((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(1024)));
        response.once('drain', more);
      };
      response.on('close', closed.resolve);
      more();
    });
    expect(await probe(port)).toEqual({ kind: 'passes' });
    await closed.promise;
  });

  test.each([
    ['something else than HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'answers something that is not HTTP/1.1'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`, 'answers something that is not HTTP/1.1'],
    ['nothing, and closes', '', 'closed the connection without an answer'],
    ['a body cut short', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfive5', 'closed the connection without an answer'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'answers 101 at /healthz'],
  ])('%s fails', async (_, bytes, reason) => {
    expect(await probe(await say(bytes))).toEqual({ kind: 'fails', reason });
  });

  test('nobody listens', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    expect(await probe(port)).toEqual({ kind: 'fails', reason: 'connection refused' });
  });

  test('can be given up, which says nothing about the endpoint', async () => {
    const asked = Promise.withResolvers<void>();
    const port = await serve(() => asked.resolve());
    const stop = new AbortController();
    const answer = probeHttp({ address: '127.0.0.1', port }, '/', PATIENT_MS, stop.signal);
    await asked.promise;
    stop.abort();
    expect(await answer).toEqual({ kind: 'notAsked', reason: 'given up' });
  });
});
