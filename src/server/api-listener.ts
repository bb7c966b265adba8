import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ApiEnv } from './api-guards.ts';
import { asListenError } from './listen-error.ts';

/** An HTTP API that is being served. */
export interface ApiListener {
  readonly port: number;
  /** Cuts open event streams, and stops listening. */
  close(): Promise<void>;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

async function listen(server: Server, host: string | undefined, port: number): Promise<number> {
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

async function close(server: Server): Promise<void> {
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

function serverOf(app: Hono<ApiEnv>): Server {
  // The lean Request and Response of the adapter stay off the globals: the demo's services share this process.
  return createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
}

/** Opens one port on every loopback address; on failure nothing stays open. */
async function openServers(app: Hono<ApiEnv>, port: number): Promise<{ readonly port: number; readonly servers: readonly Server[] }> {
  const servers: Server[] = [];
  let actual = port;
  try {
    for (const host of ['127.0.0.1', '::1']) {
      const server = serverOf(app);
      try {
        actual = await listen(server, host, actual);
        servers.push(server);
      } catch (error) {
        if (host !== '::1' || !NO_SUCH_ADDRESS.includes(errorCode(error) ?? '')) throw error;
      }
    }
    return { port: actual, servers };
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
}

/**
 * Serves the app on both loopback addresses at one port (0: any free one), as `localhost` may be either; machines without IPv6 get
 * 127.0.0.1 only.
 * @throws ListenError where the port is taken on either: half of `localhost` would be somebody else.
 */
export async function listenOnLoopback(app: Hono<ApiEnv>, port: number): Promise<ApiListener> {
  for (let attempt = 1; ; attempt++) {
    try {
      const opened = await openServers(app, port);
      return {
        port: opened.port,
        close: async () => {
          await Promise.all(opened.servers.map(close));
        },
      };
    } catch (error) {
      const mayRetry = port === 0 && attempt < FREE_PORT_ATTEMPTS && errorCode(error) === 'EADDRINUSE';
      if (!mayRetry) throw asListenError(error) ?? error;
    }
  }
}

/** Bounds of a listener that the whole network may reach: who asks is quick, and there are few of them. */
const CONNECTIONS = 1000;
const REQUEST_MS = 10_000;

/**
 * Serves the app on all addresses of this machine at one port (0: any free one).
 * @throws ListenError where the port is taken.
 */
export async function listenOnAllAddresses(app: Hono<ApiEnv>, port: number): Promise<ApiListener> {
  const server = serverOf(app);
  server.maxConnections = CONNECTIONS;
  server.headersTimeout = REQUEST_MS;
  server.requestTimeout = REQUEST_MS;
  try {
    return { port: await listen(server, undefined, port), close: () => close(server) };
  } catch (error) {
    throw asListenError(error) ?? error;
  }
}
