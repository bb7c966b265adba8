import assert from 'node:assert/strict';
import type { KubeObject } from '../core/istio/resources.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import type { ApplyResult, ObjectRef, Store, StoredObject } from './store.ts';

/** One behaviour that every adapter of the store port has. `run` throws where the store given does otherwise. */
export interface StoreCase {
  readonly name: string;
  /** `store` is new and empty, and takes objects in as `runtimeAdmission` does. */
  run(store: Store): Promise<void>;
}

/** A VirtualService of `reviews` whose only rule goes to `subset`. */
export function virtualService(subset: string, name = 'reviews', namespace?: string): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { hosts: [name], http: [{ route: [{ destination: { host: name, subset } }] }] },
  };
}

/** A release of `reviews` from v1 to v2 in steps of these weights. */
export function canaryRelease(weights: readonly number[] = [10, 100], name = 'reviews'): KubeObject {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name },
    spec: {
      service: { host: name, port: 9080 },
      canary: { subset: 'v2' },
      stable: { subset: 'v1' },
      route: { adopt: { virtualService: name } },
      steps: weights.map((weight) => ({ weight, hold: '10m' })),
    },
  };
}

const RELEASE: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const ROUTES: ObjectRef = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

const ROLLBACK: ReleaseRequest = { id: 'r1', action: 'rollback', by: 'ann' };

