import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { manifestOf } from '../../src/cluster/manifest.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { isWoven } from '../../src/core/weave/unweave.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const VIRTUAL_SERVICES = '/apis/networking.istio.io/v1/namespaces/default/virtualservices';
const REVISIONS = '/apis/apps/v1/namespaces/default/controllerrevisions';

/** A ControllerRevision as the API gives it. */
interface Revision {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly { readonly kind: string; readonly name: string }[] };
  readonly data: KubeObject;
  readonly revision: number;
}

describeWithKubernetes('bases that others write, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let reviews: ReleaseHandle;
  const controllers: PerchProcess[] = [];
  const bases = bookinfoBases();
  const base = bases.find(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'reviews') as KubeObject;
  const release = () => reviewsRelease([10, 100]);
  /** The base with these rules before its own. */
  const withRules = (...rules: readonly object[]): KubeObject => {
    const { http } = base.spec as { readonly http: readonly object[] };
    return { ...base, spec: { ...(base.spec as object), http: [...rules, ...http] } };
  };
  const destination = { host: 'reviews', subset: 'v1', port: { number: 9080 } };
  const ruleAt = (path: string) => ({ name: path.slice(1, 20), match: [{ uri: { exact: path } }], route: [{ destination }] });

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    for (const each of controllers.splice(0)) await each.stop();
    await reviews.forget();
    for (const name of ['reviews', 'bookinfo']) await cluster.send('DELETE', `${VIRTUAL_SERVICES}/${name}`);
    await cluster.send('DELETE', REVISIONS);
  });

  const start = (): PerchProcess => {
    const controller = startController(cluster.controllerKubeconfig);
    controllers.push(controller);
    return controller;
  };
  const stored = async () =>
    (await cluster.get({ kind: 'VirtualService', name: 'reviews' })) as KubeObject & { metadata: { generation: number } };
  const records = async (name: string): Promise<readonly Revision[]> => {
    const { body } = await cluster.send('GET', REVISIONS);
    const all = body['items'] as readonly Revision[];
    return all
      .filter(({ metadata }) => metadata.ownerReferences[0]?.name === name)
      .toSorted((left, right) => left.revision - right.revision);
  };
  const specs = async (name: string) => (await records(name)).map(({ data }) => data.spec);

  it('are kept as ControllerRevisions of the object, ready to be applied, the last three of each', async () => {
    await cluster.apply(...bases, release());
    const first = start();
    await reviews.reaches('Paused 10 %');
    const edge = bases.find(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'bookinfo') as KubeObject;
    await expect.poll(async () => (await records('bookinfo')).map(({ data }) => data)).toEqual([manifestOf(edge)]);
    await expect.poll(() => specs('reviews')).toEqual([base.spec]);
    const [record] = await records('reviews');
    expect(record?.metadata).toMatchObject({
      name: expect.stringMatching(/^reviews-[0-9a-f]{10}$/),
      labels: { 'app.kubernetes.io/managed-by': 'perch' },
      ownerReferences: [{ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'reviews', controller: true }],
    });
    const [one, two, three] = ['/one', '/two', '/three'].map((path) => withRules(ruleAt(path)));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three bases');
    await cluster.apply(one);
    await expect.poll(() => specs('reviews')).toEqual([base.spec, one.spec]);
    // The same again is nothing new, for another controller neither.
    await cluster.apply(one);
    await first.stop();
    start();
    await cluster.apply(two);
    await expect.poll(() => specs('reviews')).toEqual([base.spec, one.spec, two.spec]);
    await cluster.apply(three);
    await expect.poll(() => specs('reviews')).toEqual([one.spec, two.spec, three.spec]);
    await cluster.apply(one);
    await expect.poll(() => specs('reviews')).toEqual([two.spec, three.spec, one.spec]);
  });

  it('too large for the cluster with the release woven in: it waits, says how large, and writes nothing; smaller, it begins', async () => {
    const rules = Array.from({ length: 3000 }, (_, index) => ruleAt(`/a-path-that-is-not-short/${index}`));
    const large = withRules(...rules);
    await cluster.apply(...bases.filter((each) => each !== base), large, release());
    start();
    await expect
      .poll(async () => (await reviews.status())?.message)
      .toMatch(
        /^waiting: VirtualService default\/reviews would have \d{7} bytes with the release woven in; a cluster keeps up to 1048576: take rules/,
      );
    expect([(await stored()).metadata.generation, await reviews.phase()]).toEqual([1, 'Pending 0 %']);
    await cluster.apply(base);
    await reviews.reaches('Paused 10 %');
    // Under way everyone goes to stable until there is one that it fits into.
    await cluster.apply(large);
    await expect.poll(async () => (await reviews.status())?.message).toMatch(/would have \d{7} bytes/);
    expect([isWoven(await stored()), (await stored()).spec]).toEqual([false, large.spec]);
    await cluster.apply(base);
    await expect.poll(async () => isWoven(await stored())).toBe(true);
    expect(await reviews.status()).toMatchObject({ weight: 10, step: 0, started: 1 });
  });

  it('written by a program that does so whenever it sees another: woven in once a second, told once, and for good when it ends', async () => {
    await cluster.apply(...bases, release());
    start();
    await reviews.reaches('Paused 10 %');
    let [isOver, seen] = [false, 0];
    const fighter = (async () => {
      while (!isOver) {
        if (isWoven(await stored())) {
          seen += 1;
          await cluster.apply(base);
        }
        await sleep(5);
      }
    })();
    await sleep(10_000);
    isOver = true;
    await fighter;
    // Five times at once, and then once a second.
    expect(seen).toBeGreaterThan(5);
    expect(seen).toBeLessThan(18);
    await expect.poll(async () => isWoven(await stored())).toBe(true);
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const notes = (body['items'] as readonly { readonly reason: string; readonly note: string }[])
      .filter(({ reason }) => reason === 'WrittenOver')
      .map(({ note }) => note);
    expect(notes).toEqual([
      expect.stringMatching(/^owner wrote VirtualService default\/reviews 3 times .* Have it leave spec\.http alone/),
    ]);
  });
});
