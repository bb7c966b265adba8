import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Store, StoredObject } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { formerOwnerOf, ownerOf } from '../../src/core/release/ownership.ts';
import { isWoven } from '../../src/core/weave/unweave.ts';
import { BOOKINFO, bookinfo, endpoints, HOST, RELEASE, REVIEWS, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { adopt, delegate, managed, root, rules } from './owned-objects.ts';
import { apply, reach, request, Scene, versionFor } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

const MANUAL = steps('manual', 'manual', 'manual');
const PERCH = { ...REVIEWS, name: 'reviews-perch' };

const httpOf = (object: KubeObject | undefined): unknown => (object?.spec as { readonly http?: unknown } | undefined)?.http;

/** The object once it is in the store. */
async function stored(store: Store, ref = REVIEWS): Promise<StoredObject> {
  return await vi.waitFor(async () => (await store.get(ref)) ?? expect.fail(`no ${ref.name}`), { timeout: 20_000, interval: 5 });
}

async function gone(store: Store): Promise<void> {
  await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
  await expect.poll(() => scene.reasons().at(-1)).toBe('Deleted');
}

describe.each([
  ['managed', (http = rules()) => managed(http), [], REVIEWS],
  ['delegate', (http = rules()) => delegate(http), [root()], PERCH],
] as const)('%s: the VirtualService that the release owns', (_form, route, besides, owned) => {
  const all = (spec: object, ports = scene.ports) => [...bookinfo, ...besides, endpoints(ports), release({ ...route(), ...spec })];

  test('is there, and served as written, before the release can start', async () => {
    const { store } = scene.start();
    const missing = await scene.freePort();
    await apply(store, ...all(MANUAL, { ...scene.ports, v2: missing }));
    await reach(store, { phase: 'Pending' });
    const { base, served } = await stored(store, owned);
    expect([httpOf(base), served]).toEqual([rules(), base]);
    expect(ownerOf(base)).toBe('default/reviews');
    expect(await versionFor(store, 0)).toBe('v1');
  });

  test('carries the release through its steps to the end', async () => {
    const { store } = scene.start();
    await apply(store, ...all(steps('manual', '100ms', '100ms')));
    await reach(store, { phase: 'Paused', weight: 10 });
    expect([await versionFor(store, 409), await versionFor(store, 410), await versionFor(store)]).toEqual(['v2', 'v1', 'v1']);
    await request(store, 'promote');
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v2' } });
    expect([await versionFor(store, 4095), await versionFor(store)]).toEqual(['v2', 'v2']);
    expect(httpOf((await stored(store, owned)).base), 'the base stays as the spec declares it').toEqual(rules());
  });

  test('is rolled back, and the next release is woven into it', async () => {
    const { store } = scene.start();
    await apply(store, ...all(MANUAL));
    await reach(store, { phase: 'Paused', weight: 10 });
    await request(store, 'rollback');
    await reach(store, { phase: 'RolledBack' });
    expect(await versionFor(store, 0)).toBe('v1');
    await apply(store, release({ ...route(), ...MANUAL, canary: { subset: 'v3' } }));
    await reach(store, { phase: 'Paused', canary: { subset: 'v3' } });
    expect([await versionFor(store, 0), await versionFor(store, 4095)]).toEqual(['v3', 'v1']);
  });

  test('takes changed rules of the spec mid-release, and is never served without the release', async () => {
    const { store } = scene.start();
    await apply(store, ...all(MANUAL));
    await reach(store, { phase: 'Paused', weight: 10 });
    const seen: Promise<boolean>[] = [];
    store.watch(() => seen.push(store.get(owned).then((object) => isWoven(object?.served ?? expect.fail()))));
    await apply(store, release({ ...route(rules('v1', { timeout: '2s' })), ...MANUAL }));
    await expect.poll(async () => JSON.stringify((await stored(store, owned)).served)).toContain('"timeout":"2s"');
    expect(httpOf((await stored(store, owned)).base)).toEqual(rules('v1', { timeout: '2s' }));
    expect(await Promise.all(seen)).not.toContain(false);
    expect([await versionFor(store, 409), await versionFor(store, 410)]).toEqual(['v2', 'v1']);
  });

  test('takes rules that were copied from what is served for those that they were made of', async () => {
    const { store } = scene.start();
    await apply(store, ...all(MANUAL));
    await reach(store, { phase: 'Paused', weight: 10 });
    const copied = httpOf((await stored(store, owned)).served) as readonly unknown[];
    expect(copied.length).toBeGreaterThan(1);
    await apply(store, release({ ...route(copied), ...MANUAL }));
    await reach(store, { observedGeneration: 2 });
    expect(httpOf((await stored(store, owned)).base)).toEqual(rules());
    await request(store, 'promote');
    await reach(store, { phase: 'Paused', weight: 50 });
    expect([await versionFor(store, 2047), await versionFor(store, 2048)]).toEqual(['v2', 'v1']);
  });

  test('goes on in the last rules that could be woven when the spec has others', async () => {
    const { store } = scene.start();
    await apply(store, ...all(MANUAL));
    await reach(store, { phase: 'Paused', weight: 10 });
    const http = [{ route: [{ destination: { host: 'ratings', port: { number: 9080 } } }] }];
    await apply(store, release({ ...route(http), ...MANUAL }));
    await expect.poll(() => scene.reasons()).toContain('NotWoven');
    expect([await versionFor(store, 409), await versionFor(store, 410)]).toEqual(['v2', 'v1']);
    await request(store, 'rollback');
    await reach(store, { phase: 'RolledBack' });
    expect(await versionFor(store, 0)).toBe('v1');
  });

  test('survives a restart in the middle, to the letter', async () => {
    const first = scene.start();
    await apply(first.store, ...all(MANUAL));
    const before = await reach(first.store, { phase: 'Paused', weight: 10 });
    const object = await stored(first.store, owned);
    await first.stop();
    const { store } = scene.start();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await stored(store, owned)).toEqual(object);
    expect((await store.get(RELEASE))?.status).toEqual(before);
    await request(store, 'promote');
    await reach(store, { phase: 'Paused', weight: 50 });
    expect([await versionFor(store, 2047), await versionFor(store, 2048)]).toEqual(['v2', 'v1']);
  });

  test('stays as written when the release goes before it began', async () => {
    const { store } = scene.start();
    await apply(store, ...all(MANUAL, { ...scene.ports, v2: await scene.freePort() }));
    await reach(store, { phase: 'Pending' });
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await gone(store);
    const { base, served } = await stored(store, owned);
    expect([httpOf(base), served, ownerOf(base)]).toEqual([rules(), base, undefined]);
    expect(await versionFor(store, 0)).toBe('v1');
  });

  test('is nobody’s once the spec names another, also before the release could start', async () => {
    const { store } = scene.start();
    const ports = { ...scene.ports, v2: await scene.freePort() };
    await apply(store, ...all(MANUAL, ports));
    await reach(store, { phase: 'Pending' });
    const other = { ...owned, name: 'reviews-other' };
    const [form, fields = {}] = Object.entries(route().route)[0] ?? [];
    await apply(store, release({ route: { [String(form)]: { ...fields, name: other.name } }, ...MANUAL }));
    await stored(store, other);
    expect([ownerOf((await stored(store, owned)).base), ownerOf((await stored(store, other)).base)]).toEqual([
      undefined,
      'default/reviews',
    ]);
  });

  test('stays when the release is deleted: an ordinary object at the live version', async () => {
    const { store } = scene.start();
    await apply(store, ...all(steps('50ms', '50ms', '50ms')));
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await gone(store);
    const { base, served } = await stored(store, owned);
    expect([httpOf(base), httpOf(served)]).toEqual([rules('v2'), rules('v2')]);
    expect([ownerOf(base), formerOwnerOf(base)]).toEqual([undefined, 'default/reviews']);
    expect(await versionFor(store, 0)).toBe('v2');
    expect(scene.entries.at(-1)?.message).toBe(
      `the release was deleted; its routes lead to v2; VirtualService default/${owned.name}, which it owned, stays as an ordinary one`,
    );
    expect(await store.requestDeletion(owned)).toEqual({ kind: 'accepted' });
  });

  test('is the release’s again when that is applied anew, and nothing moves back', async () => {
    const { store } = scene.start();
    await apply(store, ...all(steps('50ms', '50ms', '50ms')));
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await gone(store);
    const seen: Promise<string | undefined>[] = [];
    store.watch(() => seen.push(versionFor(store, 4095)));
    await apply(store, ...all(MANUAL));
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v2' } });
    expect(new Set(await Promise.all(seen))).toEqual(new Set(['v2']));
    const { base } = await stored(store, owned);
    expect([ownerOf(base), formerOwnerOf(base), httpOf(base)]).toEqual(['default/reviews', undefined, rules()]);
    expect(await versionFor(store, 4095)).toBe('v2');
  });
});

