import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpRouteRule, rulesOf } from '../../src/core/gateway-api/http-route.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { releasesInHttpRoute } from '../../src/core/weave-http-route/unweave-http-route.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { freePort } from './free-port.ts';
import { gatewayAt, ownAddress, routeAtEdge, serviceAt } from './gateway-api-scene.ts';
import { InstalledWebhook } from './installed-webhook.ts';
import { type IstioCluster, pathOf, startIstioCluster } from './istio-cluster.ts';
import { INGRESS, type Istiod, type MeshEnvoy, startIstiod, startMeshEnvoy } from './mesh.ts';
import { deviation, underLoad, versionsExpected } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';

/** 20,000 in `npm run test:all`; the bounds follow from the number. */
const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 2000);
/** Bound on the share of visitors, in standard deviations of the binomial distribution with the cutoff's probability. */
const SDS = 3.3;
/** So often the owner applies something else: for less time than a Lease lasts. */
const APPLIES = 20;
/** Of the visitors so many look at everything beside the release, too. */
const LOOKING_AROUND = 50;

const to = (name: string) => [{ name, port: 80 }];
const prefix = (value: string) => ({ path: { type: 'PathPrefix' as const, value } });

/** In the order of no precedence: what is narrower stands after what is wider. */
const RULES: readonly HttpRouteRule[] = [
  { name: 'pages', matches: [prefix('/')], backendRefs: to('web-v1') },
  { matches: [{ ...prefix('/'), headers: [{ name: 'x-pin', value: 'old' }] }], backendRefs: to('beside') },
  { matches: [{ ...prefix('/'), queryParams: [{ name: 'preview', value: '1' }] }], backendRefs: to('beside') },
  {
    matches: [prefix('/shop')],
    filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } } as never],
    backendRefs: to('web-v1'),
  },
  { matches: [{ path: { type: 'Exact', value: '/shop/cart' } }], backendRefs: to('beside') },
];
/** Another object of the same host: its headers are enough to stay before the release. */
const ELSEWHERE: readonly HttpRouteRule[] = [
  { matches: [prefix('/api')], backendRefs: to('beside') },
  { matches: [{ ...prefix('/'), headers: ['x-a', 'x-b', 'x-c'].map((name) => ({ name, value: '1' })) }], backendRefs: to('beside') },
];
/** What never leads to the release. */
const BESIDE: readonly (readonly [path: string, headers: Readonly<Record<string, string>>])[] = [
  ['/', { 'x-pin': 'old' }],
  ['/?preview=1', {}],
  ['/shop/cart', {}],
  ['/api/x', {}],
  ['/', { 'x-a': '1', 'x-b': '1', 'x-c': '1' }],
];

