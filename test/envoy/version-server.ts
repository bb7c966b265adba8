import { createServer } from 'node:http';

/** A service in one version, on a free port. */
export interface VersionServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers every request with its version (`x-version`) and the baggage and request id that it saw, as headers. */
export async function startVersionServer(version: string): Promise<VersionServer> {
  const server = createServer((request, response) => {
    const { baggage, 'x-request-id': requestId } = request.headers;
    response.setHeader('x-version', version);
    response.setHeader('cache-control', 'max-age=60');
    if (typeof baggage === 'string') response.setHeader('x-seen-baggage', baggage);
    if (typeof requestId === 'string') response.setHeader('x-seen-request-id', requestId);
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
