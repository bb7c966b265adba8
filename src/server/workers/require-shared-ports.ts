import { createServer } from 'node:net';

/** Several processes cannot listen at one port on this machine. */
export class SharedPortsError extends Error {
  override readonly name = 'SharedPortsError';
}

/**
 * Resolves where several processes can listen at one port, connections spread among them (SO_REUSEPORT; listen(2), Node's `reusePort`):
 * Linux 3.9 and newer, FreeBSD 12 and newer, but neither macOS nor Windows. Rejects with SharedPortsError elsewhere.
 */
export function requireSharedPorts(): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new SharedPortsError(`this system does not let several processes share a port (${error.message})`)),
    );
    server.listen({ port: 0, host: '127.0.0.1', reusePort: true }, () => server.close(() => resolve()));
  });
}
