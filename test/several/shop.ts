import { Agent, request } from 'node:http';
import { expect, vi } from 'vitest';
import type { ObjectRef, StoredObject } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { istio, meshService, versionSubsets } from '../harness/istio-object.ts';
import { type SeededRuntime, startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections, Visitor } from '../harness/visitor.ts';

/** `web` answers at the gateway, and calls `details` and `ratings` for each page. */
export const SERVICES = ['web', 'details', 'ratings'] as const;

/** A service of the shop, and the release of it. */
export type ServiceName = (typeof SERVICES)[number];

/** A destination of the mesh. */
export const toVersion = (host: string, subset = 'v1') => ({ destination: { host, subset, port: { number: 9080 } } });

/** The VirtualService at the gateway: two pages of `web`, and one that is answered by nobody's release. */
export const EDGE = istio('VirtualService', 'shop', {
  hosts: ['*'],
  gateways: ['edge'],
  http: [
    { name: 'cart', match: [{ uri: { prefix: '/cart' } }], route: [toVersion('web')] },
    { name: 'gone', match: [{ uri: { exact: '/gone' } }], directResponse: { status: 410 } },
    { name: 'pages', route: [toVersion('web')] },
  ],
});

/** The routes of a service that is called behind the gateway. */
export function routesOf(name: string): KubeObject {
  return istio('VirtualService', name, { hosts: [name], http: [{ route: [toVersion(name)] }] });
}

/** The release of a service from v1 to v2, whose visitors get their ids at the gateway. */
export function releaseOf(name: ServiceName, spec: object = {}): KubeObject {
  const behind = name === 'web' ? {} : { visitorId: { issueAt: { virtualService: 'shop' } } };
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name },
    spec: {
      service: { host: name, port: 9080 },
      canary: { subset: 'v2' },
      stable: { subset: 'v1' },
      route: { adopt: { virtualService: name === 'web' ? 'shop' : name } },
      ...behind,
      steps: [10, 30, 60, 100].map((weight) => ({ weight, hold: 'manual' })),
      ...spec,
    },
  };
}

const refOf = (name: ServiceName): ObjectRef => ({ kind: 'CanaryRelease', namespace: 'default', name });

/** Which version of each service made a page: `{"web":"v1","details":"v2","ratings":"v1"}`. */
export type Page = Readonly<Record<ServiceName, string>>;

/** The embedded runtime with all three services, which hand on baggage as instrumented applications do, and no cookie. */
export class Shop {
  readonly #runtime: SeededRuntime;
  readonly #agent = connections(64);
  readonly #calls = new Agent({ keepAlive: true });
  readonly #servers: VersionServer[] = [];
  readonly #ports = new Map<ServiceName, Readonly<Record<string, number>>>();
  #asked = 0;

  private constructor(runtime: SeededRuntime) {
    this.#runtime = runtime;
  }

  static async open(seed: number): Promise<Shop> {
    const shop = new Shop(await startSeededRuntime(seed));
    await shop.#runtime.serve([
      istio('Gateway', 'edge', { servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] }),
      ...(await Promise.all(SERVICES.map((name) => shop.#serviceObjects(name)))).flat(),
      ...['details', 'ratings'].map(routesOf),
      EDGE,
    ]);
    return shop;
  }

  async close(): Promise<void> {
    await this.#runtime.close();
    this.#agent.destroy();
    this.#calls.destroy();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  apply(...objects: readonly KubeObject[]): Promise<void> {
    return this.#runtime.serve(objects);
  }

