import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { ObjectRef, Store } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { type Runtime, startRuntime } from '../../src/server/runtime.ts';
import { selectAt, summaryOf } from '../harness/routes.ts';
import { seededUuid } from '../harness/seeded-random.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { basics, type Place } from './place.ts';

/** Names the release of these suites. */
export const RELEASE: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name: 'web' };

/** A VirtualService by its name. */
export const routesRef = (name = 'web'): ObjectRef => ({ kind: 'VirtualService', namespace: 'default', name });

/** The embedded runtime, whole, with three versions of `web` that answer with their names and visitors who come through its gateway. */
export class Scene {
  /** What the runtime said at the level of information, in its order. */
  readonly said: string[] = [];
  readonly #cleanups: (() => unknown)[] = [];
  /** Where the store is, and what else a test writes. */
  readonly dataDir = mkdtempSync(join(tmpdir(), 'perch-forms-'));
  readonly #agent = connections(64);
  #runtime: Runtime | undefined;
  #asked = 0;

  /** Starts everything, and applies what is there beside the routes. */
  static async open(place: Place): Promise<Scene> {
    const scene = new Scene();
    scene.#cleanups.push(
      () => rmSync(scene.dataDir, { recursive: true, force: true }),
      () => scene.#agent.destroy(),
    );
    const ports: Record<string, number> = {};
    for (const version of ['v1', 'v2', 'v3']) {
      const server = await startVersion(version);
      scene.#cleanups.push(() => server.close());
      ports[version] = server.port;
    }
    const entry = await scene.#startEntry();
    await scene.start();
    await scene.apply(...basics(place, ports, entry));
    return scene;
  }

  get store(): Store {
    return (this.#runtime ?? expect.fail('the runtime is not running')).store;
  }

  async close(): Promise<void> {
    await this.stop();
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }

  async start(): Promise<void> {
    const fail = (message: string, error?: unknown): void => expect.fail(`${message} ${String(error)}`);
    this.#runtime = await startRuntime({
      dataDir: this.dataDir,
      apiPort: 0,
      map: new Map([
        [8080, 0],
        [9080, 0],
      ]),
      uuid: seededUuid(4),
      log: { info: (message) => this.said.push(message), warn: (message) => this.said.push(message), audit: () => {}, error: fail },
    });
  }

  async stop(): Promise<void> {
    await this.#runtime?.close(0);
    this.#runtime = undefined;
  }

  /** Applies as the source `files` and waits until it is served; fails the test where anything is refused. */
  async apply(...objects: readonly KubeObject[]): Promise<void> {
    const result = await this.store.apply('files', objects);
    if (!result.ok) expect.fail(result.diagnostics.map(({ code, message }) => `${code} ${message}`).join('; '));
    await this.#runtime?.served(result.revision);
  }

  async status(): Promise<ReleaseStatus | undefined> {
    return (await this.store.get(RELEASE))?.status;
  }

  /** Waits until the release is where `wanted` says, and its routes are served. */
  async reach(wanted: Partial<ReleaseStatus>): Promise<ReleaseStatus> {
    await vi.waitFor(async () => expect(await this.status()).toMatchObject(wanted), { timeout: 15_000, interval: 5 });
    await this.#runtime?.served(this.store.revision());
    return (await this.status()) ?? expect.fail('the release is gone');
  }

  async ask(action: RequestAction, wanted: Partial<ReleaseStatus>): Promise<ReleaseStatus> {
    this.#asked += 1;
    expect(await this.store.postRequest(RELEASE, { id: `forms-${this.#asked}`, action, by: 'ann' })).toBe(true);
    return await this.reach(wanted);
  }

  /** Goes on from the first manual hold to the end. */
  async finish(): Promise<void> {
    await this.reach({ phase: 'Paused', weight: 10 });
    await this.ask('promote', { phase: 'Paused', weight: 50 });
    await this.ask('promote', { phase: 'Paused', weight: 100 });
    await this.ask('promote', { phase: 'Succeeded' });
  }

  /** Deletes the release and waits until it is gone and the routes without it are served. */
  async deleteRelease(restoreBase = false): Promise<void> {
    await this.store.requestDeletion(RELEASE, { restoreBase });
    await vi.waitFor(async () => expect(await this.store.get(RELEASE)).toBeUndefined(), { timeout: 15_000, interval: 5 });
    await this.#runtime?.served(this.store.revision());
  }

  /** So many browsers that were never here. */
  visitors(count: number): readonly Visitor[] {
    return Array.from({ length: count }, () => new Visitor(this.#agent, 0));
  }

  /** One page for one visitor: the version that answered, or what went wrong. */
  async visit(visitor: Visitor, path = '/'): Promise<string> {
    visitor.port = this.#port('ingress');
    const { status, body } = await visitor.visit(path);
    return status === 200 ? body : `${status} ${body}`;
  }

  /** One page for each visitor, one after the other. */
  async round(visitors: readonly Visitor[]): Promise<string[]> {
    const seen: string[] = [];
    for (const visitor of visitors) seen.push(await this.visit(visitor));
    return seen;
  }

  #port(kind: 'ingress' | 'mesh'): number {
    return this.#runtime?.addresses().find((address) => address.kind === kind)?.actualPort ?? expect.fail(`no ${kind} listener`);
  }

  /** `shop`: asks `web` in the mesh and hands on cookie and baggage, as an instrumented application does. */
  async #startEntry(): Promise<number> {
    const agent = new Agent({ keepAlive: true });
    const entry = await startVersion('shop', ({ headers: { cookie, baggage } }, response) => {
      const headers = { host: 'web', ...(cookie === undefined ? {} : { cookie }), ...(baggage === undefined ? {} : { baggage }) };
      const call = request({ host: '127.0.0.1', port: this.#port('mesh'), path: '/', agent, headers });
      call.on('response', (answer) => {
        response.statusCode = answer.statusCode ?? 500;
        answer.pipe(response);
      });
      call.on('error', (error) => {
        response.statusCode = 500;
        response.end(String(error));
      });
      call.end();
    });
    this.#cleanups.push(async () => {
      agent.destroy();
      await entry.close();
    });
    return entry.port;
  }
}

/** The version that arithmetic says for visitors who hold their ids. */
export function expectedVersions(
  visitors: readonly Visitor[],
  { cutoff = 0 }: { readonly cutoff?: number },
  [canary, stable]: readonly [string, string],
): string[] {
  return visitors.map((visitor) => {
    const bucket = bucketOf(visitor.cookies.get('perch') ?? '', 0) ?? expect.fail('a visitor without an id');
    return bucket < cutoff ? canary : stable;
  });
}

/** Notes, at each revision, where a visitor without an id is sent by what is stored; `stop` gives all of it, each once. */
export function watchRoutes(store: Store, place: Place): { stop(): Promise<readonly string[]> } {
  const served = new Set<string>();
  const looks: Promise<unknown>[] = [];
  const look = async (): Promise<void> => {
    const objects = (await store.list()).filter(({ ref }) => ref.kind !== 'CanaryRelease');
    const { table } = compileRouting(objects.map((object) => object.served));
    const [listener, line] = place === 'edge' ? ['ingress 8080', 'GET http://shop.test/'] : ['mesh 9080', 'GET http://web:9080/'];
    served.add(summaryOf(selectAt(table, listener, line)));
  };
  const stop = store.watch(() => looks.push(look()));
  return {
    stop: async () => {
      stop();
      await Promise.all(looks);
      return [...served];
    },
  };
}
