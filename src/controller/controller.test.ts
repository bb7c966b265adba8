import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { startEndpointProbe } from '../cluster/local/endpoint-probe.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { Readiness } from '../cluster/readiness.ts';
import type { Store } from '../cluster/store.ts';
import type { KubeObject, VirtualServiceSpec } from '../core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../core/release/status.ts';
import { compileRouting } from '../core/routing/compile.ts';
import { isWoven } from '../core/weave/unweave.ts';
import type { TimeSources } from './clock.ts';
import { type ControllerOptions, startController } from './controller.ts';
import type { ControllerLogEntry } from './controller-log.ts';

/**
 * The controller over what it really runs on: a SQLite file, real weaving and advancing, TCP servers as endpoints. Only the data plane is
 * a fake: it compiles the store's routes when asked, and says that it serves them.
 */

const HOST = 'reviews.default.svc.cluster.local';
const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const REVIEWS = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };
const BOOKINFO = { kind: 'VirtualService', namespace: 'default', name: 'bookinfo' };

let dataDir: string;
let ports: Readonly<Record<'v1' | 'v2' | 'v3', number>>;
let entries: ControllerLogEntry[];
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'perch-controller-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  entries = [];
  ports = { v1: await listen(), v2: await listen(), v3: await listen() };
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A TCP server that can be shut, on any free port or on the one given. */
async function listenClosable(port = 0): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((socket) => socket.resume().on('error', () => undefined));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  cleanups.push(close);
  return { port: (server.address() as AddressInfo).port, close };
}

async function listen(port?: number): Promise<number> {
  return (await listenClosable(port)).port;
}

async function freePort(): Promise<number> {
  const server = await listenClosable();
  await server.close();
  return server.port;
}

interface Runtime {
  readonly store: Store;
  readonly readiness: Readiness;
  /** Stops the data plane from serving anything newer, until called again with true. */
  serving(isServing: boolean): void;
  stop(): Promise<void>;
}

/** Opens the store of `dataDir` and starts everything on it. */
function start(options: Partial<ControllerOptions> = {}): Runtime {
  const fail = (error: unknown): void => expect.fail(String(error));
  const store = openSqliteStore({ dataDir, now: Date.now, admission: runtimeAdmission, onListenerError: fail });
  const readiness = startEndpointProbe({ store, onError: fail, intervalMs: 20 });
  let isServing = true;
  const serve = (): void => {
    if (isServing) store.markServed(store.revision());
  };
  store.watch(() => setImmediate(serve));
  serve();
  const controller = startController({ store, readiness, log: (entry) => entries.push(entry), ...options });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= controller
      .close()
      .then(() => readiness.close())
      .then(() => store.close());
    isServing = false;
    return stopped;
  };
  cleanups.push(stop);
  return {
    store,
    readiness,
    serving: (value) => {
      isServing = value;
      serve();
    },
    stop,
  };
}

const istio = (kind: string, name: string, spec: unknown): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name },
  spec,
});

function reviewsRoutes(http: readonly unknown[] = [{ route: [{ destination: { host: 'reviews', subset: 'v1' } }] }]): KubeObject {
  return istio('VirtualService', 'reviews', { hosts: ['reviews'], http });
}

function endpoints(given: Readonly<Record<string, number>> = ports): KubeObject {
  return istio('ServiceEntry', 'reviews', {
    hosts: [HOST],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
    endpoints: Object.entries(given).map(([version, port]) => ({ address: '127.0.0.1', ports: { http: port }, labels: { version } })),
  });
}

const bookinfo: readonly KubeObject[] = [
  istio('Gateway', 'bookinfo', { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] }),
  istio('VirtualService', 'bookinfo', {
    hosts: ['*'],
    gateways: ['bookinfo'],
    http: [{ match: [{ uri: { exact: '/productpage' } }], route: [{ destination: { host: 'productpage', port: { number: 9080 } } }] }],
  }),
  istio('DestinationRule', 'reviews', {
    host: 'reviews',
    subsets: ['v1', 'v2', 'v3'].map((name) => ({ name, labels: { version: name } })),
  }),
];

