import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP proxy that hands what a service asks of others to its sidecar. */
export interface ToSidecar {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Requests in absolute form (`GET http://reviews:9080/`) go to the sidecar's listener at `port` of loopback, by that port's name (`reviews:PORT`): in a pod the
 * kernel's rules do that. istiod's own HTTP-proxy listener knows services of port 80 only.
 */
export async function startToSidecar(port: number): Promise<ToSidecar> {
  const server = createServer((incoming, answer) => {
    const { hostname, pathname, search } = new URL(incoming.url ?? '');
    const headers = { ...incoming.headers, host: `${hostname}:${port}` };
    const outgoing = request({ host: '127.0.0.1', port, method: incoming.method, path: `${pathname}${search}`, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.headersSent || answer.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
