import type { ConnectionLimit } from './connection-limit.ts';
import type { Listener } from './incoming-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { ListeningAddress } from './listening-address.ts';
import { NodeHttpTransport, type Transport, type TransportHandler } from './node-http-transport.ts';
import { PortInUseError } from './port-in-use-error.ts';

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
 * Opens the sockets of a listener at `port` (0: any free one): at its `bind` address, or at both loopbacks with the same
 * port. Its clients share `room`. Rejects with `PortInUseError`; nothing stays open then.
 */
export async function openListener(
  listener: Listener,
  port: number,
  handler: TransportHandler,
  limits: GatewayLimits,
  room: ConnectionLimit,
): Promise<OpenListener> {
  if (listener.bind !== undefined) {
    const opened = await openAt(listener.bind, port, handler, limits, room);
    return conclude(listener, [opened]);
  }
  for (let attempt = 1; ; attempt++) {
    const first = await openAt(IPV4_LOOPBACK, port, handler, limits, room);
    try {
      const second = await openAt(IPV6_LOOPBACK, first.port, handler, limits, room);
      return conclude(listener, [first, second]);
    } catch (error) {
      const code = error instanceof PortInUseError ? error.code : (error as NodeJS.ErrnoException).code;
      if (NO_IPV6.has(code)) return conclude(listener, [first]);
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

async function openAt(
  address: string,
  port: number,
  handler: TransportHandler,
  limits: GatewayLimits,
  room: ConnectionLimit,
): Promise<OpenSocket> {
  const transport = new NodeHttpTransport(handler, limits, room);
  try {
    return { address, port: await transport.listen(port, address), transport };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') throw new PortInUseError(code, address, port);
    throw error;
  }
}

function conclude(listener: Listener, sockets: readonly OpenSocket[]): OpenListener {
  return {
    listener,
    addresses: sockets.map(({ address, port }) => ({ kind: listener.kind, port: listener.port, address, actualPort: port })),
    transports: sockets.map(({ transport }) => transport),
  };
}
