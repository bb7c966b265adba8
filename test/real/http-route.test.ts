import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { releasesNamed } from '../../src/cli/planning/releases-named.ts';
import { renderRoutes } from '../../src/cli/planning/render-routes.ts';
import { yamlDocuments } from '../../src/cluster/object-yaml.ts';
import { rulesOf } from '../../src/core/gateway-api/http-route.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { inputs, meshInputs } from '../../src/core/weave-http-route/arbitrary-http-routes.cases.ts';
import { releasesInHttpRoute, unweaveHttpRoute } from '../../src/core/weave-http-route/unweave-http-route.ts';
import { weaveHttpRoute } from '../../src/core/weave-http-route/weave-http-route.ts';
import type { Until } from '../../src/server/rehearsal/rehearsal.ts';
import { type PerchProcess, perch } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { httpRouteAtEdge, makeServices, sayAccepted } from './http-route-scene.ts';
import { InstalledWebhook } from './installed-webhook.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const MERGE = { 'content-type': 'application/merge-patch+json' };

const to = (name: string) => [{ name, port: 80 }];

const RELEASE: KubeObject = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    service: { host: 'web', port: 80 },
    stable: { host: 'web-v1' },
    canary: { host: 'web-v2' },
    route: { adopt: { httpRoute: 'web' } },
    steps: [
      { weight: 20, hold: 'manual' },
      { weight: 100, hold: 'manual' },
    ],
  },
};

