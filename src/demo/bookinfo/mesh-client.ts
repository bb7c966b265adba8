import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Upstream } from './environment.ts';

/** An answer, whole, of whatever status; its body is UTF-8, at most 1 MiB. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Calls services of the mesh over connections that are kept. */
interface MeshClient {
  /** Rejects when nothing answers in time (`timeoutMs` covers the whole exchange) or the connection breaks. */
  get(upstream: Upstream, path: string, headers: Readonly<Record<string, string | string[]>>, timeoutMs: number): Promise<UpstreamAnswer>;
  close(): void;
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * How a service of the demo calls another: through the mesh's HTTP-proxy listener with requests in absolute form
 * (`GET http://reviews:9080/reviews/0`, RFC 9112 section 3.2.2), or straight to the host where there is no `proxy`, as in a
 * pod whose sidecar intercepts.
 */
export function createMeshClient(proxy: Upstream | undefined): MeshClient {
  const agent = new Agent({ keepAlive: true, timeout: 30_000 });

  function attempt(
    upstream: Upstream,
    path: string,
    headers: Readonly<Record<string, string | string[]>>,
    signal: AbortSignal,
    mayRetry: boolean,
  ): Promise<UpstreamAnswer> {
    return new Promise((resolve, reject) => {
      const authority = `${upstream.host}:${upstream.port}`;
      const outgoing = request({
        host: (proxy ?? upstream).host,
        port: (proxy ?? upstream).port,
        path: proxy === undefined ? path : `http://${authority}${path}`,
        headers: { ...headers, host: authority },
        agent,
        signal,
      });
      outgoing.once('response', (incoming) => {
        readAnswer(incoming).then(resolve, reject);
      });
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        // The other side may close an idle connection at the very moment it is reused: that request was never served.
        if (mayRetry && outgoing.reusedSocket && error.code === 'ECONNRESET') {
          attempt(upstream, path, headers, signal, false).then(resolve, reject);
        } else reject(error);
      });
      outgoing.end();
    });
  }

  return {
    get: (upstream, path, headers, timeoutMs) => attempt(upstream, path, headers, AbortSignal.timeout(timeoutMs), true),
    close: () => agent.destroy(),
  };
}

/** `http://host:port` of an HTTP_PROXY-like variable; undefined where it is unset. Throws where it is no http URL. */
export function proxyFrom(value: string | undefined): Upstream | undefined {
  if (value === undefined || value === '') return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:') throw new Error(`HTTP_PROXY must be an http:// address, not ${value}`);
  return { host: url.hostname, port: url.port === '' ? 80 : Number(url.port) };
}

async function readAnswer(incoming: IncomingMessage): Promise<UpstreamAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') };
}
