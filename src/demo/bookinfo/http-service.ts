import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service that listens; `port` is the real one, also where 0 was asked for. */
export interface RunningService {
  readonly port: number;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

/** A request as the demo's services see it. */
export interface ServiceRequest {
  readonly method: string;
  /** Path without the query, not decoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The whole body as UTF-8; at most 64 KiB, above that the client gets 413. */
  body(): Promise<string>;
}

/** An answer; a header with a list of values becomes one line for each. The body is sent as UTF-8, with its `content-length`. */
export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** Answers one request. */
type ServiceHandler = (request: ServiceRequest) => ServiceResponse | Promise<ServiceResponse>;

const MAX_BODY_BYTES = 64 * 1024;

class BodyTooLarge extends Error {}

/** Starts an HTTP server on 127.0.0.1 (port 0: any free one). A handler that throws answers 500; rejects if the port is taken. */
export async function startHttpService(port: number, handler: ServiceHandler): Promise<RunningService> {
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, handler).then((response) => send(outgoing, response));
  });
  // Longer than any client of ours keeps an idle connection, so that it is never the server that closes one just being reused.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A JSON answer. */
export function json(status: number, value: unknown): ServiceResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** A plain text answer. */
export function text(status: number, body: string): ServiceResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** The answer to a path or method that a service does not have. */
export function notFound(): ServiceResponse {
  return json(404, { error: 'not found' });
}

async function answer(incoming: IncomingMessage, handler: ServiceHandler): Promise<ServiceResponse> {
  try {
    return await handler({
      method: incoming.method ?? 'GET',
      path: (incoming.url ?? '/').replace(/[?#].*$/s, ''),
      headers: incoming.headers,
      body: () => readBody(incoming),
    });
  } catch (error) {
    if (error instanceof BodyTooLarge) return json(413, { error: 'the request body is too large' });
    return json(500, { error: error instanceof Error ? error.message : String(error) });
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(outgoing: ServerResponse, response: ServiceResponse): void {
  const body = Buffer.from(response.body, 'utf8');
  for (const [name, value] of Object.entries(response.headers ?? {})) {
    outgoing.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  // A body that nobody read would be taken for the next request's head.
  if (response.status === 413) outgoing.setHeader('connection', 'close');
  outgoing.setHeader('content-length', body.length);
  outgoing.writeHead(response.status).end(body);
}
