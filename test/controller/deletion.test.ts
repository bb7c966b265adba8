import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import type { Phase } from '../../src/core/release/status.ts';
import { isWoven, wovenReleases } from '../../src/core/weave/unweave.ts';
import { istio, meshService, versionSubsets } from '../harness/istio-object.ts';
import { BOOKINFO, bookinfo, endpoints, HOST, RELEASE, REVIEWS, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { apply, reach, request, Scene, statusOf, versionFor } from './scene.ts';

// A deletion in every phase: the release leaves in the commit that takes its routes out, with everyone at one version. Where what serves them is elsewhere, it
// is kept until they are served.

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

const manual = steps('manual', 'manual', 'manual');

/** Brings a release into a phase and keeps it there; `serving` as of the scene. */
async function bringTo(phase: Phase, store: Store, serving: (isServing: boolean) => void): Promise<void> {
  const missing = phase === 'Pending' ? { v2: await scene.freePort() } : {};
  const spec = phase === 'Progressing' ? steps('10m', '10m', '10m') : phase === 'Succeeded' ? {} : manual;
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ ...scene.ports, ...missing }), release(spec));
  if (phase === 'Completing' || phase === 'RollingBack' || phase === 'RolledBack' || phase === 'Superseded') {
    await reach(store, { phase: 'Paused' });
    if (phase !== 'RolledBack') serving(false);
  }
  if (phase === 'Completing') await request(store, 'promote', true);
  if (phase === 'RollingBack' || phase === 'RolledBack') await request(store, 'rollback');
  if (phase === 'Superseded') await apply(store, release({ ...manual, canary: { subset: 'v3' } }));
  await reach(store, { phase });
}

/** The release is gone and has left nothing: bases are what is served, and all are at one version. */
async function assertGone(store: Store, version: string): Promise<void> {
  await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
  for (const ref of [REVIEWS, BOOKINFO]) {
    const { base, served } = (await store.get(ref)) ?? expect.fail(`no ${ref.name}`);
    expect(served).toEqual(base);
    expect(isWoven(served)).toBe(false);
  }
  expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual([version, version, version]);
}

describe.each([
  ['Pending', 'v1'],
  ['Progressing', 'v1'],
  ['Paused', 'v1'],
  ['Completing', 'v2'],
  ['Succeeded', 'v2'],
  ['RollingBack', 'v1'],
  ['RolledBack', 'v1'],
  ['Superseded', 'v1'],
] as const)('a release deleted in %s', (phase, live) => {
  test(`leaves everyone at ${live}, in one commit: no moment at which it is half gone`, async () => {
    const { store, serving } = scene.start();
    await bringTo(phase, store, serving);
    const moments: Promise<readonly [boolean, boolean]>[] = [];
    store.watch(() => {
      moments.push(
        Promise.all([store.get(RELEASE), store.get(REVIEWS), store.get(BOOKINFO)]).then(([left, ...routes]) => [
          left !== undefined && left.status?.liveVersion !== undefined,
          routes.some((route) => route !== undefined && isWoven(route.served)),
        ]),
      );
    });
    await store.requestDeletion(RELEASE);
    await assertGone(store, live);
    expect(moments.length).toBeGreaterThan(0);
    for (const [isThere, isIn] of await Promise.all(moments)) expect(isIn).toBe(isThere);
  });

  test('with its base restored leaves everyone where that leads', async () => {
    const { store, serving } = scene.start();
    await bringTo(phase, store, serving);
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await assertGone(store, 'v1');
    expect((await store.get(REVIEWS))?.base.spec).toEqual(reviewsRoutes().spec);
  });
});

test.each(['Completing', 'Succeeded'] as const)(
  'in %s, with its base restored, waits while the version there has no endpoints; asked again without that, it leaves',
  async (phase) => {
    const { store, serving, readiness } = scene.start();
    const mortal = await scene.listen();
    scene.ports.v1 = mortal.port;
    await bringTo(phase, store, serving);
    await mortal.close();
    await expect.poll(() => readiness.check(HOST, 9080, { subset: 'v1' }).ready).toBe(false);
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await expect.poll(async () => (await store.get(RELEASE))?.status?.message).toContain('the base leads to v1: v1 has no ready endpoints');
    expect([await versionFor(store, 0), await versionFor(store, 4095)]).toEqual(['v2', 'v2']);
    await store.requestDeletion(RELEASE);
    await assertGone(store, 'v2');
  },
);

