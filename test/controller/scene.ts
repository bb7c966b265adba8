import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { runtimeAdmission } from '../../src/cluster/admission.ts';
import { startEndpointProbe } from '../../src/cluster/local/endpoint-probe.ts';
import { openSqliteStore } from '../../src/cluster/local/sqlite-store.ts';
import type { Readiness } from '../../src/cluster/readiness.ts';
import type { Store } from '../../src/cluster/store.ts';
import { type ControllerOptions, startController } from '../../src/controller/controller.ts';
import type { ControllerLogEntry } from '../../src/controller/controller-log.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { RELEASE } from './bookinfo-objects.ts';

/** Endpoints are checked all the time, and one result decides. */
const FAST = { intervalMs: 20, healthyThreshold: 1, unhealthyThreshold: 1 };

/** A store with a controller over it, as one process has them. */
interface Running {
  readonly store: Store;
  readonly readiness: Readiness;
  /** Stops the data plane from serving anything newer, until called again with true. */
  serving(isServing: boolean): void;
  stop(): Promise<void>;
}

/** An endpoint: it accepts TCP on 127.0.0.1, and is ready therefore. */
interface ServerOfVersion {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The controller over what it really runs on: a SQLite file, real weaving and advancing, TCP servers as endpoints. Only the data plane is
 * a fake: it says that it serves what is stored.
 */
export class Scene {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'perch-controller-'));
  /** Everything that controllers of this scene logged. */
  readonly entries: ControllerLogEntry[] = [];
  readonly ports: Record<'v1' | 'v2' | 'v3', number> = { v1: 0, v2: 0, v3: 0 };
  readonly #cleanups: (() => unknown)[] = [() => rmSync(this.dataDir, { recursive: true, force: true })];

  /** A scene with three versions that listen, and nothing started. */
  static async open(): Promise<Scene> {
    const scene = new Scene();
    for (const version of ['v1', 'v2', 'v3'] as const) scene.ports[version] = (await scene.listen()).port;
    return scene;
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }

  /** A TCP server on any free port, or on the one given. */
  async listen(port = 0): Promise<ServerOfVersion> {
    const server = createServer((socket) => socket.resume().on('error', () => undefined));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const close = async (): Promise<void> => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    };
    this.#cleanups.push(close);
    return { port: (server.address() as AddressInfo).port, close };
  }

  async freePort(): Promise<number> {
    const server = await this.listen();
    await server.close();
    return server.port;
  }

  /** Opens the store and starts everything on it; `around` is what the controller gets to see of the store. */
  start(options: Partial<ControllerOptions> = {}, around: (store: Store) => Store = (store) => store): Running {
    const fail = (error: unknown): void => expect.fail(String(error));
    const store = openSqliteStore({ dataDir: this.dataDir, now: Date.now, admission: runtimeAdmission, onListenerError: fail });
    const readiness = startEndpointProbe({ store, onError: fail, onShortage: fail, healthCheck: FAST });
    let isServing = true;
    const serve = (): void => {
      if (isServing) store.markServed(store.revision());
    };
    store.watch(() => setImmediate(serve));
    serve();
    const controller = startController({ store: around(store), readiness, log: (entry) => this.entries.push(entry), ...options });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      isServing = false;
      stopped ??= controller
        .close()
        .then(() => readiness.close())
        .then(() => store.close());
      return stopped;
    };
    this.#cleanups.push(stop);
    const serving = (value: boolean): void => {
      isServing = value;
      serve();
    };
    return { store, readiness, serving, stop };
  }

  /** What was logged, in words. */
  reasons(): readonly string[] {
    return this.entries.map((entry) => entry.reason);
  }
}

/** Applies as the source `files`; fails the test where anything is refused. */
export async function apply(store: Store, ...objects: readonly KubeObject[]): Promise<void> {
  const result = await store.apply('files', objects);
  if (!result.ok) expect.fail(result.diagnostics.map((diagnostic) => diagnostic.message).join('; '));
}

/** The release's status. */
export async function statusOf(store: Store): Promise<ReleaseStatus> {
  return (await store.get(RELEASE))?.status ?? expect.fail('the release has no status');
}

/** Waits until the release is where `wanted` says. */
export async function reach(store: Store, wanted: Partial<ReleaseStatus>): Promise<ReleaseStatus> {
  await vi.waitFor(async () => expect(await statusOf(store)).toMatchObject(wanted), { timeout: 10_000, interval: 10 });
  return statusOf(store);
}

/** The version of reviews that a visitor of this bucket gets; without one, a visitor without an id. */
export async function versionFor(store: Store, bucket?: number): Promise<string | undefined> {
  const { table } = compileRouting((await store.list()).filter(({ ref }) => ref.kind !== 'CanaryRelease').map(({ served }) => served));
  const digits = bucket?.toString(16).padStart(3, '0');
  const cookie = digits === undefined ? [] : [`perch=6f1b2c3d-0000-4000-8000-${digits}000000000`];
  const head = { method: 'GET', path: '/reviews/0', authority: 'reviews:9080', scheme: 'http' as const };
  const selection = table.select('mesh', 9080, undefined, { ...head, lines: (name) => (name === 'cookie' ? cookie : []) }, 0);
  return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
}

let requests = 0;

/** Posts a request of Ann's. */
export async function request(store: Store, action: RequestAction, full?: true): Promise<void> {
  requests += 1;
  expect(await store.postRequest(RELEASE, { id: `request-${requests}`, action, ...(full === undefined ? {} : { full }), by: 'ann' })).toBe(
    true,
  );
}
