import { afterEach, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { Visitor } from '../harness/visitor.ts';
import { adopt, delegate, managed, release, routes, rules } from './place.ts';
import { expectedVersions, RELEASE, routesRef, Scene } from './scene.ts';

// A gateway merges the VirtualServices of one host, the older one's rules first. A release in the other one would widen, and nobody would see the canary.

const SHOP = { match: [{ uri: { prefix: '/shop' } }] };
const atShop = (subset?: string) => rules(subset, SHOP);
const shop = (subset?: string) => routes('edge', atShop(subset), 'shop');

let scene: Scene;

afterEach(() => scene.close());

async function round(visitors: readonly Visitor[]): Promise<string[]> {
  const seen: string[] = [];
  for (const visitor of visitors) seen.push(await scene.visit(visitor, '/shop'));
  return seen;
}

async function deleteRoutes(name: string): Promise<void> {
  await scene.store.requestDeletion(routesRef(name));
  await vi.waitFor(async () => expect(await scene.store.get(routesRef(name))).toBeUndefined());
}

test.each<[string, object, string, string, readonly KubeObject[]]>([
  ['managed, under another name', managed('edge', atShop(), 'shop-routes'), 'shop-routes', 'which is older,', []],
  [
    'a delegate, under another root',
    delegate(),
    'web-routes',
    'which is older than VirtualService default/web-root,',
    [routes('edge', [{ ...SHOP, delegate: { name: 'web-routes' } }], 'web-root')],
  ],
])('after a switch from adopt to %s, the next release starts once the old object is gone', async (_what, route, woven, older, besides) => {
  scene = await Scene.open('edge');
  const visitors = scene.visitors(40);
  await scene.apply(shop(), release('edge', adopt('shop')));
  await scene.finish();
  await scene.apply(...besides, release('edge', route));
  await scene.apply(release('edge', route, { canary: 'v1' }));

  const taken = `VirtualService default/shop, ${older} takes every request for the woven rules of VirtualService default/${woven} first`;
  const message = `waiting: ${taken}: delete what is in the way, or join the two`;
  await scene.reach({ phase: 'Pending', weight: 0, liveVersion: { subset: 'v2' }, message });
  expect(new Set(await round(visitors)), 'nobody is moved').toEqual(new Set(['v2']));

  await deleteRoutes('shop');
  await scene.reach({ phase: 'Paused', weight: 10 });
  const status = await scene.ask('promote', { phase: 'Paused', weight: 50 });
  await round(visitors);
  const versions = await round(visitors);
  expect(versions).toEqual(expectedVersions(visitors, status, ['v1', 'v2']));
  expect(new Set(versions)).toEqual(new Set(['v1', 'v2']));
});

test('one that takes the requests during a release: nothing widens, it can be rolled back, and deleted', async () => {
  scene = await Scene.open('edge');
  const visitors = scene.visitors(40);
  await scene.apply(routes('edge', rules('v3', { match: [{ uri: { prefix: '/elsewhere' } }] }), 'shop'));
  await scene.apply(routes('edge', atShop()), release('edge', adopt()));
  const first = await scene.reach({ phase: 'Paused', weight: 10 });
  await round(visitors);
  expect(await round(visitors)).toEqual(expectedVersions(visitors, first, ['v2', 'v1']));

  await scene.apply(shop('v3'));
  expect(new Set(await round(visitors))).toEqual(new Set(['v3']));
  await scene.ask('promote', { phase: 'Paused', weight: 10, lastRequest: expect.objectContaining({ outcome: 'refused' }) });
  expect((await scene.status())?.lastRequest?.message).toContain('VirtualService default/shop, which is older, takes every request');

  await scene.ask('rollback', { phase: 'RolledBack', liveVersion: { subset: 'v1' } });
  await scene.deleteRelease();
  expect(await scene.store.get(RELEASE)).toBeUndefined();
  await deleteRoutes('shop');
  await vi.waitFor(async () => expect(new Set(await round(visitors))).toEqual(new Set(['v1'])));
});
