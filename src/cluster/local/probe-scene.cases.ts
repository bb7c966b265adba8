import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import { runtimeAdmission } from '../admission.ts';
import type { Readiness } from '../readiness.ts';
import type { Store } from '../store.ts';
import { type EndpointProbeOptions, startEndpointProbe } from './endpoint-probe.ts';
import { openSqliteStore } from './sqlite-store.ts';

/** The service whose endpoints are probed. */
export const HOST = 'reviews.default.svc.cluster.local';

/** A TCP server that counts its connections. */
export interface Listening {
  readonly port: number;
  connections(): number;
  /** The same with those that the kernel still has in its queue. */
  settled(): Promise<number>;
  close(): Promise<void>;
}

/** What a test of probing has: a store, and what it starts is closed at its end. */
interface ProbeScene {
  readonly store: Store;
  /** Told by probes of what they could not do; a test that expects nothing finds nothing there at its end. */
  readonly errors: unknown[];
  readonly cleanups: (() => unknown)[];
  /** Probes often, and takes each check at its word, unless told otherwise. */
  probe(options?: Partial<EndpointProbeOptions>): Readiness;
  /** `port` 0 takes any. */
  listen(port?: number): Promise<Listening>;
  /** A probe that goes on meanwhile, in time with the others: it asks `server`, which the service has as v3. */
  pace(server: Listening): Promise<{ several(): Promise<void> }>;
}

/** Call once at the top of a test file. */
export function probeScene(): ProbeScene {
  let store: Store;
  const cleanups: (() => unknown)[] = [];
  const errors: unknown[] = [];

  beforeEach(() => {
    store = openSqliteStore({
      dataDir: ':memory:',
      now: Date.now,
      admission: runtimeAdmission,
      onListenerError: (error) => errors.push(error),
    });
    cleanups.push(() => store.close());
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    expect(errors.splice(0)).toEqual([]);
  });

  function probe(options: Partial<EndpointProbeOptions> = {}): Readiness {
    const readiness = startEndpointProbe({
      store,
      onError: (error) => errors.push(error),
      onShortage: (reason) => errors.push(reason),
      ...options,
      healthCheck: { intervalMs: 25, healthyThreshold: 1, unhealthyThreshold: 1, ...options.healthCheck },
    });
    cleanups.push(() => readiness.close());
    return readiness;
  }

  async function listen(port = 0): Promise<Listening> {
    let connections = 0;
    let onLast = (): void => undefined;
    const server: Server = createServer((socket) => {
      connections += 1;
      // Probes send nothing.
      socket.once('data', () => {
        connections -= 1;
        onLast();
      });
      socket.on('error', () => undefined);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const actual = (server.address() as AddressInfo).port;
    const close = async (): Promise<void> => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    };
    cleanups.push(close);
    // The queue keeps its order: once one more is through, so are all before it.
    const settled = async (): Promise<number> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      onLast = resolve;
      const last = connect(actual, '127.0.0.1').on('connect', () => last.write('last'));
      await promise;
      last.destroy();
      return connections;
    };
    return { port: actual, connections: () => connections, settled, close };
  }

  async function pace(server: Listening): Promise<{ several(): Promise<void> }> {
    const readiness = probe();
    await expect.poll(() => check(readiness, 'v3').ready).toBe(true);
    return {
      several: async () => {
        const before = server.connections();
        await expect.poll(() => server.connections()).toBeGreaterThan(before + 4);
      },
    };
  }

  return {
    get store() {
      return store;
    },
    ...{ errors, cleanups, probe, listen, pace },
  };
}

/** `reviews` with these endpoints, one per pair of version and port, and a subset for each of `subsets`. */
export function service(endpoints: readonly (readonly [version: string, port: number])[], subsets = ['v1', 'v2']): readonly KubeObject[] {
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'reviews' },
      spec: {
        hosts: [HOST],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
        endpoints: endpoints.map(([version, port]) => ({ address: '127.0.0.1', ports: { http: port }, labels: { version } })),
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'reviews' },
      spec: { host: 'reviews', subsets: subsets.map((name) => ({ name, labels: { version: name } })) },
    },
  ];
}

/** What is known of a subset of the service. */
export function check(readiness: Readiness, subset: string): ReturnType<Readiness['check']> {
  return readiness.check(HOST, 9080, { subset });
}
