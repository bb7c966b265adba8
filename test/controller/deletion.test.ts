import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import type { Phase } from '../../src/core/release/status.ts';
import { isWoven } from '../../src/core/weave/unweave.ts';
import { BOOKINFO, bookinfo, endpoints, HOST, RELEASE, REVIEWS, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { apply, reach, request, Scene, versionFor } from './scene.ts';

// A deletion in every phase: the release leaves in the commit that takes its routes out, with everyone at one version.

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
