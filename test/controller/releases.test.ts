import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject, VirtualServiceSpec } from '../../src/core/istio/resources.ts';
import { isWoven } from '../../src/core/weave/unweave.ts';
import { istio } from '../harness/istio-object.ts';
import { BOOKINFO, bookinfo, endpoints, HOST, RELEASE, REVIEWS, release, reviewsRoutes, steps, THREE_STEPS } from './bookinfo-objects.ts';
import { apply, reach, request, Scene, statusOf, versionFor } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

describe('a release', () => {
  test('waits for its canary, goes through its steps, and ends with the canary live', async () => {
    const { store } = scene.start();
    const missing = await scene.freePort();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ v1: scene.ports.v1, v2: missing }), release());
    const waiting = await reach(store, { phase: 'Pending' });
    await expect.poll(async () => (await statusOf(store)).message).toContain('connection refused');
    expect(waiting.weight).toBe(0);
    expect(isWoven((await store.get(REVIEWS))?.served ?? expect.fail())).toBe(false);

    await scene.listen(missing);
    await reach(store, { phase: 'Progressing', weight: 10 });
    expect([await versionFor(store, 409), await versionFor(store, 410), await versionFor(store)]).toEqual(['v2', 'v1', 'v1']);
    await reach(store, { phase: 'Progressing', weight: 50 });
    expect([await versionFor(store, 409), await versionFor(store, 2047), await versionFor(store, 2048)]).toEqual(['v2', 'v2', 'v1']);
    const done = await reach(store, { phase: 'Succeeded' });
    expect(done.liveVersion).toEqual({ subset: 'v2' });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v2', 'v2', 'v2']);
    expect(scene.reasons()).toEqual(THREE_STEPS);
    expect(scene.entries.every((entry) => entry.release === 'default/reviews' && entry.at.endsWith('Z'))).toBe(true);
  });

  test('holds a step from when the data plane serves it, not before', async () => {
    const { store, serving } = scene.start();
    serving(false);
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Progressing', weight: 10 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const waiting = await statusOf(store);
    expect([waiting.weight, waiting.stepStartedAt, waiting.holdUntil]).toEqual([10, undefined, undefined]);
    const before = Date.now();
    serving(true);
    const held = await reach(store, { stepStartedAt: expect.any(String), holdUntil: expect.any(String) });
    expect(Date.parse(held.stepStartedAt ?? '')).toBeGreaterThanOrEqual(before - 1);
    await reach(store, { phase: 'Succeeded' });
  });

  test('writes nothing while nothing happens', async () => {
    const { store } = scene.start({ resyncMs: 15 });
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('10m', '10m', '10m')));
    await reach(store, { phase: 'Progressing', holdUntil: expect.any(String) });
    const revision = store.revision();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(store.revision()).toBe(revision);
  });

  test('is followed by the next one, in which its own canary is stable', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded' });
    const { stable: _, ...next } = release({ canary: { subset: 'v3' }, ...steps('manual', '150ms', '150ms') }).spec as Record<
      string,
      unknown
    >;
    await apply(store, { ...release(), spec: next });
    await reach(store, { phase: 'Paused', weight: 10 });
    expect([await versionFor(store, 409), await versionFor(store, 410), await versionFor(store)]).toEqual(['v3', 'v2', 'v2']);
    await request(store, 'promote');
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v3' } });
    expect(await versionFor(store, 4095)).toBe('v3');
  });

  test('leaves an object that it names no more', async () => {
    const { store } = scene.start();
    const shop = istio('VirtualService', 'shop', {
      hosts: ['shop.test'],
      gateways: ['bookinfo'],
      http: [{ match: [{ uri: { exact: '/' } }], route: [{ destination: { host: 'productpage', port: { number: 9080 } } }] }],
    });
    await apply(store, ...bookinfo, shop, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded' });
    const isWovenIn = async (name: string): Promise<boolean> => {
      const object = await store.get({ ...BOOKINFO, name });
      return isWoven(object?.served ?? expect.fail(`no ${name}`));
    };
    expect([await isWovenIn('bookinfo'), await isWovenIn('shop'), await isWovenIn('reviews')]).toEqual([true, false, true]);
    await apply(store, release({ visitorId: { issueAt: { virtualService: 'shop' } } }));
    await expect.poll(async () => await isWovenIn('shop')).toBe(true);
    expect([await isWovenIn('bookinfo'), await isWovenIn('reviews'), await versionFor(store)]).toEqual([false, true, 'v2']);
    expect((await store.get(BOOKINFO))?.served.spec).toEqual(bookinfo[1]?.spec);
  });

  test('refuses to be moved elsewhere while it is under way', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused' });
    const elsewhere = { ...steps('manual', 'manual', 'manual'), route: { adopt: { virtualService: 'bookinfo' } } };
    const result = await store.apply('files', [release({ ...elsewhere, canary: { subset: 'v3' } })]);
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'PERCH3001', object: 'CanaryRelease default/reviews' }] });
  });
});

