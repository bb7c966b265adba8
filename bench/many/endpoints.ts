import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** All endpoints of an estate. */
export interface Endpoints {
  readonly port: number;
  stop(): void;
}

/** Answers at every address of this machine, with the version that the address stands for. */
export async function startEndpoints(): Promise<Endpoints> {
  const server = createServer((request, response) =>
    response.end(request.socket.localAddress?.startsWith('127.1.') === true ? 'v1' : 'v2'),
  );
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
