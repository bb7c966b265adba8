import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KubeClient } from '../../src/cluster/kube/kube-client.ts';
import { type KubeStore, openKubeStore } from '../../src/cluster/kube/kube-store.ts';
import type { ObjectRef } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { initialStatus } from '../../src/core/release/status-change.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';

const BOOKINFO = fileURLToPath(new URL('../../examples/bookinfo/', import.meta.url));
const FILES = ['bookinfo', 'reviews', 'release'].map((name) => `${BOOKINFO}${name}.yaml`);
const RELEASE: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const ROUTES: ObjectRef = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

describeWithKubernetes('commits to a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let store: KubeStore;
  /** Called before each request of the store is sent. */
  let beforeRequest: (method: string) => Promise<void> = async () => undefined;

  const routesTo = (subset: string): KubeObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'default' },
    spec: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews', subset } }] }] },
  });
  const spec = async () => (await cluster.get(ROUTES))?.spec;

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await cluster.apply(...objectsOf(...FILES), routesTo('v1'));
    store = openKubeStore({
      client: new KubeClient({
        url: `https://127.0.0.1:${cluster.port}`,
        async authenticate(options) {
          await beforeRequest(options.method ?? 'GET');
          await cluster.authenticate(options);
        },
      }),
      mayWrite: () => true,
      instance: 'test',
      envoys: { istiods: () => [], settleMs: 10, patienceMs: 10 },
      onError: (message, error) => expect.unreachable(`${message}: ${String(error)}`),
      onWatchFailed: (kind, error) => expect.unreachable(`${kind}: ${error.message}`),
    });
    await store.synced;
  });
  afterAll(async () => {
    await store?.close();
    await cluster?.stop();
  });

  it.each([
    ['holds its release', 'PATCH'],
    ['writes its status', 'PUT'],
  ])('what an owner applies while a commit %s, and the store hears of, is not written over', async (_, method) => {
    await cluster.apply(routesTo('v1'));
    await expect.poll(async () => (await store.get(ROUTES))?.served.spec).toEqual(routesTo('v1').spec);
    beforeRequest = async (asked) => {
      if (asked !== method) return;
      beforeRequest = async () => undefined;
      await cluster.apply(routesTo('v3'));
      await expect.poll(async () => (await store.get(ROUTES))?.served.spec).toEqual(routesTo('v3').spec);
    };
    const commit = { status: { ...initialStatus(), message: method }, routes: [{ ref: ROUTES, served: routesTo('v2') }] };
    expect(await store.commit(RELEASE, commit, store.revision())).toBe(false);
    expect(await spec()).toEqual(routesTo('v3').spec);
    expect(await store.commit(RELEASE, commit, store.revision())).toBe(true);
    expect(await spec()).toEqual(routesTo('v2').spec);
  });

  it.each([
    ['not created', undefined],
    ['not written over where another one of its name came', 'v3'],
  ])('what its owner deletes while a commit is under way, and the store has not heard of, is %s', async (_, next) => {
    await cluster.apply(routesTo('v1'));
    await expect.poll(async () => (await store.get(ROUTES))?.served.spec).toEqual(routesTo('v1').spec);
    let isSent = false;
    beforeRequest = async (asked) => {
      if (asked !== 'PUT' || isSent) return;
      isSent = true;
      await cluster.send('DELETE', '/apis/networking.istio.io/v1/namespaces/default/virtualservices/reviews');
      if (next !== undefined) await cluster.apply(routesTo(next));
    };
    const commit = { status: { ...initialStatus(), message: String(next) }, routes: [{ ref: ROUTES, served: routesTo('v2') }] };
    expect(await store.commit(RELEASE, commit, store.revision())).toBe(false);
    beforeRequest = async () => undefined;
    expect(isSent).toBe(true);
    expect(await spec()).toEqual(next === undefined ? undefined : routesTo(next).spec);
  });
});