describe('another canary while a release is under way', () => {
  test('takes everyone back to stable, and begins once the data plane serves that', async () => {
    const { store, serving } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('150ms', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 50 });
    serving(false);
    await apply(store, release({ ...steps('manual', 'manual', 'manual'), canary: { subset: 'v3' } }));
    await reach(store, { phase: 'Superseded', cutoff: 0, liveVersion: { subset: 'v1' } });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v1', 'v1', 'v1']);
    serving(true);
    const next = await reach(store, { phase: 'Paused', weight: 10, canary: { subset: 'v3' }, started: 2 });
    expect([await versionFor(store, 409), await versionFor(store, 410)]).toEqual(['v3', 'v1']);
    expect(next.history.map(({ outcome, reason }) => [outcome, reason])).toEqual([['Superseded', 'superseded by v3']]);
  });

  test('leaves the release when it is deleted in between with everyone on stable', async () => {
    const { store, serving } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    serving(false);
    await apply(store, release({ ...steps('manual', 'manual', 'manual'), canary: { subset: 'v3' } }));
    await reach(store, { phase: 'Superseded' });
    await store.requestDeletion(RELEASE);
    await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
    expect([(await store.get(REVIEWS))?.served.spec, await versionFor(store, 0)]).toEqual([reviewsRoutes().spec, 'v1']);
  });
});

describe('a rollback', () => {
  test('puts everyone on stable, and is over once the data plane serves that', async () => {
    const { store, serving } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('150ms', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 50 });
    expect(await versionFor(store, 0)).toBe('v2');
    serving(false);
    await request(store, 'rollback');
    await reach(store, { phase: 'RollingBack', cutoff: 0 });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v1', 'v1', 'v1']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await statusOf(store)).phase).toBe('RollingBack');
    serving(true);
    await reach(store, { phase: 'RolledBack', lastRequest: expect.objectContaining({ outcome: 'done', by: 'ann' }) });
    expect(scene.entries.find((entry) => entry.reason === 'RollingBack')).toMatchObject({ by: 'ann', type: 'Warning' });
  });

  test('after the release has succeeded goes back to the version before, whose endpoints nobody had asked for', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded' });
    expect(await versionFor(store, 4095)).toBe('v2');
    await request(store, 'rollback');
    const done = await reach(store, { phase: 'RolledBack', liveVersion: { subset: 'v1' } });
    expect([await versionFor(store, 0), await versionFor(store, 4095), await versionFor(store)]).toEqual(['v1', 'v1', 'v1']);
    expect(done.history.map(({ outcome, by }) => [outcome, by])).toEqual([
      ['RolledBack', 'ann'],
      ['Succeeded', undefined],
    ]);
  });

  test('works although the owner has made the base unweavable meanwhile', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    await apply(store, reviewsRoutes([{ route: [{ destination: { host: 'ratings', port: { number: 9080 } } }] }]));
    await expect.poll(() => scene.reasons()).toContain('NotWoven');
    expect(await versionFor(store, 0)).toBe('v2');
    await request(store, 'rollback');
    await reach(store, { phase: 'RolledBack' });
    expect(await versionFor(store, 0)).toBe('v1');
  });
});