/** Nobody serves the routes here: what gateways say of them is written as they would. */
describeWithKubernetes('a release in an HTTPRoute, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  let release: ReleaseHandle;
  let webhook: InstalledWebhook;
  let webhookPort: number;
  const folder = mkdtempSync(join(tmpdir(), 'perch-http-route-'));

  const send = async (method: string, path: string, body: object): Promise<void> => {
    const { status, body: answer } = await cluster.send(method, path, body, method === 'PATCH' ? MERGE : {});
    expect([status < 300, answer.message]).toEqual([true, undefined]);
  };
  const served = async (name = 'web'): Promise<KubeObject | undefined> => await cluster.get({ kind: 'HTTPRoute', name });
  const names = async (): Promise<(string | undefined)[]> => {
    const object = await served();
    return object === undefined ? [] : rulesOf(object).map((rule) => rule.name);
  };
  const message = async (): Promise<string> => (await release.status())?.message ?? '';

  /** What `perch render` prints of files with these rules, as the apiserver would store it: it fills in what Gateway API has for absent fields. */
  const rendered = async (rules: readonly object[], until: Until): Promise<unknown> => {
    const { started = 1 } = (await release.status()) ?? {};
    const result = await renderRoutes([httpRouteAtEdge('web', rules), RELEASE], releasesNamed([RELEASE], []), until, {
      started: started - 1,
    });
    const routes = result.kind === 'rendered' ? result.routes : expect.fail(JSON.stringify(result));
    const [object] = parseAllDocuments(await yamlDocuments(routes)).map((document) => document.toJS() as KubeObject);
    const other = { ...object, metadata: { name: 'tried', namespace: 'default' } };
    const { status, body } = await cluster.send('POST', `${ROUTES}?dryRun=All&fieldValidation=Strict`, other);
    expect([status, body.message]).toEqual([201, undefined]);
    return (body as unknown as KubeObject).spec;
  };
  const STEP = (step: number): Until => ({ kind: 'step', step });

  const BASE = [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: to('web-v1') }];

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    release = new ReleaseHandle(cluster, 'web');
    await makeServices(cluster, 'default', ['web', 'web-v1', 'web-v2']);
    const file = join(folder, 'release.yaml');
    writeFileSync(file, JSON.stringify(RELEASE));
    const { code, stderr } = await perch(['apply', '--kubeconfig', cluster.kubeconfig, '-f', file]);
    expect([code, stderr]).toEqual([0, '']);
    webhook = new InstalledWebhook(cluster);
    const { port, options } = await webhook.place();
    webhookPort = port;
    controller = startController(cluster.controllerKubeconfig, options);
  });
  afterAll(async () => {
    await controller?.stop();
    webhook?.remove();
    rmSync(folder, { recursive: true });
    await cluster?.stop();
  });

  it('waits where the cluster has no Gateway API, and for the route once it has', async () => {
    await release.reaches('Pending 0 %');
    expect(await message()).toContain('HTTPRoute default/web, which the release adopts, does not exist');
    await cluster.addGatewayApi();
    await cluster.apply(httpRouteAtEdge('web', BASE));
    await expect.poll(message).toContain('HTTPRoute default/web is not served: no gateway has taken it yet');
  });

  it('is refused where others than Istio serve the route', async () => {
    await sayAccepted(cluster, { name: 'web' }, 'True', 'example.net/gateway-controller');
    await expect.poll(message).toContain('is served by example.net/gateway-controller');
    await sayAccepted(cluster, { name: 'web' }, 'False');
    await expect.poll(message).toContain('HTTPRoute default/web is not served: False it is');
    expect(await names()).toEqual([undefined]);
  });

  it('begins once Istio has taken the route', async () => {
    await sayAccepted(cluster, { name: 'web' }, 'True');
    await release.reaches('Paused 20 %');
    expect(await names()).toEqual([
      'perch.default.web.known.canary.0-0',
      'perch.default.web.known.stable.0-0',
      'perch.default.web.new.canary.0-0',
      'perch.default.web.new.stable.0-0',
      'perch.default.web.rest.stable.0-0.1.web-v1.80',
    ]);
  });

  it('what the controller wrote is what perch render prints', async () => {
    expect((await served())?.spec).toEqual(await rendered(BASE, STEP(0)));
  });

  it('is refused where it would overtake another route of the host, and goes on once that is gone', async () => {
    const narrower = [{ ...BASE[0], matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x-lab', value: '1' }] }] }];
    await cluster.apply(httpRouteAtEdge('lab', narrower));
    await release.ask('rollback');
    await release.reaches('RolledBack 0 %');
    await release.ask('retry');
    await expect.poll(message).toContain('no rule of HTTPRoute default/web that leads to web:80 or one of its versions can be woven');
    await cluster.send('DELETE', `${ROUTES}/lab`);
    await release.reaches('Paused 20 %');
  });

  it('whatever is woven, the schema of Gateway API takes it', async () => {
    const tried = (object: KubeObject) => cluster.send('POST', `${ROUTES}?dryRun=All&fieldValidation=Strict`, named(object));
    const named = (object: KubeObject): KubeObject => ({ ...object, metadata: { name: 'tried', namespace: 'default' } });
    let taken = 0;
    const isTaken = async (base: KubeObject, woven: KubeObject | undefined): Promise<void> => {
      if (woven === undefined || (await tried(base)).status !== 201) return;
      const { status, body } = await tried(woven);
      expect([status, body.message]).toEqual([201, undefined]);
      // What the schema fills in is nothing that un-weaving would take for the base.
      const { body: plain } = await tried(base);
      expect(rulesOf(unweaveHttpRoute(body as unknown as KubeObject))).toEqual(rulesOf(plain as unknown as KubeObject));
      taken++;
    };
    await fc.assert(
      fc.asyncProperty(inputs, (input) => isTaken(input.route, weaveHttpRoute(input).route)),
      { seed: 23, numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(150);
    taken = 0;
    await fc.assert(
      fc.asyncProperty(meshInputs, async (input) => {
        const { route: woven, issuing } = weaveHttpRoute(input);
        await isTaken(input.route, woven);
        await isTaken(input.issuing, issuing);
      }),
      { seed: 24, numRuns: 200 },
    );
    expect(taken).toBeGreaterThan(120);
  });

  it('what its owner applies again is woven again, and a rule added by hand stays', async () => {
    const search = { matches: [{ path: { type: 'PathPrefix', value: '/search' } }], backendRefs: to('search') };
    await cluster.apply(httpRouteAtEdge('web', [...BASE, search]));
    await expect.poll(async () => (await names()).length).toBe(6);
    const rules = rulesOf((await served()) ?? httpRouteAtEdge('web', []));
    await send('PATCH', `${ROUTES}/web`, { spec: { rules: [...rules, { ...search, name: 'by-hand' }] } });
    await expect.poll(names).toContain('by-hand');
    await expect.poll(async () => (await names()).length).toBe(7);
  });

  describe('with the webhook', () => {
    let applies = 0;
    const apply = async (object: KubeObject, query = ''): Promise<KubeObject> => {
      applies += 1;
      const [, version] = object.apiVersion.split('/');
      const path = `${ROUTES.replace('/v1/', `/${version}/`)}/web?fieldManager=owner&force=true&fieldValidation=Strict${query}`;
      const { status, body } = await cluster.send('PATCH', path, object, { 'content-type': 'application/apply-patch+yaml' });
      expect([status < 300, body.message]).toEqual([true, undefined]);
      return body as unknown as KubeObject;
    };
    /** How many server-side applies of HTTPRoutes this suite did not send since it began. */
    const writtenByPerch = async (): Promise<number> => {
      const { body } = await cluster.send('GET', '/metrics');
      const lines = (body.message ?? '').split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
      const all = lines.filter((line) => line.includes('resource="httproutes"') && line.includes('verb="APPLY"'));
      return all.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0) - applies;
    };
    const isWoven = (object: KubeObject): boolean => releasesInHttpRoute(object).length > 0;
    const rest = (value: string, more: object = {}) => ({
      matches: [{ path: { type: 'PathPrefix', value } }],
      backendRefs: to('web-v1'),
      ...more,
    });

    it('it is asked before an HTTPRoute is stored', async () => {
      // What is written where nobody is asked is woven afterwards.
      expect(isWoven(await apply(httpRouteAtEdge('web', BASE), '&dryRun=All'))).toBe(false);
      await webhook.ask(webhookPort);
      await expect.poll(async () => isWoven(await apply(httpRouteAtEdge('web', BASE), '&dryRun=All'))).toBe(true);
    });
    afterAll(() => webhook.ask(undefined));

    it('what its owner applies is stored woven, as the controller makes it: that has nothing to write but its steps', async () => {
      const before = await writtenByPerch();
      const pinned = {
        matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x-pin', value: '1' }] }],
        backendRefs: to('old'),
      };
      for (const rules of [
        [rest('/', { name: 'pages' })],
        [rest('/'), rest('/shop', { timeouts: { request: '3s' } })],
        [pinned, rest('/')],
        [rest('/', { backendRefs: to('web') }), { ...pinned, name: 'pin' }],
        BASE,
      ]) {
        const stored = await apply(httpRouteAtEdge('web', rules));
        expect(isWoven(stored)).toBe(true);
        expect(await rendered(rules, STEP(0))).toEqual(stored.spec);
        const plain = await cluster.send('POST', `${ROUTES}?dryRun=All`, { ...httpRouteAtEdge('tried', rules) });
        expect(rulesOf(unweaveHttpRoute(stored))).toEqual(rulesOf(plain.body as unknown as KubeObject));
        const again = await apply(httpRouteAtEdge('web', rules));
        expect([again.metadata, isWoven(again)]).toMatchObject([
          { resourceVersion: (stored.metadata as { resourceVersion?: string }).resourceVersion },
          true,
        ]);
      }
      await release.ask('promote');
      await release.reaches('Paused 100 %');
      expect((await served())?.spec).toEqual(await rendered(BASE, STEP(1)));
      await release.ask('rollback');
      await release.reaches('RolledBack 0 %');
      await release.ask('retry');
      await release.reaches('Paused 20 %');
      expect((await writtenByPerch()) - before).toBe(3);
    });

    it('routes that are created, replaced, and written by an older version of the API are woven too', async () => {
      const woven = (await served())?.spec;
      await cluster.send('DELETE', `${ROUTES}/web`);
      const { status, body } = await cluster.send('POST', ROUTES, httpRouteAtEdge('web', BASE));
      expect([status, body.message]).toEqual([201, undefined]);
      const created = body as unknown as KubeObject;
      expect(created.spec).toEqual(woven);
      const put = (await cluster.send('PUT', `${ROUTES}/web`, { ...httpRouteAtEdge('web', BASE), metadata: created.metadata }))
        .body as unknown as KubeObject;
      expect(put.spec).toEqual(woven);
      const old = await apply({ ...httpRouteAtEdge('web', BASE), apiVersion: 'gateway.networking.k8s.io/v1beta1' });
      expect([old.apiVersion, old.spec]).toEqual(['gateway.networking.k8s.io/v1beta1', woven]);
      // A gateway has to take the new one before a release may begin again.
      await sayAccepted(cluster, { name: 'web' }, 'True');
    });

    it('what cannot be woven goes through, and mistakes are left to the apiserver', async () => {
      const drawn = [{ ...rest('/'), backendRefs: [...to('web-v1'), ...to('web-v2')] }];
      const { spec } = await apply(httpRouteAtEdge('web', drawn), '&dryRun=All');
      expect(isWoven({ ...httpRouteAtEdge('web', []), spec })).toBe(false);
      for (const rules of ['none', [{ backendRefs: [{ name: 'web-v1' }] }]]) {
        const { status, body } = await cluster.send('PATCH', `${ROUTES}/web`, { spec: { rules } }, MERGE);
        expect([status, body.message]).toEqual([422, expect.stringContaining('spec.rules')]);
      }
    });

    it('with nobody there, applies go through, and are woven by the controller that comes', async () => {
      await controller.stop('SIGKILL');
      expect(isWoven(await apply(httpRouteAtEdge('web', [rest('/', { name: 'pages' })])))).toBe(false);
      controller = startController(cluster.controllerKubeconfig);
      await expect.poll(async () => isWoven((await served()) ?? httpRouteAtEdge('web', [])), { timeout: 60_000 }).toBe(true);
      const search = rest('/search', { backendRefs: to('search') });
      await apply(httpRouteAtEdge('web', [...BASE, search, { ...search, name: 'by-hand' }]));
      await expect.poll(async () => (await names()).length).toBe(7);
    });
  });

  it('rolls back, and when it is deleted leaves the route as it was, at the live version', async () => {
    await release.ask('rollback');
    await release.reaches('RolledBack 0 %');
    await release.ask('retry');
    await release.reaches('Paused 20 %');
    await release.ask('promote');
    await release.reaches('Paused 100 %');
    await release.ask('promote');
    await release.reaches('Succeeded 100 %');
    const search = { matches: [{ path: { type: 'PathPrefix', value: '/search' } }], backendRefs: to('search') };
    expect((await served())?.spec).toEqual(await rendered([...BASE, search, { ...search, name: 'by-hand' }], { kind: 'after' }));
    await release.delete();
    await expect.poll(() => release.get(), { timeout: 20_000 }).toBeUndefined();
    const rules = rulesOf((await served()) ?? httpRouteAtEdge('web', []));
    expect(rules.map(({ name, matches, backendRefs }) => [name, matches?.[0]?.headers, backendRefs?.map((ref) => ref.name)])).toEqual([
      [undefined, undefined, ['web-v2']],
      [undefined, undefined, ['search']],
      ['by-hand', undefined, ['search']],
    ]);
  });
});
