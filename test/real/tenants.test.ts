import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { rulesOf } from '../../src/core/gateway-api/http-route.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type PerchProcess, perch } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases } from './bookinfo-objects.ts';
import { type ClusterRelease, ReleaseHandle } from './cluster-release.ts';
import { httpRouteAtEdge, makeServices, sayAccepted } from './http-route-scene.ts';
import { type IstioCluster, objectsOf, pathOf, startIstioCluster } from './istio-cluster.ts';
import { saidBy, startController } from './start-controller.ts';
import { created, makeNamespace, movedTo } from './tenants.ts';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** A controller with the rights of single namespaces, at a real kube-apiserver. */
describeWithKubernetes('tenants', (parts) => {
  let cluster: IstioCluster;
  const controllers: PerchProcess[] = [];
  const [example] = objectsOf(file('examples/bookinfo/release.yaml')) as readonly ClusterRelease[];
  const release = (namespace: string, changes: object = {}): KubeObject => {
    if (example === undefined) throw new Error('there is no example');
    const steps = [10, 50, 100].map((weight) => ({ weight, hold: 'manual' }));
    return { ...example, metadata: { name: 'reviews', namespace }, spec: { ...example.spec, steps, ...changes } };
  };
  const handle = (namespace: string) => new ReleaseHandle(cluster, 'reviews', namespace);
  const message = async (namespace: string) => (await handle(namespace).status())?.message ?? '';
  const start = (...args: readonly string[]): PerchProcess => {
    const controller = startController(cluster.controllerKubeconfig, [...args]);
    controllers.push(controller);
    return controller;
  };
  const spec = async (namespace: string, name: string) => (await cluster.get({ kind: 'VirtualService', namespace, name }))?.spec;
  /** Gives the controller rights: those of what `perch manifests` prints that are in these namespaces. */
  const allow = async (namespaces: readonly string[], ...options: readonly string[]): Promise<void> => {
    const { stdout } = await perch(['manifests', ...options]);
    const printed = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
    for (const object of printed.filter(({ kind }) => /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind))) {
      const { namespace } = object.metadata;
      if (namespace === undefined || !namespaces.includes(namespace)) continue;
      const group = object.apiVersion === 'v1' ? '/api/v1' : RBAC;
      await created(cluster, `${group}/namespaces/${namespace}/${object.kind.toLowerCase()}s`, object);
    }
  };

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    // In place of the rights in all namespaces: those of an installation for two.
    for (const object of objectsOf(file('deploy/rbac.yaml')).filter(({ kind }) => kind !== 'Namespace')) {
      const inside = object.metadata.namespace === undefined ? '' : `/namespaces/${object.metadata.namespace}`;
      const group = object.apiVersion === 'v1' ? '/api/v1' : RBAC;
      await cluster.send('DELETE', `${group}${inside}/${object.kind.toLowerCase()}s/${object.metadata.name}`);
    }
    for (const namespace of ['shop', 'pay']) await makeNamespace(cluster, namespace);
    await allow(['perch-system', 'shop', 'pay'], '--watch-namespace', 'shop,pay');
    // An installation has the Lease of its namespaces; those that run here have one service account for all of their sets.
    const leases = ['shop', 'pay', 'pay.shop'].map((names) => `perch-controller.${names}`);
    const role = `${RBAC}/namespaces/perch-system/roles/perch-controller`;
    const change = [{ op: 'replace', path: '/rules/1/resourceNames', value: leases }];
    const { status } = await cluster.send('PATCH', role, change, { 'content-type': 'application/json-patch+json' });
    expect(status).toBe(200);
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    for (const each of controllers.splice(0)) await each.stop();
    for (const namespace of ['shop', 'pay']) await handle(namespace).forget();
  });
  const bookinfo = (namespace: string) => movedTo(namespace, bookinfoBases());

  it('a controller of one namespace runs its releases, and has no right elsewhere nor asks for one', async () => {
    await cluster.apply(...bookinfo('shop'), ...bookinfo('pay'), release('shop'), release('pay'));
    const before = [await spec('pay', 'reviews'), await spec('pay', 'bookinfo')];
    const controller = start('--watch-namespace', 'shop');
    await handle('shop').reaches('Paused 10 %');
    await handle('shop').ask('promote');
    await handle('shop').reaches('Paused 50 %');
    expect([await spec('pay', 'reviews'), await spec('pay', 'bookinfo')]).toEqual(before);
    expect((await handle('pay').get())?.status).toBeUndefined();
    expect((await handle('pay').get())?.metadata.finalizers).toBeUndefined();
    expect(saidBy(controller)).toMatch(/controls releases at \S+ in shop,/);
    expect(saidBy(controller)).not.toMatch(/forbidden|error|warning/i);
    await handle('shop').delete();
    await expect.poll(() => handle('shop').get()).toBeUndefined();
    expect(await spec('shop', 'reviews')).toEqual(before[0]);
  });

  it('with Gateway API in the cluster, a controller of one namespace runs a release in an HTTPRoute there', async () => {
    const reviews = handle('shop');
    const adopting = { service: { host: 'web', port: 80 }, stable: { host: 'web-v1' }, canary: { host: 'web-v2' } };
    const spec = { ...adopting, route: { adopt: { httpRoute: 'web' } }, steps: [10, 100].map((weight) => ({ weight, hold: 'manual' })) };
    await makeServices(cluster, 'shop', ['web', 'web-v1', 'web-v2']);
    await cluster.apply({ ...release('shop'), spec } as KubeObject);
    const early = start('--watch-namespace', 'shop');
    await expect.poll(() => message('shop')).toMatch(/HTTPRoute shop\/web/);
    // Nobody tells it that the kind comes: the next one finds it.
    await cluster.addGatewayApi();
    const rules = [{ backendRefs: [{ name: 'web-v1', port: 80 }] }];
    await cluster.apply(httpRouteAtEdge('web', rules, { namespace: 'shop' }));
    await sayAccepted(cluster, { namespace: 'shop', name: 'web' }, 'True');
    await early.stop();
    const controller = start('--watch-namespace', 'shop');
    await reviews.reaches('Paused 10 %');
    const woven = async () => rulesOf((await cluster.get({ kind: 'HTTPRoute', namespace: 'shop', name: 'web' })) as KubeObject).length;
    expect(await woven()).toBe(5);
    await reviews.ask('rollback');
    await reviews.reaches('RolledBack 0 %');
    await reviews.delete();
    await expect.poll(() => reviews.get()).toBeUndefined();
    expect(await woven()).toBe(1);
    expect(saidBy(controller)).not.toMatch(/forbidden|error/i);
  });

  it('controllers of different namespaces lead side by side; of the same one, one', async () => {
    await cluster.apply(...bookinfo('shop'), ...bookinfo('pay'), release('shop'), release('pay'));
    const all = [start('--watch-namespace', 'shop'), start('--watch-namespace', 'pay'), start('--watch-namespace', 'pay')];
    await handle('shop').reaches('Paused 10 %');
    await handle('pay').reaches('Paused 10 %');
    const leads = all.map((each) => /leads: moves/.test(saidBy(each)));
    expect([leads[0], leads.slice(1).filter(Boolean)]).toEqual([true, [true]]);
    const { body } = await cluster.send('GET', '/apis/coordination.k8s.io/v1/namespaces/perch-system/leases');
    const names = (body['items'] as readonly KubeObject[]).map(({ metadata }) => metadata.name);
    expect(names).toEqual(expect.arrayContaining(['perch-controller.pay', 'perch-controller.shop']));
  });

  it('two that both have a namespace get in each other’s way, and no step is lost, repeated or cut short', async () => {
    await cluster.apply(...bookinfo('shop'), release('shop'));
    const both = [start('--watch-namespace', 'shop'), start('--watch-namespace', 'shop,pay')];
    for (const each of both) await each.until(/leads: moves/, 60_000);
    const reviews = handle('shop');
    for (const phase of ['Paused 10 %', 'Paused 50 %', 'Paused 100 %']) {
      await reviews.reaches(phase);
      await reviews.ask('promote');
    }
    await reviews.reaches('Succeeded 100 %');
    const status = await reviews.status();
    expect([status?.started, status?.history.map(({ outcome }) => outcome)]).toEqual([1, ['Succeeded']]);
  });

  describe('a gateway in a namespace that is not watched', () => {
    const TLS = { credentialName: 'shop', mode: 'SIMPLE' };
    const gateway: KubeObject = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'shared', namespace: 'istio-system' },
      spec: {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: TLS, hosts: ['*'] }],
      },
    };
    const behindIt = () =>
      bookinfo('shop').map((object) =>
        object.kind === 'VirtualService' && object.metadata.name === 'bookinfo'
          ? { ...object, spec: { ...(object.spec as object), gateways: ['istio-system/shared'] } }
          : object,
      );

    it('is not taken for one that is not there: the release waits, and says what to do', async () => {
      await cluster.apply(gateway, ...behindIt(), release('shop'));
      start('--watch-namespace', 'shop');
      await expect
        .poll(() => message('shop'))
        .toBe('waiting: Gateway istio-system/shared is in the namespace istio-system, which this controller does not read');
      expect(await handle('shop').phase()).toBe('Pending 0 %');
    });

    it('read, it decides as everywhere: behind HTTPS the id is secure', async () => {
      await cluster.apply(gateway, ...behindIt(), release('shop'));
      await allow(['istio-system'], '--watch-namespace', 'shop', '--read-namespace', 'istio-system');
      const controller = start('--watch-namespace', 'shop', '--read-namespace', 'istio-system');
      await handle('shop').reaches('Paused 10 %');
      expect(JSON.stringify(await spec('shop', 'bookinfo'))).toMatch(/perch=%REQ\(x-request-id\)%;[^"]*; Secure/);
      expect(saidBy(controller)).not.toMatch(/forbidden|error|warning/i);
    });
  });

  it('what is in another namespace may be named only where that is allowed', async () => {
    const foreign = { canary: { host: 'reviews-v2.pay.svc.cluster.local' } };
    await cluster.apply(...bookinfo('shop'), release('shop', foreign));
    const controller = start('--watch-namespace', 'shop');
    await expect
      .poll(() => message('shop'))
      .toBe(
        'refused: spec.canary.host names Service pay/reviews-v2, in another namespace than the release: name one of shop, or start perch controller with --allow-references shop:pay',
      );
    await controller.stop();
    start('--watch-namespace', 'shop', '--allow-references', 'shop:pay', '--read-namespace', 'pay');
    await expect.poll(() => message('shop')).toMatch(/^waiting: reviews-v2.pay.svc.cluster.local(?::9080)? is not ready/);
  });
});

