import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small service, on a free port. */
export interface VersionServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A service that answers every request with the name of its version, or as `answer` does; `host`: another address of this machine than loopback. */
export async function startVersion(
  version: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end(version),
  host = '127.0.0.1',
): Promise<VersionServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
