import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KubeClient } from '../../src/cluster/kube/kube-client.ts';
import { type KubeStore, openKubeStore } from '../../src/cluster/kube/kube-store.ts';
import { refOf } from '../../src/cluster/manifest.ts';
import type { Serving } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { freePort } from './free-port.ts';
import type { IstioCluster } from './istio-cluster.ts';
import { INGRESS, type Istiod, type MeshEnvoy, startIstiod, startMeshEnvoy } from './mesh.ts';
import { startController } from './start-controller.ts';
import { istio, startWebMesh, type WebMesh } from './web-mesh.ts';

/** Of the service, where sidecars listen for it. */
const servicePort = await freePort();

/** Everyone to one version; `first`: rules before it. */
const routesTo = (version: string, ...first: readonly object[]): KubeObject =>
  istio('VirtualService', 'web', {
    hosts: ['shop.test'],
    gateways: ['edge'],
    http: [...first, { name: 'all', route: [{ destination: { host: 'web', subset: version, port: { number: servicePort } } }] }],
  });

/** Too long to be waited for here: whatever is served sooner was told by istiod. */
const SETTLE_MS = 20_000;
const PATIENCE_MS = 24_000;

describeWithMesh('what Envoys have, asked of a real istiod', (parts) => {
  let mesh: WebMesh;
  let cluster: IstioCluster;
  let istiod: Istiod;
  let envoy: MeshEnvoy;
  let port: number;
  const stores: KubeStore[] = [];
  const agent = connections();

  const open = async (settleMs: number, patienceMs: number, urls: readonly string[] = [istiod.debugUrl]): Promise<KubeStore> => {
    const store = openKubeStore({
      client: new KubeClient({ url: `https://127.0.0.1:${cluster.port}`, authenticate: cluster.authenticate }),
      mayWrite: () => true,
      instance: 'test',
      envoys: { istiods: () => urls, settleMs, patienceMs },
      onError: (message, error) => expect.unreachable(`${message}: ${String(error)}`),
      onWatchFailed: (kind, error) => expect.unreachable(`${kind}: ${error.message}`),
    });
    stores.push(store);
    await store.synced;
    return store;
  };
  /** Applies it, and waits until the store says that it is served. */
  const change = async (store: KubeStore, routes: KubeObject): Promise<Serving & { readonly after: number }> => {
    const ref = refOf(routes);
    const former = (await store.get(ref))?.revision;
    const began = performance.now();
    await cluster.apply(routes);
    await expect.poll(async () => (await store.get(ref))?.revision, { interval: 1 }).not.toBe(former);
    const served = Promise.withResolvers<Serving>();
    const look = (): void => {
      const serving = store.serving([ref], 0);
      if (serving !== undefined) served.resolve(serving);
    };
    const stop = store.onServed(look);
    look();
    const serving = await served.promise;
    stop();
    return { ...serving, after: performance.now() - began };
  };

  beforeAll(async () => {
    mesh = await startWebMesh(parts, [routesTo('v1')], { servicePort });
    ({ cluster, istiod, envoy, port } = mesh);
  });
  afterAll(async () => {
    agent.destroy();
    await Promise.all(stores.map((store) => store.close()));
    // Those that have taken the place of the mesh's own.
    await envoy?.stop();
    await istiod?.stop();
    await mesh?.stop();
  });

  it('a change is served when istiod says so, and nobody who asks after that gets the answer of before', async () => {
    const store = await open(SETTLE_MS, PATIENCE_MS);
    let isOver = false;
    const answers: { readonly at: number; readonly body: string }[] = [];
    const load = Promise.all(
      [1, 2, 3, 4].map(async () => {
        const visitor = new Visitor(agent, port);
        while (!isOver) {
          const at = performance.now();
          const { status, body } = await visitor.visit('/');
          expect(status).toBe(200);
          answers.push({ at, body });
        }
      }),
    );
    const late: number[] = [];
    const delays: number[] = [];
    try {
      for (let turn = 0; turn < 20; turn++) {
        const [former, wanted] = turn % 2 === 0 ? ['v1', 'v2'] : ['v2', 'v1'];
        const from = answers.length;
        const { how, isDoubtful } = await change(store, routesTo(wanted ?? ''));
        const at = performance.now();
        expect([how, isDoubtful]).toEqual(['istiod: 1 Envoy has it', undefined]);
        await sleep(150);
        const last = answers
          .slice(from)
          .filter(({ body }) => body === former)
          .at(-1);
        late.push((last?.at ?? 0) - at);
        const first = answers.slice(from).find(({ body }) => body === wanted);
        delays.push(at - (first?.at ?? at));
      }
    } finally {
      isOver = true;
      await load;
    }
    const sorted = delays.toSorted((left, right) => left - right).map((ms) => ms.toFixed(0));
    console.log(
      `20 changes, ${answers.length} requests: served, says istiod, ${sorted.join(', ')} ms after the first answer by it was asked for`,
    );
    expect(late.filter((ms) => ms > 0)).toEqual([]);
  });

  it('Envoys that have none of the routes are not waited for; those that have some are', async () => {
    const sidecar = { type: 'sidecar', address: '10.255.0.2', name: 'client', namespace: 'default', labels: { app: 'client' } } as const;
    const client = await startMeshEnvoy(parts.envoy, istiod, sidecar, servicePort);
    try {
      const store = await open(SETTLE_MS, PATIENCE_MS);
      expect((await change(store, routesTo('v2'))).how).toBe('istiod: 1 Envoy has it');
      const inside = (version: string) =>
        istio('VirtualService', 'inside', {
          hosts: ['web.default.svc.cluster.local'],
          http: [{ route: [{ destination: { host: 'web', subset: version, port: { number: servicePort } } }] }],
        });
      for (const version of ['v1', 'v2', 'v1']) {
        expect((await change(store, inside(version))).how).toBe('istiod: 1 Envoy has it');
        const { body } = await new Visitor(agent, servicePort).visit('/', { host: `web:${servicePort}` });
        expect(body).toBe(version);
      }
    } finally {
      await client.stop();
      await cluster.send('DELETE', '/apis/networking.istio.io/v1/namespaces/default/virtualservices/inside');
    }
  });

  it('an Envoy that hangs is waited for, but not for ever, and no second time', async () => {
    const second = await startMeshEnvoy(parts.envoy, istiod, { ...INGRESS, address: '10.255.0.9', name: 'second' }, port);
    try {
      const store = await open(500, 3000);
      second.freeze();
      const first = await change(store, routesTo('v1'));
      expect(first.isDoubtful).toBe(true);
      expect(first.how).toContain('istiod: 1 Envoy has it, 1 of 2 does not');
      expect(first.how).toContain('second.istio-system');
      expect(first.after).toBeGreaterThanOrEqual(2900);
      const next = await change(store, routesTo('v2'));
      expect(next.isDoubtful).toBe(true);
      expect(next.after).toBeLessThan(2500);
      second.thaw();
      await expect.poll(() => second.admin('/config_dump?resource=dynamic_route_configs')).toContain(`outbound|${servicePort}|v2|web`);
      await expect.poll(async () => (await change(store, routesTo('v1'))).how).toBe('istiod: 2 Envoys have it');
    } finally {
      await second.stop();
    }
  });

  it('an Envoy that rejects the routes does not have them', async () => {
    const store = await open(500, 2000);
    // istiod takes it, no Envoy does (envoy.config.route.v3.RedirectAction has five codes).
    const refused = { match: [{ uri: { prefix: '/never' } }], redirect: { uri: '/', redirectCode: 304 } };
    const { how, isDoubtful } = await change(store, routesTo('v2', refused));
    expect(isDoubtful).toBe(true);
    expect(how).toContain('rejected: ');
    expect((await new Visitor(agent, port).visit('/')).body).toBe('v1');
    expect((await change(store, routesTo('v2'))).how).toBe('istiod: 1 Envoy has it');
  });

  it('where istiod cannot be asked, changes count as served after a time, and the reason is said', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const store = await open(300, 60_000, [url]);
    const { how, isDoubtful, after } = await change(store, routesTo('v1'));
    expect(how).toContain(`taken to be, 300ms after it was written: istiod at ${url}: `);
    expect(how).toContain('ECONNREFUSED');
    expect(isDoubtful).toBeUndefined();
    expect(after).toBeGreaterThanOrEqual(290);
    const alone = await open(100, 60_000, []);
    expect((await change(alone, routesTo('v2'))).how).toBe('taken to be, 100ms after it was written: istiod is not asked');
  });

  it('a controller finds the istiods of the cluster, and is let in with a token of Istio’s namespace; with none, or another, it says so', {
    timeout: 120_000,
  }, async () => {
    await envoy.stop();
    await istiod.stop();
    istiod = await startIstiod(parts.istiod, cluster.kubeconfig, { debugAddress: ownAddress() });
    envoy = await startMeshEnvoy(parts.envoy, istiod, INGRESS, port);
    const debugPort = Number(new URL(istiod.debugUrl).port);
    const post = async (path: string, body: object) => {
      const { status, body: answer } = await cluster.send('POST', path, body);
      expect([status, answer.message]).toEqual([201, undefined]);
      return answer;
    };
    await post('/api/v1/namespaces/istio-system/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istiod', labels: { app: 'istiod' } },
      spec: { ports: [{ name: 'http-monitoring', port: 15014 }] },
    });
    await post('/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'istiod-1', labels: { 'kubernetes.io/service-name': 'istiod' } },
      addressType: 'IPv4',
      ports: [{ name: 'http-monitoring', port: debugPort, protocol: 'TCP' }],
      endpoints: [{ addresses: [ownAddress()], conditions: { ready: true } }],
    });
    const folder = mkdtempSync(join(tmpdir(), 'perch-tokens-'));
    /** A file with a token of a service account of this name, as a pod has it. */
    const tokenIn = async (namespace: string): Promise<string> => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/perch-controller/token`;
      const { status } = await post(path, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: ['istio-ca'] },
      });
      writeFileSync(join(folder, namespace), `${(status as { readonly token: string }).token}\n`);
      return join(folder, namespace);
    };
    await post('/api/v1/namespaces/istio-system/serviceaccounts', { metadata: { name: 'perch-controller' } });

    await cluster.apply(routesTo('v1'), {
      apiVersion: 'perch.dev/v1alpha1',
      kind: 'CanaryRelease',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        service: { host: 'web', port: servicePort },
        stable: { subset: 'v1' },
        canary: { subset: 'v2' },
        route: { adopt: { virtualService: 'web' } },
        steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })),
      },
    });
    const release = new ReleaseHandle(cluster, 'web');
    const confirmations = async (): Promise<readonly string[]> => {
      const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
      const events = body['items'] as readonly { readonly reason: string; readonly note: string }[];
      return events.filter(({ reason }) => reason === 'StepConfirmed').map(({ note }) => note);
    };
    const run = async (args: readonly string[], act: () => Promise<void>): Promise<void> => {
      const controller = startController(cluster.controllerKubeconfig, [...args]);
      try {
        await act();
      } finally {
        await controller.stop();
      }
    };
    try {
      const taken = (status: number) =>
        `taken to be, 500ms after it was written: istiod at ${istiod.debugUrl}: /debug/syncz: status ${status}`;
      await run(['--settle', '500ms'], async () => {
        await release.reaches('Paused 10 %');
        await expect.poll(confirmations).toContain(`10 % is served (${taken(401)})`);
      });
      await run(['--settle', '500ms', '--istiod-token-file', await tokenIn('perch-system')], async () => {
        await release.ask('promote');
        await release.reaches('Paused 50 %');
        await expect.poll(confirmations).toContain(`50 % is served (${taken(403)})`);
      });
      await run(['--settle', '20s', '--istiod-token-file', await tokenIn('istio-system')], async () => {
        await release.ask('promote');
        await release.reaches('Paused 100 %');
        await expect.poll(confirmations).toContain('100 % is served (istiod: 1 Envoy has it)');
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** One of this machine that is not its loopback: istiod asks who comes from elsewhere. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ internal, family }) => !internal && family === 'IPv4');
  if (found === undefined) throw new Error('this machine has no address but its loopback');
  return found.address;
}