/** The shared suite: what controllers, the API and the data plane may count on, whatever the store is made of. */
export const STORE_CASES: readonly StoreCase[] = [
  {
    name: 'apply creates, changes, and leaves alone what is as it was',
    run: async (store) => {
      assert.deepEqual(results(await store.apply('files', [virtualService('v1'), canaryRelease()])), ['created', 'created']);
      const created = await must(store, ROUTES);
      assert.equal(created.generation, 1);
      assert.deepEqual(results(await store.apply('files', [virtualService('v2'), canaryRelease()])), ['configured', 'unchanged']);
      const changed = await must(store, ROUTES);
      assert.equal(changed.generation, 2);
      assert.equal(changed.revision, store.revision());
      assert.ok(changed.revision > created.revision);
      assert.deepEqual(changed.base.spec, virtualService('v2').spec);
      assert.equal(changed.createdAt, created.createdAt);
    },
  },
  {
    name: 'an apply that changes nothing uses up no revision and tells nobody',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      const before = store.revision();
      store.watch(() => assert.fail('nothing was written'));
      const again = await store.apply('files', [virtualService('v1')]);
      assert.deepEqual(results(again), ['unchanged']);
      assert.equal(store.revision(), before);
    },
  },
  {
    name: 'the generation counts changes of the spec, not of labels',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      const labelled = { ...virtualService('v1'), metadata: { name: 'reviews', labels: { team: 'books' } } };
      assert.deepEqual(results(await store.apply('files', [labelled])), ['configured']);
      const { base, generation } = await must(store, ROUTES);
      assert.equal(generation, 1);
      assert.deepEqual(base.metadata.labels, { team: 'books' });
    },
  },
  {
    name: 'the order of keys is no difference, the order of rules is',
    run: async (store) => {
      const route = (name: string) => ({ name, route: [{ destination: { host: 'reviews', subset: name } }] });
      const first = { ...virtualService('v1'), spec: { hosts: ['reviews'], http: [route('v1'), route('v2')] } };
      const sameKeys = { ...virtualService('v1'), spec: { http: [route('v1'), route('v2')], hosts: ['reviews'] } };
      const otherRules = { ...virtualService('v1'), spec: { hosts: ['reviews'], http: [route('v2'), route('v1')] } };
      await store.apply('files', [first]);
      assert.deepEqual(results(await store.apply('files', [sameKeys])), ['unchanged']);
      assert.deepEqual(results(await store.apply('files', [otherRules])), ['configured']);
    },
  },
  {
    name: 'what `get` shows can be applied again without being a change',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      const shown = { ...(await must(store, ROUTES)).base, status: { observed: true } };
      assert.deepEqual(results(await store.apply('api', [shown])), ['unchanged']);
    },
  },
  {
    name: 'a source that repeats itself does not undo what another changed since',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      await store.apply('api', [virtualService('v2')]);
      assert.deepEqual(results(await store.apply('files', [virtualService('v1')])), ['unchanged']);
      assert.deepEqual((await must(store, ROUTES)).base.spec, virtualService('v2').spec);
      assert.deepEqual(results(await store.apply('files', [virtualService('v3')])), ['configured']);
      assert.deepEqual((await must(store, ROUTES)).base.spec, virtualService('v3').spec);
    },
  },
  {
    name: 'an apply with one bad object changes nothing and says all that is wrong',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      const before = store.revision();
      const stop = store.watch(() => assert.fail('nothing was written'));
      const bad = { ...virtualService('v1', 'ratings'), spec: { hosts: ['ratings'], htpp: [] } };
      const worse = { ...canaryRelease(), spec: { service: { host: 'reviews' } } };
      const result = await store.apply('files', [virtualService('v2'), bad, worse]);
      assert.equal(result.ok, false);
      const named = new Set(result.ok ? [] : result.diagnostics.map((diagnostic) => diagnostic.object));
      assert.ok(named.has('VirtualService default/ratings'));
      assert.ok(named.has('CanaryRelease default/reviews'));
      assert.equal(store.revision(), before);
      stop();
      assert.deepEqual((await must(store, ROUTES)).base.spec, virtualService('v1').spec);
      assert.deepEqual(results(await store.apply('files', [virtualService('v2')])), ['configured']);
    },
  },
  {
    name: 'the same object twice in one apply is refused',
    run: async (store) => {
      const result = await store.apply('files', [virtualService('v1'), virtualService('v2', 'reviews', 'default')]);
      assert.deepEqual(result.ok ? [] : result.diagnostics.map((diagnostic) => diagnostic.code), ['PERCH4050']);
      assert.deepEqual(await store.list(), []);
    },
  },
  {
    name: 'list selects by kind and namespace, in the order of creation',
    run: async (store) => {
      await store.apply('files', [virtualService('v1', 'ratings'), canaryRelease()]);
      await store.apply('files', [virtualService('v1', 'details', 'shop'), virtualService('v1')]);
      const names = async (kind?: string, namespace?: string): Promise<readonly string[]> =>
        (await store.list(kind, namespace)).map(({ ref }) => `${ref.namespace}/${ref.name}`);
      assert.deepEqual(await names(), ['default/ratings', 'default/reviews', 'shop/details', 'default/reviews']);
      assert.deepEqual(await names('VirtualService'), ['default/ratings', 'shop/details', 'default/reviews']);
      assert.deepEqual(await names('VirtualService', 'shop'), ['shop/details']);
      assert.deepEqual(await names('CanaryRelease', 'shop'), []);
    },
  },
  {
    name: 'objects carry their creation time in whole seconds, as a cluster gives it',
    run: async (store) => {
      const { metadata } = virtualService('v1');
      await store.apply('files', [{ ...virtualService('v1'), metadata: { ...metadata, creationTimestamp: '2001-01-01T00:00:00Z' } }]);
      const { base, served, createdAt } = await must(store, ROUTES);
      assert.match(base.metadata.creationTimestamp ?? '', /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(served.metadata.creationTimestamp, base.metadata.creationTimestamp);
      assert.ok(Math.abs(Date.parse(createdAt) - Date.parse(base.metadata.creationTimestamp ?? '')) < 1000);
      assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
    },
  },
  {
    name: 'prune deletes what left this source, and nothing of another',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), virtualService('v1', 'ratings'), canaryRelease()]);
      await store.apply('api', [virtualService('v1', 'details')]);
      const result = await store.apply('files', [virtualService('v1')], { prune: true });
      assert.deepEqual(results(result), ['unchanged', 'pruned', 'pruned']);
      assert.equal(await store.get({ ...ROUTES, name: 'ratings' }), undefined);
      assert.notEqual(await store.get({ ...ROUTES, name: 'details' }), undefined);
      assert.notEqual((await must(store, RELEASE)).deletionRequestedAt, undefined);
      assert.deepEqual(results(await store.apply('files', [virtualService('v1')], { prune: true })), ['unchanged']);
    },
  },
  {
    name: 'routing objects go at once, a release waits for the controller',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      assert.equal((await store.requestDeletion(ROUTES)).kind, 'accepted');
      assert.equal(await store.get(ROUTES), undefined);
      assert.equal((await store.requestDeletion(ROUTES)).kind, 'absent');
      assert.equal((await store.requestDeletion(RELEASE)).kind, 'accepted');
      const marked = await must(store, RELEASE);
      assert.ok(Math.abs(Date.parse(marked.deletionRequestedAt ?? '') - Date.now()) < 60_000);
      assert.equal((await store.requestDeletion(RELEASE)).kind, 'accepted');
      assert.equal((await must(store, RELEASE)).revision, marked.revision);
      assert.equal(await store.commit(RELEASE, { remove: true }, store.revision()), true);
      assert.equal(await store.get(RELEASE), undefined);
    },
  },
  {
    name: 'a deletion says whether bases come back; asking again changes that, applying withdraws both',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      assert.equal((await store.requestDeletion(RELEASE, { restoreBase: true })).kind, 'accepted');
      const marked = await must(store, RELEASE);
      assert.equal(marked.deletionRestoresBase, true);
      await store.requestDeletion(RELEASE);
      const again = await must(store, RELEASE);
      assert.deepEqual([again.deletionRequestedAt, again.deletionRestoresBase], [marked.deletionRequestedAt, undefined]);
      await store.requestDeletion(RELEASE, { restoreBase: true });
      await store.apply('files', [canaryRelease()]);
      const kept = await must(store, RELEASE);
      assert.deepEqual([kept.deletionRequestedAt, kept.deletionRestoresBase], [undefined, undefined]);
    },
  },
  {
    name: 'what was deleted is created anew by the next apply, also by a source that repeats itself',
    run: async (store) => {
      await store.apply('files', [virtualService('v1')]);
      await store.apply('api', [virtualService('v1')]);
      await store.requestDeletion(ROUTES);
      assert.deepEqual(results(await store.apply('files', [virtualService('v1')])), ['created']);
      assert.equal((await must(store, ROUTES)).generation, 1);
    },
  },
  {
    name: 'applying a release that waits for its deletion keeps it',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      await store.commit(RELEASE, { status: PROGRESSING }, store.revision());
      await store.requestDeletion(RELEASE);
      assert.deepEqual(results(await store.apply('files', [canaryRelease()])), ['configured']);
      const kept = await must(store, RELEASE);
      assert.deepEqual([kept.deletionRequestedAt, kept.generation, kept.status], [undefined, 1, PROGRESSING]);
    },
  },
  {
    name: 'requests: the last one wins, except over a pending rollback',
    run: async (store) => {
      assert.equal(await store.postRequest(RELEASE, ROLLBACK), false);
      await store.apply('files', [canaryRelease()]);
      assert.equal(await store.postRequest(RELEASE, { id: 'p1', action: 'pause', by: 'bob' }), true);
      assert.equal(await store.postRequest(RELEASE, ROLLBACK), true);
      const posted = store.revision();
      assert.equal(await store.postRequest(RELEASE, ROLLBACK), true);
      assert.equal(store.revision(), posted);
      assert.equal(await store.postRequest(RELEASE, { id: 'p2', action: 'promote', by: 'bob' }), false);
      assert.deepEqual((await must(store, RELEASE)).request, ROLLBACK);
      const handled = { ...ROLLBACK, at: '2026-01-01T00:00:00.000Z', outcome: 'done', message: 'rolled back' } as const;
      await store.commit(RELEASE, { status: { ...PROGRESSING, phase: 'RollingBack', lastRequest: handled } }, store.revision());
      assert.equal(await store.postRequest(RELEASE, { id: 'p3', action: 'retry', by: 'bob' }), true);
      assert.equal((await must(store, RELEASE)).request?.id, 'p3');
    },
  },
  {
    name: 'a commit writes status and routes as one revision, and the base stays',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      const seen: (readonly [readonly ObjectRef[], number])[] = [];
      store.watch((refs, revision) => seen.push([refs, revision]));
      const routes = [{ ref: ROUTES, served: virtualService('v2') }];
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes }, store.revision()), true);
      assert.deepEqual(seen, [[[RELEASE, ROUTES], store.revision()]]);
      const woven = await must(store, ROUTES);
      const release = await must(store, RELEASE);
      assert.deepEqual(release.status, PROGRESSING);
      assert.deepEqual(woven.base.spec, virtualService('v1').spec);
      assert.deepEqual(woven.served.spec, virtualService('v2').spec);
      assert.deepEqual([woven.revision, release.revision], [store.revision(), store.revision()]);
      assert.deepEqual([woven.generation, release.generation], [1, 1]);
    },
  },
  {
    name: 'a commit can serve the base again, replace it, and remove the release',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      await store.commit(RELEASE, { routes: [{ ref: ROUTES, served: virtualService('v2') }] }, store.revision());
      const routes = [{ ref: ROUTES, served: undefined, base: virtualService('v3') }];
      assert.equal(await store.commit(RELEASE, { routes, remove: true }, store.revision()), true);
      assert.equal(await store.get(RELEASE), undefined);
      const left = await must(store, ROUTES);
      assert.deepEqual([left.base.spec, left.served.spec], [virtualService('v3').spec, virtualService('v3').spec]);
      assert.equal(left.generation, 2);
      assert.deepEqual(results(await store.apply('files', [virtualService('v1')])), ['unchanged']);
    },
  },
  {
    name: 'a commit that rests on something changed since writes nothing',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      const routes = [{ ref: ROUTES, served: virtualService('v2') }];
      let read = store.revision();
      await store.postRequest(RELEASE, ROLLBACK);
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes }, read), false);
      read = store.revision();
      await store.apply('files', [virtualService('v3')]);
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes }, read), false);
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING }, read), true);
      read = store.revision();
      await store.requestDeletion(ROUTES);
      assert.equal(await store.commit(RELEASE, { routes }, read), false);
      assert.equal(await store.commit({ ...RELEASE, name: 'nobody' }, { status: PROGRESSING }, store.revision()), false);
    },
  },
  {
    name: 'a commit creates objects, with base, served view and status as one revision',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      const routes = [{ ref: ROUTES, served: virtualService('v2'), base: virtualService('v1'), isNew: true as const }];
      const seen: (readonly ObjectRef[])[] = [];
      store.watch((refs) => seen.push(refs));
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes }, store.revision()), true);
      assert.deepEqual(seen, [[RELEASE, ROUTES]]);
      const created = await must(store, ROUTES);
      assert.deepEqual([created.base.spec, created.served.spec], [virtualService('v1').spec, virtualService('v2').spec]);
      assert.deepEqual([created.generation, created.revision], [1, store.revision()]);
      assert.ok(Math.abs(Date.parse(created.createdAt) - Date.now()) < 60_000);
      assert.deepEqual((await must(store, RELEASE)).status, PROGRESSING);
    },
  },
  {
    name: 'a commit that would create what is there by now, or change what is not, writes nothing',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      const change = { ref: ROUTES, served: undefined, base: virtualService('v1') };
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes: [change] }, store.revision()), false);
      await store.apply('api', [virtualService('v3')]);
      const routes = [{ ...change, isNew: true as const }];
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, routes }, store.revision()), false);
      assert.deepEqual((await must(store, ROUTES)).base.spec, virtualService('v3').spec);
      assert.equal((await must(store, RELEASE)).status, undefined);
    },
  },
  {
    name: 'a new base of a woven object is stored; what is served stays until the next commit',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      await store.commit(RELEASE, { routes: [{ ref: ROUTES, served: virtualService('v2') }] }, store.revision());
      await store.apply('api', [virtualService('v3')]);
      const { base, served } = await must(store, ROUTES);
      assert.deepEqual([base.spec, served.spec], [virtualService('v3').spec, virtualService('v2').spec]);
    },
  },
  {
    name: 'a new base of an object that a release names is served by the next commit only, woven in already or not',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      await store.apply('files', [virtualService('v3'), canaryRelease()]);
      const waiting = await must(store, ROUTES);
      assert.deepEqual([waiting.base.spec, waiting.served.spec], [virtualService('v3').spec, virtualService('v1').spec]);
      await store.commit(RELEASE, { routes: [{ ref: ROUTES, served: undefined }] }, store.revision());
      assert.deepEqual((await must(store, ROUTES)).served.spec, virtualService('v3').spec);
      await store.commit(RELEASE, { remove: true }, store.revision());
      await store.apply('files', [virtualService('v2')]);
      assert.deepEqual((await must(store, ROUTES)).served.spec, virtualService('v2').spec);
    },
  },
  {
    name: 'what a release owns is neither written nor deleted by others, and a source that no longer names it forgets it',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      const { http } = virtualService('v1').spec as { http: unknown };
      const spec = { ...(canaryRelease().spec as object), route: { managed: { hosts: ['reviews'], http } } };
      const owning = { ...canaryRelease(), spec };
      assert.deepEqual(results(await store.apply('files', [owning], { prune: true })), ['configured']);
      const base = await must(store, ROUTES);
      const refused = await store.apply('api', [virtualService('v2')]);
      assert.deepEqual(refused.ok ? [] : refused.diagnostics.map(({ code }) => code), ['PERCH3053']);
      const deletion = await store.requestDeletion(ROUTES);
      assert.deepEqual(deletion.kind === 'refused' ? deletion.diagnostics.map(({ code }) => code) : [], ['PERCH3053']);
      assert.deepEqual(await must(store, ROUTES), base);
      await store.commit(RELEASE, { remove: true }, store.revision());
      assert.deepEqual(results(await store.apply('files', [virtualService('v1', 'ratings')], { prune: true })), ['created']);
      assert.deepEqual((await must(store, ROUTES)).base, base.base);
    },
  },
  {
    name: 'listeners hear every write in order, also those that listeners cause',
    run: async (store) => {
      const heard: string[] = [];
      const pending: Promise<unknown>[] = [];
      const stop = store.watch((refs, revision) => {
        heard.push(`first ${revision} ${refs.map((ref) => ref.name)}`);
        if (refs.some((ref) => ref.name === 'ratings')) pending.push(store.apply('api', [virtualService('v1', 'details')]));
      });
      store.watch((refs, revision) => heard.push(`second ${revision} ${refs.map((ref) => ref.name)}`));
      await store.apply('files', [virtualService('v1', 'ratings')]);
      await Promise.all(pending);
      const revision = store.revision();
      assert.deepEqual(heard, [
        `first ${revision - 1} ratings`,
        `second ${revision - 1} ratings`,
        `first ${revision} details`,
        `second ${revision} details`,
      ]);
      stop();
      await store.requestDeletion({ ...ROUTES, name: 'details' });
      assert.deepEqual(heard.slice(4), [`second ${revision + 1} details`]);
    },
  },
  {
    name: 'the revision that the data plane serves only grows',
    run: async (store) => {
      const heard: number[] = [];
      store.onServed((revision) => heard.push(revision));
      assert.equal(store.servedRevision(), 0);
      store.markServed(3);
      store.markServed(2);
      store.markServed(3);
      store.markServed(5);
      assert.equal(store.servedRevision(), 5);
      assert.deepEqual(heard, [3, 5]);
    },
  },
];

function results(result: ApplyResult): readonly string[] {
  if (!result.ok) assert.fail(`refused: ${result.diagnostics.map((diagnostic) => diagnostic.message).join('; ')}`);
  return result.outcomes.map((outcome) => outcome.result);
}

async function must(store: Store, ref: ObjectRef): Promise<StoredObject> {
  const object = await store.get(ref);
  assert.ok(object !== undefined, `${ref.kind} ${ref.name} is in the store`);
  assert.deepEqual(object.ref, ref);
  return object;
}
