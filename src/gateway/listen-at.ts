import type { Server } from 'node:net';

/**
 * Has a server listen at `port` (0: any free one) of one address. Gives the port, or rejects with the system's error (EADDRINUSE, ...). `shared`: other
 * processes listen there too (SO_REUSEPORT). Later errors of the server, such as being out of file descriptors, are warnings of the process.
 */
export function listenAt(server: Server, port: number, host: string, shared = false): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true, reusePort: shared }, () => {
      server.removeListener('error', reject);
      // Without a listener, being out of file descriptors for a moment would end the process.
      server.on('error', (error) => process.emitWarning(error));
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('Listening on something that is not a TCP port'));
      else resolve(address.port);
    });
  });
}
