import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an origin saw of a request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** name, value, name, value, ... as they came. */
  readonly headers: readonly string[];
}

/** A service in one version, on a free port. */
export interface EchoOrigin {
  readonly port: number;
  close(): Promise<void>;
}

/** Paths with this in their query are answered without Cache-Control and Set-Cookie. */
export const BARE = 'bare';

/**
 * Answers with its name (`x-version`) and everything that it saw (`x-seen`, read by `seenIn`), so that nobody has to tell whose request
 * was whose; and with headers that routes may edit.
 */
export async function startEchoOrigin(name: string): Promise<EchoOrigin> {
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const seen: SeenRequest = { method: request.method ?? '', path: request.url ?? '', headers: request.rawHeaders };
    const own = seen.path.includes(BARE) ? [] : ['Cache-Control', 'max-age=60', 'Set-Cookie', 'upstream=1; Path=/', 'X-Upstream', 'yes'];
    const told = ['X-Version', name, 'X-Seen', Buffer.from(JSON.stringify(seen)).toString('base64')];
    request.resume().once('end', () => {
      response.writeHead(200, [...own, ...told, 'Content-Length', String(name.length)]);
      response.end(name);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
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

/** Reads `x-seen` back. */
export function seenIn(header: string): SeenRequest {
  return JSON.parse(Buffer.from(header, 'base64').toString()) as SeenRequest;
}
