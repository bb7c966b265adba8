import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownedSpecFields, writersOf } from '../../src/cluster/kube/managed-fields.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { isWoven, unweave } from '../../src/core/weave/unweave.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const REVIEWS = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/reviews';
/** A VirtualService. */
interface RouteObject extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const MERGE = { 'content-type': 'application/merge-patch+json' };

describeWithKubernetes('who owns what of a VirtualService, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let reviews: ReleaseHandle;
  const controllers: PerchProcess[] = [];
  const bases = bookinfoBases();
  const base = bases.find(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'reviews') as RouteObject;
  const release = (changes: object = {}) => reviewsRelease([10, 100], changes);

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    for (const each of controllers.splice(0)) await each.stop();
    await reviews.forget();
    await cluster.send('DELETE', REVIEWS);
  });

  const start = (): PerchProcess => {
    const controller = startController(cluster.controllerKubeconfig);
    controllers.push(controller);
    return controller;
  };
  const stored = async () => (await cluster.get({ kind: 'VirtualService', name: 'reviews' })) as RouteObject;
  const woven = async () => isWoven(await stored());
  /** As `kubectl apply --server-side`, with the conflict that it says. */
  const applyAs = async (manager: string, object: KubeObject, force = false) => {
    const { status, body } = await cluster.send('PATCH', `${REVIEWS}?fieldManager=${manager}&force=${force}`, object, APPLY);
    return `${status} ${body.message ?? ''}`.trim();
  };
  const merge = async (manager: string, patch: object) => {
    const { status } = await cluster.send('PATCH', `${REVIEWS}?fieldManager=${manager}`, patch, MERGE);
    expect(status).toBe(200);
  };
  /** Notes of the Events of a reason about the release that is there. */
  const events = async (reason: string): Promise<readonly string[]> => {
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const uid = (await reviews.get())?.metadata.uid;
    const all = body['items'] as readonly {
      readonly reason: string;
      readonly note: string;
      readonly regarding: { readonly uid: string };
    }[];
    return all.filter((each) => each.reason === reason && each.regarding.uid === uid).map(({ note }) => note);
  };

  describe('that a release adopts', () => {
    it('spec.http while the release is woven in; the rest stays its owner’s, labels and annotations too', async () => {
      const labelled = { ...base, metadata: { ...base.metadata, labels: { team: 'a' }, annotations: { note: '1' } } };
      await cluster.apply(...bases, labelled, release());
      start();
      await reviews.reaches('Paused 10 %');
      const object = await stored();
      expect([ownedSpecFields(object), writersOf(object, 'http'), writersOf(object, 'hosts')]).toEqual([['http'], [], ['owner']]);
      expect(object.metadata).toMatchObject({ labels: { team: 'a' }, annotations: { note: '1' } });
      await merge('kubectl-edit', { metadata: { labels: { team: 'b' } } });
      await reviews.ask('promote');
      await reviews.reaches('Paused 100 %');
      expect((await stored()).metadata.labels).toEqual({ team: 'b' });
    });

    it('an owner who does not force is told by the API; once the release is deleted nothing is Perch’s, and no apply is in conflict', async () => {
      await cluster.apply(...bases, release());
      start();
      await reviews.reaches('Paused 10 %');
      expect(await applyAs('owner', base)).toMatch(/^409 .*conflict with "perch": \.spec\.http/);
      expect(await woven()).toBe(true);
      await reviews.delete();
      await expect.poll(() => reviews.get()).toBeUndefined();
      const left = await stored();
      expect([left.spec, ownedSpecFields(left)]).toEqual([base.spec, []]);
      expect(await applyAs('owner', base)).toBe('200');
      expect(await applyAs('owner', { ...base, spec: { ...base.spec, http: [{ route: [{ destination: { host: 'other' } }] }] } })).toBe(
        '200',
      );
    });

    it('what a controller that died left to do, the next one does', async () => {
      await cluster.apply(...bases);
      // Un-woven, and not given up.
      expect(await applyAs('perch', { ...base, spec: { http: base.spec['http'] } }, true)).toBe('200');
      start();
      await expect.poll(async () => ownedSpecFields(await stored())).toEqual([]);
      expect((await stored()).spec).toEqual(base.spec);
    });

    it('what an earlier Perch put there counts as applied', async () => {
      await cluster.apply(...bases);
      const { metadata, ...rest } = await stored();
      expect(
        (
          await cluster.send('PUT', `${REVIEWS}?fieldManager=perch`, {
            ...rest,
            metadata,
            spec: { ...rest.spec, http: [{ route: [{ destination: { host: 'reviews', subset: 'v1' }, weight: 100 }] }] },
          })
        ).status,
      ).toBe(200);
      await cluster.apply(release());
      start();
      await reviews.reaches('Paused 10 %');
      expect(
        ((await stored()).metadata as { managedFields?: readonly { manager: string; operation: string }[] }).managedFields?.filter(
          ({ manager }) => manager === 'perch',
        ),
      ).toMatchObject([{ operation: 'Apply' }]);
    });
  });

  describe('that a release owns', () => {
    const http = base.spec['http'];
    const managed = { route: { managed: { name: 'reviews', hosts: ['reviews'], http } } };
    const begin = async () => {
      await cluster.apply(...bases.filter((each) => each !== base), release(managed));
      const controller = start();
      await reviews.reaches('Paused 10 %');
      return controller;
    };

    it('what others write in its spec is taken back, and told with their name; labels of theirs stay', async () => {
      await begin();
      const before = (await stored()).spec;
      await merge('kubectl-label', { metadata: { labels: { team: 'a' } } });
      await merge('kubectl-edit', { spec: { http } });
      await expect.poll(async () => (await stored()).spec).toEqual(before);
      await expect
        .poll(() => events('TakenBack'))
        .toEqual([
          'VirtualService default/reviews belongs to this release: conflict with "kubectl-edit" using networking.istio.io/v1 at .spec.http; that is taken back. Change the release instead',
        ]);
      await merge('kubectl-edit', { spec: { exportTo: ['.'] } });
      await expect.poll(async () => (await stored()).spec).toEqual(before);
      await expect.poll(() => events('TakenBack')).toHaveLength(2);
      expect((await stored()).metadata.labels).toEqual({ team: 'a' });
    });

    it('and adopts afterwards: it goes on, nothing of it is lost, and only spec.http is Perch’s', async () => {
      await begin();
      await reviews.ask('rollback');
      await reviews.reaches('RolledBack 0 %');
      await cluster.apply(release({ revision: 2, route: { adopt: { virtualService: 'reviews' } } }));
      await reviews.reaches('Paused 10 %');
      const object = await stored();
      expect([ownedSpecFields(object), object.spec['hosts'], unweave(object).spec]).toEqual([
        ['http'],
        ['reviews'],
        { hosts: ['reviews'], http },
      ]);
    });

    it('stays when the release is deleted, as it is, and nobody’s', async () => {
      await begin();
      await reviews.delete();
      await expect.poll(() => reviews.get()).toBeUndefined();
      const left = await stored();
      expect([left.spec, ownedSpecFields(left)]).toEqual([{ hosts: ['reviews'], http }, []]);
      expect(left.metadata.annotations).toEqual({ 'perch.dev/formerly-owned-by': 'default/reviews' });
    });
  });
});