  async status(name: ServiceName): Promise<ReleaseStatus> {
    return (await this.#runtime.runtime.store.get(refOf(name)))?.status ?? expect.fail(`${name} has no status`);
  }

  async object(name: string): Promise<StoredObject> {
    const ref = { kind: 'VirtualService', namespace: 'default', name };
    return (await this.#runtime.runtime.store.get(ref)) ?? expect.fail(`there is no ${name}`);
  }

  /** Waits until the release is where `wanted` says, and its routes are served. */
  async reach(name: ServiceName, wanted: Partial<ReleaseStatus>): Promise<void> {
    await vi.waitFor(async () => expect(await this.status(name)).toMatchObject(wanted), { timeout: 20_000, interval: 5 });
    await this.#served();
  }

  async ask(name: ServiceName, action: RequestAction, wanted: Partial<ReleaseStatus>): Promise<void> {
    this.#asked += 1;
    await this.#runtime.runtime.store.postRequest(refOf(name), { id: `several-${this.#asked}`, action, by: 'ann' });
    await this.reach(name, wanted);
  }

  async delete(name: ServiceName): Promise<void> {
    const { store } = this.#runtime.runtime;
    await store.requestDeletion(refOf(name));
    await vi.waitFor(async () => expect(await store.get(refOf(name))).toBeUndefined(), { timeout: 20_000, interval: 5 });
    await this.#served();
  }

  /** Asks for the deletion of a release that puts its routes back to where their owner sent them; whether it still waits, once nothing moves any more. */
  async restores(name: ServiceName): Promise<'waits' | 'gone'> {
    const { store } = this.#runtime.runtime;
    await store.requestDeletion(refOf(name), { restoreBase: true });
    await this.comesToRest();
    return (await store.get(refOf(name))) === undefined ? 'gone' : 'waits';
  }

  /** The service has no endpoint of this version any more. */
  withdraw(name: ServiceName, version: string): Promise<void> {
    const { [version]: _, ...left } = this.#ports.get(name) ?? {};
    return this.apply(meshService(name, left));
  }

  /** Deletes a VirtualService. */
  async deleteRoutes(name: string): Promise<void> {
    await this.#runtime.runtime.store.requestDeletion({ kind: 'VirtualService', namespace: 'default', name });
    await this.comesToRest();
  }

  /** No pass writes any more: none undoes what another one did. */
  async comesToRest(): Promise<void> {
    const { store } = this.#runtime.runtime;
    await vi.waitFor(
      async () => {
        const revision = store.revision();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(store.revision()).toBe(revision);
      },
      { timeout: 20_000 },
    );
    await this.#served();
  }

  /** So many browsers that were never here. */
  visitors(count: number): readonly Visitor[] {
    return Array.from({ length: count }, () => new Visitor(this.#agent, this.#runtime.ingressPort()));
  }

  /** One page for a visitor, whom no cookie but the id's is given. */
  async visit(visitor: Visitor, path = '/'): Promise<Page> {
    const { status, body } = await visitor.visit(path);
    expect([status, body]).toEqual([200, expect.stringContaining('ratings')]);
    expect([...visitor.cookies.keys()]).toEqual(['perch']);
    return JSON.parse(body) as Page;
  }

  /** What arithmetic says of a visitor who holds an id. */
  async expected(visitor: Visitor): Promise<Page> {
    const id = visitor.cookies.get('perch') ?? '';
    const versions = await Promise.all(
      SERVICES.map(async (name) => {
        const { offset = 0, cutoff = 0, phase } = await this.status(name);
        if (phase === 'Succeeded') return [name, 'v2'];
        return [name, (bucketOf(id, offset) ?? 4096) < cutoff ? 'v2' : 'v1'];
      }),
    );
    return Object.fromEntries(versions) as unknown as Page;
  }

  async #served(): Promise<void> {
    await this.#runtime.runtime.served(this.#runtime.runtime.store.revision());
  }

  async #serviceObjects(name: ServiceName): Promise<readonly KubeObject[]> {
    const ports: Record<string, number> = {};
    for (const version of ['v1', 'v2']) {
      const server = await (name === 'web' ? this.#startWeb(version) : startVersion(version));
      this.#servers.push(server);
      ports[version] = server.port;
    }
    this.#ports.set(name, ports);
    return [versionSubsets(name, Object.keys(ports)), meshService(name, ports)];
  }

  #startWeb(version: string): Promise<VersionServer> {
    return startVersion(version, ({ headers: { baggage } }, response) => {
      const told: Readonly<Record<string, string>> = baggage === undefined ? {} : { baggage: String(baggage) };
      Promise.all([this.#call('details', told), this.#call('ratings', told)]).then(
        ([details, ratings]) => response.end(JSON.stringify({ web: version, details, ratings })),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  #call(host: string, told: Readonly<Record<string, string>>): Promise<string> {
    const { actualPort: port } = this.#runtime.runtime.addresses().find(({ kind }) => kind === 'mesh') ?? expect.fail('no mesh listener');
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path: '/', agent: this.#calls, headers: { host, ...told } });
      call.on('response', (answer) => {
        answer.setEncoding('utf8');
        let body = '';
        answer.on('data', (chunk: string) => {
          body += chunk;
        });
        answer.on('end', () => (answer.statusCode === 200 ? resolve(body) : reject(new Error(`${host}: ${answer.statusCode} ${body}`))));
      });
      call.on('error', reject);
      call.end();
    });
  }
}