function release(spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'reviews' },
    spec: {
      service: { host: 'reviews', port: 9080 },
      canary: { subset: 'v2' },
      stable: { subset: 'v1' },
      route: { adopt: { virtualService: 'reviews' } },
      visitorId: { issueAt: { virtualService: 'bookinfo' } },
      cohort: 0,
      steps: [
        { weight: 10, hold: '150ms' },
        { weight: 50, hold: '150ms' },
        { weight: 100, hold: '150ms' },
      ],
      ...spec,
    },
  };
}

const steps = (...holds: readonly string[]) => ({ steps: holds.map((hold, index) => ({ weight: [10, 50, 100][index], hold })) });

async function apply(store: Store, ...objects: readonly KubeObject[]): Promise<void> {
  const result = await store.apply('files', objects);
  if (!result.ok) expect.fail(result.diagnostics.map((diagnostic) => diagnostic.message).join('; '));
}

async function statusOf(store: Store): Promise<ReleaseStatus> {
  return (await store.get(RELEASE))?.status ?? expect.fail('the release has no status');
}

/** Waits until the release is where `wanted` says. */
async function reach(store: Store, wanted: Partial<ReleaseStatus>): Promise<ReleaseStatus> {
  await vi.waitFor(async () => expect(await statusOf(store)).toMatchObject(wanted), { timeout: 10_000, interval: 10 });
  return statusOf(store);
}

/** The version of reviews that a visitor of this bucket gets; without one, a visitor without an id. */
async function versionFor(store: Store, bucket?: number): Promise<string | undefined> {
  const { table } = compileRouting((await store.list()).filter(({ ref }) => ref.kind !== 'CanaryRelease').map(({ served }) => served));
  const digits = bucket?.toString(16).padStart(3, '0');
  const cookie = digits === undefined ? [] : [`perch=6f1b2c3d-0000-4000-8000-${digits}000000000`];
  const head = { method: 'GET', path: '/reviews/0', authority: 'reviews:9080', scheme: 'http' as const };
  const selection = table.select('mesh', 9080, undefined, { ...head, lines: (name) => (name === 'cookie' ? cookie : []) }, 0);
  return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
}

let requests = 0;
async function request(store: Store, action: RequestAction): Promise<void> {
  requests += 1;
  expect(await store.postRequest(RELEASE, { id: `request-${requests}`, action, by: 'ann' })).toBe(true);
}

const reasons = (): readonly string[] => entries.map((entry) => entry.reason);