/** A controller of all namespaces, as deploy/rbac.yaml has it. */
describeWithKubernetes('what others write', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  const [example] = objectsOf(file('examples/bookinfo/release.yaml')) as readonly ClusterRelease[];

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await makeNamespace(cluster, 'evil');
    await cluster.apply(...bookinfoBases());
    controller = startController(cluster.controllerKubeconfig);
    await controller.until(/leads/);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('into a VirtualService of theirs makes no release of another namespace see to it', async () => {
    const route = [{ destination: { host: 'reviews', port: { number: 9080 } } }];
    const claimed: KubeObject = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'trap', namespace: 'evil', annotations: { 'perch.dev/owned-by': 'default/reviews' } },
      spec: {
        hosts: ['trap'],
        http: [
          { name: 'perch:default/reviews:rest:stable:v1', route },
          { name: 'other', route },
        ],
      },
    };
    await cluster.apply(claimed);
    const version = async () => (await cluster.get({ kind: 'VirtualService', namespace: 'evil', name: 'trap' }))?.metadata;
    const before = await version();
    await cluster.apply(example as KubeObject);
    const reviews = new ReleaseHandle(cluster, 'reviews');
    await expect.poll(() => reviews.phase()).toMatch(/^Progressing/);
    await reviews.ask('rollback');
    await reviews.reaches('RolledBack 0 %');
    await reviews.delete();
    await expect.poll(() => reviews.get()).toBeUndefined();
    expect(await version()).toEqual(before);
  });

  it('never reaches a line of the log, a status or an Event as it is where it could be taken for something else', async () => {
    const hostile = '\u001b[2J\u001b]0;owned\u0007\r\nerror: forged \u202Etxt.exe "quoted" \u2028';
    const long = 'a'.repeat(253);
    const http = [{ name: hostile, match: [{ headers: { cookie: { exact: 'x' } } }], route: [{ destination: { host: 'reviews' } }] }];
    await cluster.apply({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: long, namespace: 'default', annotations: { note: hostile }, labels: { team: 'x'.repeat(63) } },
      spec: { hosts: ['reviews'], http },
    });
    await cluster.send('DELETE', `${pathOf('VirtualService')}/reviews`);
    const reviews = new ReleaseHandle(cluster, 'reviews');
    const adopting = { ...example?.spec, route: { adopt: { virtualService: long } }, steps: [{ weight: 100, hold: 'manual' }] };
    await cluster.apply({ ...(example as KubeObject), spec: adopting });
    await expect.poll(async () => (await reviews.status())?.message ?? '').toMatch(/^waiting: /);
    const request = JSON.stringify({ id: `1${hostile}`, action: 'retry', by: hostile });
    const annotations = { 'perch.dev/request': request, [`example.com/${'n'.repeat(63)}`]: hostile };
    const patched = await cluster.send(
      'PATCH',
      `${pathOf('CanaryRelease')}/reviews`,
      { metadata: { annotations } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(patched.status).toBe(200);
    await expect.poll(async () => (await reviews.status())?.lastRequest?.outcome).toBe('refused');
    // What has control characters or turns the direction of writing; line ends only where a line of the log ends.
    const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
    expect(
      JSON.parse(JSON.stringify(await reviews.status()), (_, value: unknown) =>
        typeof value === 'string' && unsafe.test(value) ? { unsafe: value } : value,
      ),
    ).toEqual(await reviews.status());
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    for (const { note } of body['items'] as readonly { readonly note: string }[]) expect(note).not.toMatch(unsafe);
    const lines = `${controller.stdout}${controller.stderr}`.split('\n');
    expect(lines.filter((line) => unsafe.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('error: forged'))).toEqual([]);
    expect(lines.join('\n')).toContain('\\u{1b}[2J');
  });
});