describe('a base applied anew mid-release', () => {
  test('is woven anew at once, with no moment at which its bare routes are served', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    const seen: Promise<boolean>[] = [];
    store.watch(() => seen.push(store.get(REVIEWS).then((object) => isWoven(object?.served ?? expect.fail()))));
    await apply(store, reviewsRoutes([{ timeout: '2s', route: [{ destination: { host: 'reviews', subset: 'v1' } }] }]));
    await expect.poll(async () => JSON.stringify((await store.get(REVIEWS))?.served)).toContain('"timeout":"2s"');
    expect(await Promise.all(seen)).not.toContain(false);
    expect(seen.length).toBeGreaterThan(1);
    expect([await versionFor(store, 409), await versionFor(store, 410)]).toEqual(['v2', 'v1']);
    expect((await statusOf(store)).phase).toBe('Paused');
  });

  test('may be a copy of the woven one', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    const { served, base } = (await store.get(REVIEWS)) ?? expect.fail();
    expect(await store.apply('api', [served])).toMatchObject({ ok: true, outcomes: [{ result: 'unchanged' }] });
    expect((await store.get(REVIEWS))?.base).toEqual(base);
  });
});

test('a release whose routes were deleted says so, and is woven in again once they are back', async () => {
  const { store } = scene.start();
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
  await reach(store, { phase: 'Paused', weight: 10 });
  await store.requestDeletion(REVIEWS);
  await expect.poll(() => scene.entries.at(-1)).toMatchObject({ reason: 'NotWoven', message: expect.stringContaining('does not exist') });
  await request(store, 'promote');
  await reach(store, { phase: 'Paused', weight: 10, lastRequest: expect.objectContaining({ outcome: 'refused' }) });
  await apply(store, reviewsRoutes());
  await expect.poll(async () => await versionFor(store, 409)).toBe('v2');
  expect(await versionFor(store, 410)).toBe('v1');
});

describe('deleting a release', () => {
  const destinations = (object: KubeObject | undefined) =>
    (object?.spec as VirtualServiceSpec | undefined)?.http?.flatMap(
      (rule) => rule.route?.map(({ destination }) => destination.subset) ?? [],
    );

  test('mid-release leaves the former version live, and the routes as their owner wrote them', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('manual', 'manual', 'manual')));
    await reach(store, { phase: 'Paused', weight: 10 });
    await store.requestDeletion(RELEASE);
    await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
    const [reviews, edge] = [await store.get(REVIEWS), await store.get(BOOKINFO)];
    expect([reviews?.served.spec, edge?.served.spec]).toEqual([reviewsRoutes().spec, bookinfo[1]?.spec]);
    expect(await versionFor(store, 0)).toBe('v1');
    await expect.poll(() => scene.reasons().at(-1)).toBe('Deleted');
  });

  test('mid-release, with stable gone, leaves everyone at the canary: nobody is sent to a version that is not there', async () => {
    const { store, readiness } = scene.start();
    const mortal = await scene.listen();
    await apply(
      store,
      ...bookinfo,
      reviewsRoutes(),
      endpoints({ ...scene.ports, v1: mortal.port }),
      release(steps('manual', 'manual', 'manual')),
    );
    await reach(store, { phase: 'Paused', weight: 10 });
    await mortal.close();
    await expect.poll(() => readiness.check(HOST, 9080, { subset: 'v1' }).ready).toBe(false);
    await request(store, 'rollback');
    await reach(store, { lastRequest: expect.objectContaining({ outcome: 'refused' }) });
    await store.requestDeletion(RELEASE);
    await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
    expect(destinations((await store.get(REVIEWS))?.base)).toEqual(['v2']);
  });

  test('after it succeeded leaves the canary live, in the base too', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
    const reviews = await store.get(REVIEWS);
    expect([destinations(reviews?.base), destinations(reviews?.served)]).toEqual([['v2'], ['v2']]);
    expect(await versionFor(store)).toBe('v2');
  });

  test('and applying it again finds the canary live already: nothing moves back', async () => {
    const { store } = scene.start();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded' });
    await store.requestDeletion(RELEASE);
    await expect.poll(async () => await store.get(RELEASE)).toBeUndefined();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(store, { phase: 'Succeeded', liveVersion: { subset: 'v2' } });
    expect([await versionFor(store, 4095), await versionFor(store)]).toEqual(['v2', 'v2']);
  });
});