describe('a release', () => {
  test('waits for its canary, goes through its steps, and ends with the canary live', async () => {
    const { store } = start();
    const missing = await freePort();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ v1: ports.v1, v2: missing }), release());
    const waiting = await reach(store, { phase: 'Pending' });
    await vi.waitFor(async () => expect((await statusOf(store)).message).toContain('connection refused'));
    expect(waiting.weight).toBe(0);
    expect(isWoven((await store.get(REVIEWS))?.served ?? expect.fail())).toBe(false);

    await listen(missing);
    await reach(store, { phase: 'Progressing', weight: 10 });
    expect([await versionFor(store, 409), await versionFor(store, 410), await versionFor(store)]).toEqual(['v2', 'v1', 'v1']);
    await reach(store, { phase: 'Progressing', weight: 50 });
    expect([await versionFor(store, 409), await versionFor(store, 2047), await versionFor(store, 2048)]).toEqual(['v2', 'v2', 'v1']);
    const done = await reach(store, { phase: 'Succeeded' });
    expect(done.liveVersion).toEqual({ subset: 'v2' });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v2', 'v2', 'v2']);
    expect(reasons().filter((reason) => reason !== 'Waiting')).toEqual([
      'Started',
      'StepStarted',
      'StepConfirmed',
      'StepStarted',
      'StepConfirmed',
      'StepStarted',
      'StepConfirmed',
      'Completing',
      'Succeeded',
    ]);
    expect(entries.every((entry) => entry.release === 'default/reviews' && entry.at.endsWith('Z'))).toBe(true);
  });

  test('holds a step from when the data plane serves it, not before', async () => {
    const { store, serving } = start();
    serving(false);
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(store, { phase: 'Progressing', weight: 10 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const waiting = await statusOf(store);
    expect([waiting.weight, waiting.stepStartedAt, waiting.holdUntil]).toEqual([10, undefined, undefined]);
    const before = Date.now();
    serving(true);
    const held = await reach(store, { stepStartedAt: expect.any(String), holdUntil: expect.any(String) });
    expect(Date.parse(held.stepStartedAt ?? '')).toBeGreaterThanOrEqual(before - 1);
    await reach(store, { phase: 'Succeeded' });
  });

  test('writes nothing while nothing happens', async () => {
    const { store } = start({ resyncMs: 15 });
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('10m', '10m', '10m')));
    await reach(store, { phase: 'Progressing', holdUntil: expect.any(String) });
    const revision = store.revision();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(store.revision()).toBe(revision);
  });

  test('is followed by the next one, in which its own canary is stable', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(store, { phase: 'Succeeded' });
    const { stable: _, ...next } = release({ canary: { subset: 'v3' }, ...steps('manual', '150ms', '150ms') }).spec as Record<
      string,
      unknown
    >;
    await apply(store, { ...release(), spec: next });
    await reach(store, { phase: 'Paused', weight: 10 });
    expect([await versionFor(store, 409), await versionFor(store, 410), await versionFor(store)]).toEqual(['v3', 'v2', 'v2']);
    await request(store, 'promote');
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v3' } });
    expect(await versionFor(store, 4095)).toBe('v3');
  });

  test('refuses another canary while it is under way', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused' });
    const result = await store.apply('files', [release({ ...steps('manual', 'manual', 'manual'), canary: { subset: 'v3' } })]);
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'PERCH3001', object: 'CanaryRelease default/reviews' }] });
  });
});

describe('a rollback', () => {
  test('puts everyone on stable, and is over once the data plane serves that', async () => {
    const { store, serving } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('150ms', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 50 });
    expect(await versionFor(store, 0)).toBe('v2');
    serving(false);
    await request(store, 'rollback');
    await reach(store, { phase: 'RollingBack', cutoff: 0 });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v1', 'v1', 'v1']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await statusOf(store)).phase).toBe('RollingBack');
    serving(true);
    await reach(store, { phase: 'RolledBack', lastRequest: expect.objectContaining({ outcome: 'done', by: 'ann' }) });
    expect(entries.find((entry) => entry.reason === 'RollingBack')).toMatchObject({ by: 'ann', type: 'Warning' });
  });

  test('works although the owner has made the base unweavable meanwhile', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    await apply(store, reviewsRoutes([{ route: [{ destination: { host: 'ratings', port: { number: 9080 } } }] }]));
    await vi.waitFor(() => expect(reasons()).toContain('NotWoven'));
    expect(await versionFor(store, 0)).toBe('v2');
    await request(store, 'rollback');
    await reach(store, { phase: 'RolledBack' });
    expect(await versionFor(store, 0)).toBe('v1');
  });
});