describeWithMesh('a release in an HTTPRoute: kube-apiserver, istiod, an Envoy at the gateway, perch controller', (parts) => {
  let cluster: IstioCluster;
  let istiod: Istiod;
  let envoy: MeshEnvoy;
  let controller: PerchProcess;
  let webhook: InstalledWebhook;
  let servers: readonly VersionServer[] = [];
  let port: number;
  let release: ReleaseHandle;
  const agent = connections();

  const startService = async (name: string, answer: string): Promise<VersionServer> => {
    const server = await startVersion(answer, undefined, ownAddress());
    await serviceAt(cluster, name, 80, server.port);
    return server;
  };

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await cluster.addGatewayApi();
    release = new ReleaseHandle(cluster, 'web');
    port = await freePort();
    servers = await Promise.all([startService('web-v1', 'v1'), startService('web-v2', 'v2'), startService('beside', 'beside')]);
    await gatewayAt(cluster, port);
    await cluster.apply(routeAtEdge('web', RULES), routeAtEdge('elsewhere', ELSEWHERE), {
      apiVersion: 'perch.dev/v1alpha1',
      kind: 'CanaryRelease',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        service: { host: 'web-v1', port: 80 },
        stable: { host: 'web-v1' },
        canary: { host: 'web-v2' },
        route: { adopt: { httpRoute: 'web' } },
        steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })),
      },
    });
    istiod = await startIstiod(parts.istiod, cluster.kubeconfig, { gatewayApi: true });
    envoy = await startMeshEnvoy(parts.envoy, istiod, INGRESS, port);
    controller = startController(cluster.controllerKubeconfig, asked());
    webhook = new InstalledWebhook(cluster);
  });
  afterAll(async () => {
    agent.destroy();
    await controller?.stop();
    webhook?.remove();
    await envoy?.stop();
    await istiod?.stop();
    await cluster?.stop();
    await Promise.all(servers.map((each) => each.close()));
  });

  /** Where istiod could not be asked, no step would be confirmed in this test. */
  const asked = (): readonly string[] => ['--istiod', istiod.debugUrl, '--settle', '90s', '--patience', '90s'];

  const visitors: Visitor[] = [];
  /** The version that each visitor sees, at two paths of the release; nothing else is answered otherwise than before. */
  const round = async (): Promise<string[]> => {
    const seen = await inParallel(visitors, 24, async (visitor) => {
      const page = await visitor.visit('/');
      const shop = await visitor.visit('/shop/x');
      const asset = await visitor.get('/logo.png', { accept: 'image/*' });
      expect([page.status, shop.status, shop.body, asset.body]).toEqual([200, 200, page.body, page.body]);
      return page.body;
    });
    await inParallel(visitors.slice(0, LOOKING_AROUND), 24, async (visitor) => {
      for (const [path, headers] of BESIDE)
        expect([path, headers, (await visitor.visit(path, headers)).body]).toEqual([path, headers, 'beside']);
    });
    return seen;
  };
  it(`${VISITORS} visitors: the shares that were asked for, nobody wrong, nobody flips back, and what is narrower stays first`, {
    timeout: 900_000,
  }, async () => {
    await release.reaches('Paused 10 %');
    for (let index = 0; index < VISITORS; index++) visitors.push(new Visitor(agent, port));
    let before = await round();
    expect(new Set(visitors.map((visitor) => visitor.cookies.get('perch'))).size).toBe(VISITORS);
    expect(before).toEqual(await versionsExpected(visitors, release));
    expect(deviation(before, ((await release.status())?.cutoff ?? 0) / 4096)).toBeLessThan(SDS);
    for (const weight of [50, 100]) {
      await release.ask('promote');
      await release.reaches(`Paused ${weight} %`);
      const now = await round();
      expect(now).toEqual(await versionsExpected(visitors, release));
      expect(deviation(now, ((await release.status())?.cutoff ?? 0) / 4096)).toBeLessThan(SDS);
      expect(now.filter((version, index) => version === 'v1' && before[index] === 'v2')).toEqual([]);
      before = now;
    }
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const events = body['items'] as readonly { readonly reason: string; readonly note: string }[];
    const confirmed = events.filter(({ reason }) => reason === 'StepConfirmed').map(({ note }) => note);
    expect(confirmed.toSorted()).toEqual([10, 100, 50].map((weight) => `${weight} % is served (istiod: 1 Envoy has it)`));
  });

  it('a first page issues one id, which no shared cache keeps; other requests issue none and stay on stable', async () => {
    const { headers } = await new Visitor(agent, port).visit('/');
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^perch=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    expect(headers['cache-control']).toBe('private');
    const asset = await new Visitor(agent, port).get('/logo.png');
    expect([asset.body, asset.headers['set-cookie']]).toEqual(['v1', undefined]);
  });

  it(`applied ${APPLIES} times while nobody leads, with the webhook: a follower answers, no request goes by the bare base`, {
    timeout: 180_000,
  }, async () => {
    const { port: webhookPort, options } = await webhook.place();
    const follower = startController(cluster.controllerKubeconfig, [...asked(), ...options]);
    await follower.until(/knows what the cluster holds/);
    await webhook.ask(webhookPort);
    const withTimeout = (request: string) =>
      routeAtEdge(
        'web',
        RULES.map((rule) => ({ ...rule, timeouts: { request } })),
      );
    const tried = `${pathOf('HTTPRoute')}/web?fieldManager=probe&force=true&dryRun=All`;
    await expect
      .poll(async () => {
        const { body } = await cluster.send('PATCH', tried, withTimeout('9s'), { 'content-type': 'application/apply-patch+yaml' });
        return releasesInHttpRoute(body as unknown as KubeObject);
      })
      .toEqual(['default/web']);
    const answers = await underLoad(visitors.slice(0, 8), async () => {
      await controller.stop('SIGKILL');
      for (let count = 0; count < APPLIES; count++) {
        await cluster.apply(withTimeout(`${10 + count}s`));
        // istiod waits for 100 ms for more.
        await sleep(250);
      }
    });
    const isLeading = /leads: /.test(follower.stderr);
    controller = follower;
    const bare = answers.filter(({ body }) => body !== 'v2').length;
    console.log(`HTTPRoute, nobody leads: ${bare} of ${answers.length} requests by the bare base`);
    expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
    expect([bare, isLeading, answers.length > APPLIES]).toEqual([0, false, true]);
    await cluster.apply(routeAtEdge('web', RULES));
    await webhook.ask(undefined);
    await follower.until(/leads: /, 60_000);
  });

  it('rolled back, all are on stable with their next request', async () => {
    await release.ask('rollback');
    await release.reaches('RolledBack 0 %');
    expect(new Set(await round())).toEqual(new Set(['v1']));
  });

  it('deleted, it leaves the route as it was', async () => {
    await release.delete();
    await expect.poll(() => release.get(), { timeout: 20_000 }).toBeUndefined();
    const object = await cluster.get({ kind: 'HTTPRoute', name: 'web' });
    const rules = object === undefined ? [] : rulesOf(object);
    expect(rules).toMatchObject(RULES);
    expect(rules.map(({ name }) => name)).toEqual(['pages', undefined, undefined, undefined, undefined]);
  });

  it('the gateway’s Envoy rejected none of what istiod made of it', async () => {
    const stats = await envoy.admin('/stats?filter=update_rejected');
    expect(stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'))).toEqual([]);
  });
});