describe('where the data plane is elsewhere', () => {
  const elsewhere = (store: Store): Store => ({ ...store, keepsUntilServed: true });
  const isIn = async (store: Store): Promise<boolean> => {
    const routes = await Promise.all([REVIEWS, BOOKINFO].map((ref) => store.get(ref)));
    return routes.some((route) => route !== undefined && isWoven(route.served));
  };

  test.each([
    ['Progressing', 'v1'],
    ['Paused', 'v1'],
    ['Completing', 'v2'],
    ['Succeeded', 'v2'],
    ['RollingBack', 'v1'],
    ['RolledBack', 'v1'],
    ['Superseded', 'v1'],
  ] as const)('a release deleted in %s leaves its routes at once, and goes when they are served without it', async (phase, live) => {
    const { store, serving } = scene.start({}, elsewhere);
    await bringTo(phase, store, serving);
    serving(false);
    await store.requestDeletion(RELEASE);
    await expect.poll(() => isIn(store)).toBe(false);
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual([live, live, live]);
    await expect
      .poll(async () => (await statusOf(store)).message)
      .toBe('being deleted: its routes lead nobody by it any more; waiting for that to be served');
    const revision = store.revision();
    await sleep(200);
    expect([(await statusOf(store)).phase, store.revision()]).toEqual([phase, revision]);
    serving(true);
    await assertGone(store, live);
    expect(scene.entries.at(-1)?.message).toBe(`the release was deleted; its routes lead to ${live}`);
  });

  test('one that never began has nothing to wait for', async () => {
    const { store, serving } = scene.start({}, elsewhere);
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release({ ...manual, stable: { subset: 'v9' } }));
    await reach(store, { phase: 'Pending' });
    serving(false);
    await store.requestDeletion(RELEASE);
    await expect.poll(() => store.get(RELEASE)).toBeUndefined();
  });

  test('a controller that goes on after another one waits, too', async () => {
    const first = scene.start({}, elsewhere);
    await bringTo('Paused', first.store, first.serving);
    first.serving(false);
    await first.store.requestDeletion(RELEASE);
    await expect.poll(() => isIn(first.store)).toBe(false);
    await first.stop();
    const next = scene.start({}, (store) => ({ ...elsewhere(store), serving: () => (isServed ? {} : undefined) }));
    let isServed = false;
    await sleep(200);
    expect([await isIn(next.store), (await statusOf(next.store)).phase]).toEqual([false, 'Paused']);
    isServed = true;
    await apply(next.store, endpoints({ ...scene.ports, v3: scene.ports.v2 }));
    next.serving(true);
    await assertGone(next.store, 'v1');
  });

  test('what its owner writes meanwhile leads to the live version too, and is waited for', async () => {
    const { store, serving } = scene.start({}, elsewhere);
    await bringTo('Succeeded', store, serving);
    serving(false);
    await store.requestDeletion(RELEASE);
    await expect.poll(() => isIn(store)).toBe(false);
    const timeout = '3s';
    await apply(store, reviewsRoutes([{ timeout, route: [{ destination: { host: 'reviews', subset: 'v1' } }] }]));
    await expect.poll(async () => JSON.stringify((await store.get(REVIEWS))?.served.spec)).toContain(timeout);
    await expect.poll(() => versionFor(store)).toBe('v2');
    expect(await store.get(RELEASE)).toBeDefined();
    serving(true);
    await assertGone(store, 'v2');
  });

  test('it does not come back by a release that shares its edge', async () => {
    const { store, serving } = scene.start({}, elsewhere);
    const other = release({ ...manual, service: { host: 'ratings', port: 9080 }, route: { adopt: { virtualService: 'ratings' } } });
    const ratings = (http: readonly unknown[] = [{ route: [{ destination: { host: 'ratings', subset: 'v1' } }] }]) =>
      istio('VirtualService', 'ratings', { hosts: ['ratings'], http });
    await apply(store, versionSubsets('ratings', ['v1', 'v2']), meshService('ratings', scene.ports), ratings());
    await bringTo('Paused', store, serving);
    await apply(store, { ...other, metadata: { name: 'ratings' } });
    const RATINGS = { ...RELEASE, name: 'ratings' };
    await expect.poll(async () => (await store.get(RATINGS))?.status?.phase).toBe('Paused');
    serving(false);
    await store.requestDeletion(RELEASE);
    const wovenAtEdge = async () => wovenReleases((await store.get(BOOKINFO))?.served ?? expect.fail('no bookinfo'));
    await expect.poll(wovenAtEdge).toEqual(['default/ratings']);
    expect(await store.postRequest(RATINGS, { id: 'go-on', action: 'promote', by: 'ann' })).toBe(true);
    await apply(store, ratings([{ timeout: '3s', route: [{ destination: { host: 'ratings', subset: 'v1' } }] }]));
    await expect.poll(async () => JSON.stringify((await store.get({ ...REVIEWS, name: 'ratings' }))?.served)).toMatch(/perch:.*3s/);
    await sleep(100);
    expect([await wovenAtEdge(), (await store.get(RELEASE))?.status?.phase]).toEqual([['default/ratings'], 'Paused']);
    serving(true);
    await expect.poll(() => store.get(RELEASE)).toBeUndefined();
    expect(await wovenAtEdge()).toEqual(['default/ratings']);
  });
});