describe('a base applied anew mid-release', () => {
  test('is woven anew at once, with no moment at which its bare routes are served', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    const seen: Promise<boolean>[] = [];
    store.watch(() => seen.push(store.get(REVIEWS).then((object) => isWoven(object?.served ?? expect.fail()))));
    await apply(store, reviewsRoutes([{ timeout: '2s', route: [{ destination: { host: 'reviews', subset: 'v1' } }] }]));
    await vi.waitFor(async () => expect(JSON.stringify((await store.get(REVIEWS))?.served)).toContain('"timeout":"2s"'));
    expect(await Promise.all(seen)).not.toContain(false);
    expect(seen.length).toBeGreaterThan(1);
    expect([await versionFor(store, 409), await versionFor(store, 410)]).toEqual(['v2', 'v1']);
    expect((await statusOf(store)).phase).toBe('Paused');
  });

  test('may be a copy of the woven one', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    const { served, base } = (await store.get(REVIEWS)) ?? expect.fail();
    expect(await store.apply('api', [served])).toMatchObject({ ok: true, outcomes: [{ result: 'unchanged' }] });
    expect((await store.get(REVIEWS))?.base).toEqual(base);
  });
});

test('a release whose routes were deleted says so, and is woven in again once they are back', async () => {
  const { store } = start();
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
  await reach(store, { phase: 'Paused', weight: 10 });
  await store.requestDeletion(REVIEWS);
  await vi.waitFor(() => expect(entries.at(-1)).toMatchObject({ reason: 'NotWoven', message: expect.stringContaining('does not exist') }));
  await request(store, 'promote');
  await reach(store, { phase: 'Paused', weight: 10, lastRequest: expect.objectContaining({ outcome: 'refused' }) });
  await apply(store, reviewsRoutes());
  await vi.waitFor(async () => expect(await versionFor(store, 409)).toBe('v2'));
  expect(await versionFor(store, 410)).toBe('v1');
});

describe('deleting a release', () => {
  const destinations = (object: KubeObject | undefined) =>
    (object?.spec as VirtualServiceSpec | undefined)?.http?.flatMap(
      (rule) => rule.route?.map(({ destination }) => destination.subset) ?? [],
    );

  test('mid-release leaves the former version live, and the routes as their owner wrote them', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    await store.requestDeletion(RELEASE);
    await vi.waitFor(async () => expect(await store.get(RELEASE)).toBeUndefined());
    const [reviews, edge] = [await store.get(REVIEWS), await store.get(BOOKINFO)];
    expect([reviews?.served.spec, edge?.served.spec]).toEqual([reviewsRoutes().spec, bookinfo[1]?.spec]);
    expect(await versionFor(store, 0)).toBe('v1');
    await vi.waitFor(() => expect(reasons().at(-1)).toBe('Deleted'));
  });

  test('mid-release, with stable gone, leaves everyone at the canary: nobody is sent to a version that is not there', async () => {
    const { store, readiness } = start();
    const mortal = await listenClosable();
    await apply(
      store,
      ...bookinfo,
      reviewsRoutes(),
      endpoints({ ...ports, v1: mortal.port }),
      release(steps('manual', 'manual', 'manual')),
    );
    await reach(store, { phase: 'Paused', weight: 10 });
    await mortal.close();
    await vi.waitFor(() => expect(readiness.check(HOST, 9080, { subset: 'v1' }).ready).toBe(false));
    await request(store, 'rollback');
    await reach(store, { lastRequest: expect.objectContaining({ outcome: 'refused' }) });
    await store.requestDeletion(RELEASE);
    await vi.waitFor(async () => expect(await store.get(RELEASE)).toBeUndefined());
    expect(destinations((await store.get(REVIEWS))?.base)).toEqual(['v2']);
  });

  test('after it succeeded leaves the canary live, in the base too', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await vi.waitFor(async () => expect(await store.get(RELEASE)).toBeUndefined());
    const reviews = await store.get(REVIEWS);
    expect([destinations(reviews?.base), destinations(reviews?.served)]).toEqual([['v2'], ['v2']]);
    expect(await versionFor(store)).toBe('v2');
  });

  test('and applying it again finds the canary live already: nothing moves back', async () => {
    const { store } = start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await vi.waitFor(async () => expect(await store.get(RELEASE)).toBeUndefined());
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v2' } });
    expect([await versionFor(store, 4095), await versionFor(store)]).toEqual(['v2', 'v2']);
  });
});

