import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

/** What the schema takes, since it sees one release alone, and `perch serve` would have refused when it was applied. */
describeWithKubernetes('releases that are refused in a cluster, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  const release = (name: string, changes: object = {}) => ({
    ...reviewsRelease([10, 100], changes),
    metadata: { name, namespace: 'default' },
  });
  const handle = (name: string) => new ReleaseHandle(cluster, name);
  const status = (name: string) => handle(name).status();
  const message = async (name: string) => (await status(name))?.message ?? '';
  /** Oldest first: the API lists Events by their names, which are drawn. */
  const notes = async (name: string): Promise<string[]> => {
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const events = body['items'] as readonly {
      readonly reason: string;
      readonly note: string;
      readonly eventTime: string;
      readonly regarding: { readonly name: string };
    }[];
    return events
      .filter(({ reason, regarding }) => reason === 'Refused' && regarding.name === name)
      .toSorted((left, right) => left.eventTime.localeCompare(right.eventTime))
      .map(({ note }) => note);
  };

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await cluster.apply(...bookinfoBases(), release('reviews'));
    controller = startController(cluster.controllerKubeconfig);
    await controller.until(/leads/);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('a second release of the same service says which one is there, and starts once that has gone', async () => {
    await handle('reviews').reaches('Paused 10 %');
    await cluster.apply(release('second', { canary: { subset: 'v3' } }));
    await expect.poll(() => message('second')).toMatch(/^refused: .*default\/reviews/);
    expect((await status('second'))?.conditions.map(({ type, status: value, reason }) => [type, value, reason])).toEqual([
      ['Ready', 'False', 'Refused'],
      ['Reconciling', 'False', 'Refused'],
      ['Stalled', 'True', 'Refused'],
    ]);
    expect(await handle('reviews').phase()).toBe('Paused 10 %');
    await handle('reviews').delete();
    await handle('second').reaches('Paused 10 %');
    expect(await notes('second')).toHaveLength(1);
  });

  it('a change that is refused under way is told, and what was asked for before goes on; taken back, all is well', async () => {
    const before = await cluster.get({ kind: 'VirtualService', name: 'reviews' });
    const moved = { service: { host: 'ratings', port: 9080 }, canary: { subset: 'v3' } };
    // The apiserver knows what must not change under way, but not that a name is of another namespace.
    await expect(cluster.apply(release('second', moved))).rejects.toThrow(
      /spec\.service: Forbidden: cannot change while a release is under way/,
    );
    await cluster.apply(release('second', { canary: { host: 'reviews-v3.pay.svc.cluster.local' } }));
    await expect.poll(() => notes('second')).toHaveLength(2);
    expect((await notes('second')).at(-1)).toMatch(
      /^the new spec is refused, the last one stays: .*spec\.canary\.host names Service pay\/reviews-v3/,
    );
    expect([await handle('second').phase(), (await cluster.get({ kind: 'VirtualService', name: 'reviews' }))?.spec]).toEqual([
      'Paused 10 %',
      before?.spec,
    ]);
    await cluster.apply(release('second', { canary: { subset: 'v3' }, revision: 2 }));
    await expect.poll(async () => (await status('second'))?.revision).toBe(2);
    await handle('second').reaches('Paused 10 %');
  });

  it('what is wrong in rules of its own is told with its place; nothing is created', async () => {
    const managed = { managed: { name: 'odd', hosts: ['odd'], http: [{ rute: [] }] } };
    await cluster.apply(release('odd', { service: { host: 'details', port: 9080 }, route: managed }));
    await expect.poll(() => message('odd')).toMatch(/^refused: .*rute/);
    expect(await cluster.get({ kind: 'VirtualService', name: 'odd' })).toBeUndefined();
    await handle('odd').delete();
    await expect.poll(() => cluster.get({ kind: 'CanaryRelease', name: 'odd' })).toBeUndefined();
  });
});
