import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Certificate } from '../cluster/certificates/certificate-files.ts';
import type { ApiEnv } from './api-guards.ts';
import { type Problem, problem, problemResponse, problemText } from './problem.ts';

/** What one client, or all together, may take of a listener. Times in ms. */
export interface ListenerBounds {
  /** Further ones are closed as they come. */
  readonly connections: number;
  /** From the connection, or the first byte of a further request, to the end of its head. */
  readonly headMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
  /** How long a connection may wait for its next request. */
  readonly idleMs: number;
  /** How long nothing of an answer may be taken. Event streams write at least every 15 s. */
  readonly stallMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
}

/** Bounds of the listeners of APIs: 4 MiB take a slow network some seconds. */
export const BOUNDS: ListenerBounds = {
  connections: 512,
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 60_000,
  stallMs: 30_000,
  checkMs: 1000,
};

/** Bytes of a request's head, the request line included. */
const MOST_HEAD_BYTES = 16 * 1024;

/** The TLS of an API or a webhook: what is older than 1.2 is not spoken (RFC 8996). */
export function secureContext({ cert, key }: Certificate): { cert: Buffer; key: Buffer; minVersion: 'TLSv1.2' } {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/**
 * An HTTP server for the app that no client can hold up: slow ones are cut, and what Node would answer by itself, before there is a request, is a
 * problem document as well (RFC 9457). With a certificate it speaks TLS, without, plain HTTP.
 */
export function boundedServer(app: Hono<ApiEnv>, certificate?: Certificate, bounds: ListenerBounds = BOUNDS): Server | TlsServer {
  const options: ServerOptions = {
    maxHeaderSize: MOST_HEAD_BYTES,
    headersTimeout: bounds.headMs,
    requestTimeout: bounds.requestMs,
    keepAliveTimeout: bounds.idleMs,
    connectionsCheckingInterval: bounds.checkMs,
    // The app says what is missing.
    requireHostHeader: false,
  };
  const listener = listenerOf(app, bounds.stallMs);
  const server =
    certificate === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...secureContext(certificate), handshakeTimeout: bounds.headMs }, listener);
  server.maxConnections = bounds.connections;
  // All lines are counted by the app: Node would leave out those over its own limit without a word.
  server.maxHeadersCount = 0;
  answerWhatNodeWould(server);
  return server;
}

function listenerOf(app: Hono<ApiEnv>, stallMs: number): RequestListener {
  const serve = getRequestListener(
    async (request, env) => {
      const response = await app.fetch(request, env);
      // From here on something is sent; before, a call may wait for a release for ten minutes. Node sets its own time once the answer is out.
      (env as ApiEnv['Bindings']).incoming.socket.setTimeout(stallMs);
      return response;
    },
    {
      // The lean Request and Response of the adapter stay off the globals: the demo's services share this process.
      overrideGlobalObjects: false,
      errorHandler: () => problemResponse(problem(400, 'PERCH4095', 'the address or the Host of the request cannot be read')),
    },
  );
  return (request, response) => {
    request.socket.setTimeout(0);
    void serve(request, response);
  };
}

/** What the HTTP parser, or its clock, found wrong, by Node's codes. */
function problemOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return problem(431, 'PERCH4097', `the head of the request is larger than ${MOST_HEAD_BYTES} bytes`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem(408, 'PERCH4096', 'the request took too long to arrive');
  return problem(400, 'PERCH4095', 'this is no request of HTTP/1.1');
}

function answerWhatNodeWould(server: Server | TlsServer): void {
  /** What is being answered at a connection: an answer that has begun cannot be taken back. */
  const answers = new WeakMap<object, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answers.set(socket, response);
    response.once('close', () => answers.get(socket) === response && answers.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writable && answers.get(socket)?.headersSent !== true) socket.write(wholeAnswer(problemOf(error.code)));
    socket.destroySoon();
  });
  server.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy());
  server.on('checkExpectation', (_: IncomingMessage, response: ServerResponse) => {
    const { body, headers, status } = problemText(problem(417, 'PERCH4095', 'of Expect only 100-continue is known'));
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
  });
  server.on('connect', (_: IncomingMessage, socket: Socket) => {
    // Node listens to this socket no more: its client may be gone, and nobody has to die of that.
    socket.on('error', () => undefined);
    socket.write(wholeAnswer(problem(405, 'PERCH4004', 'this is no proxy: CONNECT is not allowed')));
    socket.destroySoon();
  });
}

function wholeAnswer(document: Problem): string {
  const { body, headers, status, reason } = problemText(document);
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${body}`;
}