describe('a restart', () => {
  /** The system's clocks, with the wall clock off by so much. */
  const wallOff = (ms: number): TimeSources => ({ wall: () => Date.now() + ms, monotonic: () => performance.now() });

  test('mid-hold keeps the step, its start and its end; once the wall clock is there the release goes on, one step', async () => {
    const first = start();
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('10m', '10m', '10m')));
    const held = await reach(first.store, { phase: 'Progressing', weight: 10, holdUntil: expect.any(String) });
    const routes = [(await first.store.get(REVIEWS))?.served, (await first.store.get(BOOKINFO))?.served];
    await first.stop();

    for (const off of [0, 9 * 60_000, -24 * 3_600_000]) {
      const again = start({ time: wallOff(off) });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await statusOf(again.store)).toEqual(held);
      expect([(await again.store.get(REVIEWS))?.served, (await again.store.get(BOOKINFO))?.served]).toEqual(routes);
      await again.stop();
    }

    const later = start({ time: wallOff(24 * 3_600_000) });
    const next = await reach(later.store, { phase: 'Progressing', weight: 50, holdUntil: expect.any(String) });
    expect(Date.parse(next.holdUntil ?? '') - Date.parse(next.stepStartedAt ?? '')).toBeGreaterThanOrEqual(600_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await statusOf(later.store)).weight).toBe(50);
  });

  test('while the wall clock has gone back goes on from the time that was recorded last', async () => {
    const first = start();
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(), release(steps('10m', '10m', '10m')));
    const held = await reach(first.store, { phase: 'Progressing', holdUntil: expect.any(String) });
    await first.stop();
    const again = start({ time: wallOff(-24 * 3_600_000) });
    await request(again.store, 'pause');
    const paused = await reach(again.store, { phase: 'Paused' });
    expect(paused.holdRemainingMs).toBeLessThanOrEqual(600_000);
    expect(paused.holdRemainingMs).toBeGreaterThan(590_000);
    expect(Date.parse(paused.lastRequest?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(held.stepStartedAt ?? ''));
  });

  test('before the data plane serves, confirms nothing', async () => {
    const first = start();
    first.serving(false);
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(), release());
    await reach(first.store, { phase: 'Progressing', weight: 10 });
    await first.stop();
    const again = start();
    await reach(again.store, { phase: 'Succeeded' });
    expect(reasons().filter((reason) => reason === 'StepConfirmed')).toHaveLength(3);
  });
});

test('a pass that fails is said once, tried again, and harms no traffic', async () => {
  const fail = (error: unknown): void => expect.fail(String(error));
  const store = openSqliteStore({ dataDir, now: Date.now, admission: runtimeAdmission, onListenerError: fail });
  const readiness = startEndpointProbe({ store, onError: fail, intervalMs: 20 });
  let failures = 5;
  let conflicts = 3;
  // What a full disk does to a store: writes fail for a while, reads go on. And then others are always faster, for a while.
  const failing: Store = {
    ...store,
    commit: async (...change) => {
      failures -= 1;
      if (failures >= 0) throw new Error('disk full');
      conflicts -= 1;
      if (conflicts >= 0) return false;
      return store.commit(...change);
    },
  };
  store.watch(() => store.markServed(store.revision()));
  const controller = startController({ store: failing, readiness, log: (entry) => entries.push(entry) });
  cleanups.push(() =>
    controller
      .close()
      .then(() => readiness.close())
      .then(() => store.close()),
  );
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(), release());
  await vi.waitFor(() => expect(failures).toBeLessThan(3), { timeout: 5000 });
  expect(await versionFor(store, 0)).toBe('v1');
  await reach(store, { phase: 'Succeeded' });
  expect(entries.filter((entry) => entry.type === 'Error')).toMatchObject([{ reason: 'PassFailed', release: 'default/reviews' }]);
});
