import { type AddressInfo, createServer } from 'node:net';
import type { Listener } from './incoming-request.ts';
import type { ListeningAddress } from './listening-address.ts';
import { PortInUseError } from './port-in-use-error.ts';
import type { Transport } from './transport.ts';

/** A listener with its sockets open. */
export interface OpenListener {
  readonly listener: Listener;
  readonly addresses: readonly ListeningAddress[];
  readonly transports: readonly Transport[];
}

const IPV4_LOOPBACK = '127.0.0.1';
const IPV6_LOOPBACK = '::1';
/** Codes of a machine without IPv6. */
const NO_IPV6: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']);
/** A free port of the one loopback may be taken on the other: another draw will do. */
const ATTEMPTS = 20;

/**
 * Whether other processes listen at the same port: `no`; `first`, they will, and nobody does so far; `joins`, they do. A socket that is
 * shared does not notice a stranger who shares it as well (another Perch of the same user), so the first one looks.
 */
export type Sharing = 'no' | 'first' | 'joins';

/** What the sockets of a listener have in common. */
export interface SocketOptions {
  /** Makes the transport of each. */
  readonly transportFor: () => Promise<Transport>;
  readonly tls: boolean;
  readonly sharing: Sharing;
}

/**
 * Opens the sockets of a listener at `port` (0: any free one): at its `bind` address, or at both loopbacks with the same
 * port. Rejects with `PortInUseError`; nothing stays open then.
 */
export async function openListener(listener: Listener, port: number, options: SocketOptions): Promise<OpenListener> {
  const openAt = (address: string, at: number): Promise<OpenSocket> => openSocket(address, at, options);
  if (listener.bind !== undefined) {
    const opened = await openAt(listener.bind, port);
    return conclude(listener, options, [opened]);
  }
  for (let attempt = 1; ; attempt++) {
    const first = await openAt(IPV4_LOOPBACK, port);
    try {
      const second = await openAt(IPV6_LOOPBACK, first.port);
      return conclude(listener, options, [first, second]);
    } catch (error) {
      const code = error instanceof PortInUseError ? error.code : (error as NodeJS.ErrnoException).code;
      if (NO_IPV6.has(code)) return conclude(listener, options, [first]);
      first.transport.cut();
      await first.transport.closed;
      if (port !== 0 || code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw error;
    }
  }
}

interface OpenSocket {
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
}

async function openSocket(address: string, port: number, { transportFor, sharing }: SocketOptions): Promise<OpenSocket> {
  const transport = await transportFor();
  try {
    const free = sharing === 'first' ? await freePort(port, address) : port;
    return { address, port: await transport.listen(free, address, sharing !== 'no'), transport };
  } catch (error) {
    transport.cut();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') throw new PortInUseError(code, address, port);
    throw error;
  }
}

/** The port, where nobody listens at it; rejects as `listen` does where somebody does. 0: a free one. */
function freePort(port: number, host: string): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
}

function conclude(listener: Listener, { tls }: SocketOptions, sockets: readonly OpenSocket[]): OpenListener {
  return {
    listener,
    addresses: sockets.map(({ address, port }) => ({ kind: listener.kind, port: listener.port, address, actualPort: port, tls })),
    transports: sockets.map(({ transport }) => transport),
  };
}
