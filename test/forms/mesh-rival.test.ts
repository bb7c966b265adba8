import { afterEach, expect, test } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { adopt, delegate, managed, release, root, routes, rules } from './place.ts';
import { expectedVersions, RELEASE, routesRef, Scene } from './scene.ts';

// In the mesh the older of two VirtualServices serves a host. A release in the other one would widen, and nobody would see the canary.

let scene: Scene;

afterEach(() => scene.close());

test.each<[string, object, string, readonly KubeObject[]]>([
  ['managed, under another name', managed('mesh', rules(), 'web-all'), 'web-all', []],
  ['a delegate, under another root', delegate(), 'web-root', [root('mesh', 'web-routes', 'web-root')]],
])('after a switch from adopt to %s, the next release starts once the old object is gone', async (_what, route, top, besides) => {
  scene = await Scene.open('mesh');
  const visitors = scene.visitors(40);
  await scene.apply(routes('mesh'), release('mesh', adopt()));
  await scene.finish();
  await scene.apply(...besides, release('mesh', route));
  await scene.apply(release('mesh', route, { canary: 'v3' }));

  const both = `VirtualService default/web and VirtualService default/${top} both route web.default.svc.cluster.local in the mesh`;
  const message = `waiting: ${both}, where only the older one counts: delete one of them, or join them`;
  await scene.reach({ phase: 'Pending', weight: 0, liveVersion: { subset: 'v2' }, message });
  expect(new Set(await scene.round(visitors)), 'nobody is moved').toEqual(new Set(['v2']));

  await scene.store.requestDeletion(routesRef('web'));
  const status = await scene.reach({ phase: 'Paused', weight: 10 });
  const versions = await scene.round(visitors);
  expect(versions).toEqual(expectedVersions(visitors, status, ['v3', 'v2']));
  expect(new Set(versions)).toEqual(new Set(['v2', 'v3']));
});

test('one that comes during a release: nothing widens, everything else goes on, and without it the release does too', async () => {
  scene = await Scene.open('mesh');
  const visitors = scene.visitors(40);
  const elsewhere = { ...routes('mesh', rules('v3'), 'twin'), spec: { hosts: ['elsewhere.test'], http: rules('v3') } };
  await scene.apply(elsewhere);
  await scene.apply(routes('mesh'), release('mesh', adopt()));
  const first = await scene.reach({ phase: 'Paused', weight: 10 });
  await scene.round(visitors);
  expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, first, ['v2', 'v1']));

  // The older one: from now on the mesh uses it, as Istio would.
  await scene.apply(routes('mesh', rules('v3'), 'twin'));
  expect(new Set(await scene.round(visitors))).toEqual(new Set(['v3']));
  await scene.ask('promote', { phase: 'Paused', weight: 10, lastRequest: expect.objectContaining({ outcome: 'refused' }) });
  const refusal = (await scene.status())?.lastRequest?.message;
  expect(refusal).toContain('VirtualService default/twin and VirtualService default/web both route web.default.svc.cluster.local');

  await scene.store.requestDeletion(routesRef('twin'));
  await expect.poll(async () => await scene.store.get(routesRef('twin'))).toBeUndefined();
  const second = await scene.ask('promote', { phase: 'Paused', weight: 50 });
  expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, second, ['v2', 'v1']));
});

test('and beside one a release can be rolled back, and deleted', async () => {
  scene = await Scene.open('mesh');
  await scene.apply({ ...routes('mesh', rules('v3'), 'twin'), spec: { hosts: ['elsewhere.test'], http: rules('v3') } });
  await scene.apply(routes('mesh'), release('mesh', adopt()));
  await scene.reach({ phase: 'Paused', weight: 10 });
  await scene.apply(routes('mesh', rules('v3'), 'twin'));
  await scene.ask('rollback', { phase: 'RolledBack', liveVersion: { subset: 'v1' } });
  await scene.deleteRelease();
  expect(await scene.store.get(RELEASE)).toBeUndefined();
  await scene.store.requestDeletion(routesRef('twin'));
  await expect.poll(async () => await scene.store.get(routesRef('twin'))).toBeUndefined();
  await expect.poll(async () => new Set(await scene.round(scene.visitors(5)))).toEqual(new Set(['v1']));
});
