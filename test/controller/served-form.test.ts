import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectRef, Store, StoredObject } from '../../src/cluster/store.ts';
import { servedForm } from '../../src/controller/served-form.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { isWoven, readBase, wovenReleases } from '../../src/core/weave/unweave.ts';
import { istio, meshService, versionSubsets } from '../harness/istio-object.ts';
import { BOOKINFO, bookinfo, endpoints, REVIEWS, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { delegate, managed, root, rules } from './owned-objects.ts';
import { apply, reach, Scene } from './scene.ts';

let scene: Scene;
let store: Store;

beforeEach(async () => {
  scene = await Scene.open();
  ({ store } = scene.start());
});
afterEach(() => scene.close());

const MANUAL = steps('manual', 'manual', 'manual');
const start = async (...objects: readonly KubeObject[]): Promise<void> => {
  await apply(store, ...bookinfo, endpoints(scene.ports), ...objects);
  await reach(store, { phase: 'Paused', weight: 10 });
};
const atReviews = async (): Promise<StoredObject> => (await store.get(REVIEWS)) ?? expect.fail('no routes of reviews');

/** What becomes of an object that somebody writes, in place of `former`, as a cluster would store it. */
async function written(object: KubeObject, former: KubeObject | undefined): Promise<KubeObject> {
  const ref: ObjectRef = { kind: object.kind, namespace: 'default', name: object.metadata.name };
  const known = await store.get(ref);
  const named = { ...object, metadata: { ...object.metadata, namespace: 'default' } };
  const { createdAt = '2099-01-01T00:00:00Z' } = known ?? {};
  const stored = { ref: known?.ref ?? ref, base: readBase(named), served: named, generation: 2, revision: store.revision() + 1, createdAt };
  const { object: form } = await servedForm(store, { stored, former });
  return form;
}

test.each([
  ['the same rules', reviewsRoutes()],
  ['another timeout', reviewsRoutes([{ timeout: '3s', route: [{ destination: { host: 'reviews', subset: 'v1' } }] }])],
  [
    'a rule more, and a pin',
    reviewsRoutes([
      { match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [{ destination: { host: 'reviews', subset: 'v3' } }] },
      { name: 'all', route: [{ destination: { host: 'reviews' } }] },
    ]),
  ],
])('%s, applied again under way: what is made of it is what the controller makes of it', async (_, next) => {
  await start(reviewsRoutes(), release(MANUAL));
  const former = (await atReviews()).served;
  const form = await written(next, former);
  expect(wovenReleases(form)).toEqual(['default/reviews']);
  await apply(store, next);
  await expect.poll(async () => (await atReviews()).served.spec).toEqual(form.spec);
  expect(readBase(form).spec).toEqual(next.spec);
  expect(await written(form, former), 'it is woven already').toEqual(form);
});

test('the object at the gateway, which only tells', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const [gateway, base] = [await store.get(BOOKINFO), bookinfo.find(({ kind }) => kind === 'VirtualService')];
  if (gateway === undefined || base === undefined) expect.fail('no routes of bookinfo');
  expect((await written(base, gateway.served)).spec).toEqual(gateway.served.spec);
});

test('routes that are created while a release goes on are created with it', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const { served } = await atReviews();
  await store.requestDeletion(REVIEWS);
  expect((await written(reviewsRoutes(), undefined)).spec).toEqual(served.spec);
});

test('a release that is not in the routes does not come in, as one that is gone, which a store that lags behind still has', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const form = await written(reviewsRoutes(), reviewsRoutes());
  expect(isWoven(form)).toBe(false);
  expect(form.spec).toEqual(reviewsRoutes().spec);
});

test('nor does one beside those that are in', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const base = bookinfo.find(({ kind }) => kind === 'VirtualService') ?? expect.fail();
  const former = (await store.get(BOOKINFO))?.served ?? expect.fail();
  const details = istio('VirtualService', 'details', {
    hosts: ['details'],
    http: [{ route: [{ destination: { host: 'details', subset: 'v1' } }] }],
  });
  const second = release({ ...MANUAL, service: { host: 'details', port: 9080 }, route: { adopt: { virtualService: 'details' } } });
  await apply(store, details, versionSubsets('details', ['v1', 'v2']), meshService('details', { v1: scene.ports.v1, v2: scene.ports.v2 }), {
    ...second,
    metadata: { name: 'details' },
  });
  const both = ['default/reviews', 'default/details'];
  const inBoth = async (): Promise<readonly string[]> => wovenReleases((await store.get(BOOKINFO))?.served ?? expect.fail());
  await expect.poll(inBoth, { timeout: 20_000 }).toEqual(expect.arrayContaining(both));
  const now = (await store.get(BOOKINFO))?.served ?? expect.fail();
  expect((await written(base, now)).spec).toEqual(now.spec);
  expect((await written(base, former)).spec).toEqual(former.spec);
});

test('routes of others are nobody’s business', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const details = istio('VirtualService', 'details', { hosts: ['details'], http: [{ route: [{ destination: { host: 'details' } }] }] });
  expect((await written(details, undefined)).spec).toEqual(details.spec);
});

test('rules that cannot be woven go where the controller would send them, and why is said', async () => {
  await start(reviewsRoutes(), release(MANUAL));
  const stored = await atReviews();
  const mixed = ['v1', 'v3'].map((subset) => ({ destination: { host: 'reviews', subset }, weight: 50 }));
  const next = { ...stored.base, spec: { hosts: ['reviews'], http: [{ route: mixed }] } };
  const { object, errors } = await servedForm(store, { stored: { ...stored, base: next, served: next }, former: stored.served });
  expect(object.spec).toEqual(next.spec);
  expect(errors.map(({ code }) => code)).toContain('PERCH2001');
});

test.each([
  ['managed', managed, [], REVIEWS],
  ['delegate', delegate, [root()], { ...REVIEWS, name: 'reviews-perch' }],
] as const)('%s: what others write over an object that a release owns is what the release declares', async (_, form, besides, ref) => {
  await start(...besides, release({ ...form(), ...MANUAL }));
  const { served } = (await store.get(ref)) ?? expect.fail(`no ${ref.name}`);
  const edited = { ...served, metadata: { name: ref.name }, spec: { hosts: ['elsewhere'], http: rules('v3') } };
  const back = await written(edited, served);
  expect(back.spec).toEqual(served.spec);
  expect(back.metadata.annotations).toEqual(served.metadata.annotations);
});
