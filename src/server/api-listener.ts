import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Hono } from 'hono';
import type { Certificate } from '../cluster/certificates/certificate-files.ts';
import type { ApiEnv } from './api-guards.ts';
import { BOUNDS, boundedServer, type ListenerBounds, secureContext } from './bounded-server.ts';
import { asListenError } from './listen-error.ts';

/** An HTTP API that is being served. */
export interface ApiListener {
  readonly port: number;
  /** New connections are shown this certificate; those that are open go on. Only of a listener that was opened with one. */
  showCertificate(next: Certificate): void;
  /** Cuts open event streams, and stops listening. */
  close(): Promise<void>;
}

/** Where an API listens. */
interface Listening {
  /** 0: any free one. */
  readonly port: number;
  /** Undefined: both loopback addresses. */
  readonly bind?: string | undefined;
  /** Undefined: plain HTTP. */
  readonly certificate?: Certificate | undefined;
  readonly bounds?: ListenerBounds;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

async function listen(server: Server | TlsServer, host: string | undefined, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }), exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function close(server: Server | TlsServer): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Machines without IPv6. */
const NO_SUCH_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'];

/** How often another free port is tried when the one drawn for 127.0.0.1 is taken on ::1. */
const FREE_PORT_ATTEMPTS = 10;

interface Opened {
  readonly port: number;
  readonly servers: readonly (Server | TlsServer)[];
}

/** Opens one port on every loopback address, or on the one address that is named; on failure nothing stays open. */
async function openServers(app: Hono<ApiEnv>, { port, bind, certificate, bounds }: Listening): Promise<Opened> {
  const servers: (Server | TlsServer)[] = [];
  let actual = port;
  try {
    for (const host of bind === undefined ? ['127.0.0.1', '::1'] : [bind]) {
      const server = boundedServer(app, certificate, bounds);
      try {
        actual = await listen(server, host, actual);
        servers.push(server);
      } catch (error) {
        if (bind !== undefined || host !== '::1' || !NO_SUCH_ADDRESS.includes(errorCode(error) ?? '')) throw error;
      }
    }
    return { port: actual, servers };
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
}

/**
 * Serves the app at one port (0: any free one): on the address that is named, else on both loopback addresses, as `localhost` may be either; machines
 * without IPv6 get 127.0.0.1 only.
 * @throws ListenError where the port is taken on either: half of `localhost` would be somebody else.
 */
export async function listenForApi(app: Hono<ApiEnv>, listening: Listening): Promise<ApiListener> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { port, servers } = await openServers(app, listening);
      return {
        port,
        showCertificate: (next) => {
          for (const server of servers) if ('setSecureContext' in server) server.setSecureContext(secureContext(next));
        },
        close: async () => {
          await Promise.all(servers.map(close));
        },
      };
    } catch (error) {
      const mayRetry = listening.port === 0 && attempt < FREE_PORT_ATTEMPTS && errorCode(error) === 'EADDRINUSE';
      if (!mayRetry) throw asListenError(error) ?? error;
    }
  }
}

/** Bounds of a listener that the whole network may reach, and that only answers short questions. */
const PROBE_BOUNDS: ListenerBounds = { ...BOUNDS, connections: 1000, requestMs: 10_000 };

/**
 * Serves the app on all addresses of this machine at one port (0: any free one).
 * @throws ListenError where the port is taken.
 */
export async function listenOnAllAddresses(app: Hono<ApiEnv>, port: number): Promise<Pick<ApiListener, 'port' | 'close'>> {
  const server = boundedServer(app, undefined, PROBE_BOUNDS);
  try {
    return { port: await listen(server, undefined, port), close: () => close(server) };
  } catch (error) {
    throw asListenError(error) ?? error;
  }
}
