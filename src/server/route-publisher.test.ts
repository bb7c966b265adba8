import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { Store } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { RouteTable } from '../core/routing/selection.ts';
import { type RunningGateway, startGateway } from '../gateway/gateway.ts';
import { ownDataPlane } from './data-plane.ts';
import { ListenError } from './listen-error.ts';
import { type RoutePublisher, startRoutePublisher } from './route-publisher.ts';

let store: Store;
let gateway: RunningGateway;
let publisher: RoutePublisher;
let lines: string[];
let updates: number;
let last: RouteTable | undefined;

beforeEach(async () => {
  lines = [];
  updates = 0;
  store = openSqliteStore({
    dataDir: ':memory:',
    now: Date.now,
    admission: runtimeAdmission,
    onListenerError: (error) => {
      throw error;
    },
  });
  const real = await startGateway({ map: new Map([[8080, 0]]) });
  gateway = {
    ...real,
    addresses: () => real.addresses(),
    close: (graceMs) => real.close(graceMs),
    update: (table) => {
      updates++;
      last = table;
      return real.update(table);
    },
  };
  const note = (message: string): void => {
    lines.push(message);
  };
  publisher = startRoutePublisher(store, ownDataPlane(gateway), { info: note, warn: note, audit: note, error: note });
});

afterEach(async () => {
  await publisher.close();
  await gateway.close(0);
  await store.close();
});

function edge(port: number): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: { servers: [{ port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
  };
}

function routes(status: number): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web' },
    spec: { hosts: ['*'], gateways: ['edge'], http: [{ directResponse: { status } }] },
  };
}

async function apply(...objects: readonly KubeObject[]): Promise<number> {
  const result = await store.apply('api', objects);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.revision;
}

const statusAt = async (): Promise<number> => (await fetch(`http://127.0.0.1:${gateway.addresses()[0]?.actualPort}/`)).status;

test('an empty store is served at once', async () => {
  await publisher.served(store.revision());
  expect(publisher.failure()).toBeUndefined();
});

test('when a revision is served, requests get its routes, and the store knows', async () => {
  for (const status of [201, 202, 203]) {
    const revision = await apply(edge(8080), routes(status));
    await publisher.served(revision);
    expect(await statusAt()).toBe(status);
    expect(store.servedRevision()).toBeGreaterThanOrEqual(revision);
  }
  expect(lines.filter((line) => line.startsWith('listening: ingress 8080 at http://127.0.0.1:'))).toHaveLength(1);
});

test('a release whose status changes compiles no routes anew, and is confirmed all the same', async () => {
  const release: KubeObject = {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'web' },
    spec: {
      service: { host: 'web', port: 80 },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: 'web' } },
      steps: [{ weight: 100, hold: '1m' }],
    },
  };
  await publisher.served(await apply(edge(8080), routes(200)));
  const before = updates;
  await publisher.served(await apply(release));
  expect(updates).toBe(before);
  expect(store.servedRevision()).toBe(store.revision());
});

test('a port that is taken: the former routes stay, and the new ones come once it is free', async () => {
  await publisher.served(await apply(edge(8080), routes(200)));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };

  const revision = await apply(edge(port), routes(201));
  await expect(publisher.served(revision)).rejects.toThrow(ListenError);
  expect(publisher.failure()).toBe(`port ${port} is in use by another program`);
  expect(await statusAt()).toBe(200);
  expect(store.servedRevision()).toBeLessThan(revision);

  await new Promise((resolve) => other.close(resolve));
  await expect.poll(() => publisher.failure(), { timeout: 10_000 }).toBeUndefined();
  expect(store.servedRevision()).toBe(revision);
  expect(await statusAt()).toBe(201);
  expect(lines).toContain('routes are served again');
});

test('what leads nowhere is told once, not at each change', async () => {
  await publisher.served(
    await apply(edge(8080), {
      ...routes(200),
      spec: { hosts: ['*'], gateways: ['edge'], http: [{ route: [{ destination: { host: 'nowhere' } }] }] },
    }),
  );
  const told = lines.filter((line) => line.includes('nowhere')).length;
  expect(told).toBe(1);
  await publisher.served(await apply({ ...edge(8080), metadata: { name: 'edge', labels: { a: 'b' } } }));
  expect(lines.filter((line) => line.includes('nowhere'))).toHaveLength(1);
});

test('a delegate that a release is about to create is not missed; one that nobody owns is', async () => {
  const rules = [{ route: [{ destination: { host: 'web' } }] }];
  const release: KubeObject = {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'web' },
    spec: {
      service: { host: 'web', port: 80 },
      canary: { subset: 'v2' },
      route: { delegate: { name: 'web-routes', http: rules } },
      steps: [{ weight: 100, hold: '1m' }],
    },
  };
  const http = [
    { match: [{ uri: { prefix: '/a' } }], delegate: { name: 'nobodys' } },
    { match: [{ uri: { prefix: '/b' } }], delegate: { name: 'web-routes', namespace: 'away' } },
    { delegate: { name: 'web-routes' } },
  ];
  const missed = (): string[] =>
    lines.flatMap((line) => [...line.matchAll(/there is no VirtualService (\S+) without hosts/g)].map((found) => found[1] ?? ''));
  await publisher.served(await apply(edge(8080), { ...routes(200), spec: { hosts: ['*'], gateways: ['edge'], http } }, release));
  expect(missed()).toEqual(['default/nobodys', 'away/web-routes']);

  // No controller runs here: a release that is to go creates nothing any more.
  await store.requestDeletion({ kind: 'CanaryRelease', namespace: 'default', name: 'web' });
  await publisher.served(await apply({ ...edge(8080), metadata: { name: 'edge', labels: { a: 'b' } } }));
  expect(missed().slice(2)).toEqual(['default/nobodys', 'away/web-routes', 'default/web-routes']);
});

test('what is explained is the very table by which the gateway of this process routes', async () => {
  await publisher.served(await apply(edge(8080), routes(200)));
  expect(publisher.table()).toBe(last);
});

test('closing ends waiting', async () => {
  const waiting = publisher.served(store.revision() + 100);
  await publisher.close();
  await expect(waiting).rejects.toThrow('closed');
});