describe('deleting with the bases restored', () => {
  test.each([
    ['adopted', adopt(), [reviewsRoutes()], undefined],
    ['owned', managed(), [], 'default/reviews'],
  ] as const)('%s routes lead where they led', async (_form, route, besides, former) => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, ...besides, endpoints(scene.ports), release({ ...route, ...steps('50ms', '50ms', '50ms') }));
    await reach(store, { phase: 'Succeeded' });
    expect(await versionFor(store, 0)).toBe('v2');
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await gone(store);
    const { base, served } = await stored(store);
    expect([httpOf(base), httpOf(served)]).toEqual([rules(), rules()]);
    expect([ownerOf(base), formerOwnerOf(base)]).toEqual([undefined, former]);
    expect((await store.get(BOOKINFO))?.served.spec).toEqual(bookinfo[1]?.spec);
    expect(await versionFor(store, 0)).toBe('v1');
    expect(scene.entries.at(-1)?.message).toContain('lead where their owner sent them');
  });

  test('waits while that version has no ready endpoints, says so, and can be withdrawn', async () => {
    const { store, readiness } = scene.start();
    const mortal = await scene.listen();
    await apply(
      store,
      ...bookinfo,
      reviewsRoutes(),
      endpoints({ ...scene.ports, v1: mortal.port }),
      release(steps('50ms', '50ms', '50ms')),
    );
    await reach(store, { phase: 'Succeeded' });
    await mortal.close();
    await expect.poll(() => readiness.check(HOST, 9080, { subset: 'v1' }).ready).toBe(false);
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await expect
      .poll(async () => (await store.get(RELEASE))?.status?.message)
      .toMatch(/^being deleted: the base leads to v1: v1 has no ready endpoints \(.*\); delete without restoring to stay at v2$/);
    const revision = store.revision();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([store.revision(), await versionFor(store, 0)], 'nothing is done meanwhile').toEqual([revision, 'v2']);
    await store.requestDeletion(RELEASE);
    await gone(store);
    expect([httpOf((await stored(store)).base), await versionFor(store, 0)]).toEqual([rules('v2'), 'v2']);
  });

  test('goes on by itself once the version is back', async () => {
    const { store, readiness } = scene.start();
    const mortal = await scene.listen();
    const ports = { ...scene.ports, v1: mortal.port };
    await apply(store, ...bookinfo, endpoints(ports), release({ ...managed(), ...steps('50ms', '50ms', '50ms') }));
    await reach(store, { phase: 'Succeeded' });
    await mortal.close();
    await expect.poll(() => readiness.check(HOST, 9080, { subset: 'v1' }).ready).toBe(false);
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await expect.poll(async () => (await store.get(RELEASE))?.status?.message).toContain('no ready endpoints');
    await scene.listen(mortal.port);
    await gone(store);
    expect(await versionFor(store, 0)).toBe('v1');
  });
});
