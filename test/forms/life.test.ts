import { afterEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { formerOwnerOf, ownerOf } from '../../src/core/release/ownership.ts';
import { delegate, managed, type Place, release, root, rules } from './place.ts';
import { expectedVersions, RELEASE, routesRef, Scene, watchRoutes } from './scene.ts';

// A release through its whole life in the routes that it owns, with real visitors at the real gateway.

let scene: Scene;

afterEach(() => scene.close());

const FORMS = [
  ['managed at the edge', 'edge', managed('edge'), [], 'web'],
  ['a delegate at the edge', 'edge', delegate(), [root('edge')], 'web-routes'],
  ['managed inside the mesh', 'mesh', managed('mesh'), [], 'web'],
  ['a delegate inside the mesh', 'mesh', delegate(), [root('mesh')], 'web-routes'],
] as const satisfies readonly (readonly [string, Place, object, readonly object[], string])[];

describe.each(FORMS)('%s', (_what, place, route, besides, owned) => {
  test('starts, widens, is interrupted, ends, and leaves its routes behind: every visitor where arithmetic says', async () => {
    scene = await Scene.open(place);
    const visitors = scene.visitors(150);
    await scene.apply(...besides, release(place, route));
    const first = await scene.reach({ phase: 'Paused', weight: 10 });
    await scene.round(visitors);
    expect(new Set(visitors.map((visitor) => visitor.cookies.get('perch'))).size).toBe(150);
    expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, first, ['v2', 'v1']));

    await scene.stop();
    await scene.start();
    expect(await scene.round(visitors), 'after a restart').toEqual(expectedVersions(visitors, first, ['v2', 'v1']));

    const second = await scene.ask('promote', { phase: 'Paused', weight: 50 });
    const seen = await scene.round(visitors);
    expect(seen).toEqual(expectedVersions(visitors, second, ['v2', 'v1']));
    expect(new Set(seen)).toEqual(new Set(['v1', 'v2']));
    await scene.ask('promote', { phase: 'Paused', weight: 100 });
    await scene.ask('promote', { phase: 'Succeeded' });
    expect(new Set(await scene.round([...visitors, ...scene.visitors(5)]))).toEqual(new Set(['v2']));

    await scene.apply(release(place, route, { canary: 'v3' }));
    const third = await scene.reach({ phase: 'Paused', weight: 10 });
    expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, third, ['v3', 'v2']));
    await scene.ask('rollback', { phase: 'RolledBack' });
    expect(new Set(await scene.round(visitors))).toEqual(new Set(['v2']));

    await scene.deleteRelease();
    expect(new Set(await scene.round([...visitors, ...scene.visitors(5)]))).toEqual(new Set(['v2']));
    const left = (await scene.store.get(routesRef(owned)))?.base ?? expect.fail('it stays');
    expect([ownerOf(left), formerOwnerOf(left)]).toEqual([undefined, 'default/web']);
    expect(left.spec).toMatchObject({ http: rules('v2') });
    expect(scene.said.some((line) => line.includes(`VirtualService default/${owned}, which it owned, stays`))).toBe(true);
  });

  test('mid-release, deleting leaves everyone at stable, also with the bases restored', async () => {
    for (const restoreBase of [false, true]) {
      scene = await Scene.open(place);
      const visitors = scene.visitors(60);
      await scene.apply(...besides, release(place, route));
      await scene.reach({ phase: 'Paused', weight: 10 });
      const status = await scene.ask('promote', { phase: 'Paused', weight: 50 });
      await scene.round(visitors);
      expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, status, ['v2', 'v1']));
      await scene.deleteRelease(restoreBase);
      expect(new Set(await scene.round(visitors))).toEqual(new Set(['v1']));
      expect(await scene.store.get(RELEASE)).toBeUndefined();
      if (!restoreBase) await scene.close();
    }
  });

  /** A release that went all the way to v2 and was deleted; where its routes lead is watched from then on. */
  async function deletedAtTheEnd() {
    scene = await Scene.open(place);
    const visitors = scene.visitors(40);
    await scene.apply(...besides, release(place, route));
    await scene.finish();
    await scene.deleteRelease();
    return { visitors, watched: watchRoutes(scene.store, place) };
  }

  test('deleted and back, it takes over what it left: where its rules say another version it waits, and nobody is moved', async () => {
    const { visitors, watched } = await deletedAtTheEnd();

    await scene.apply(from('v2', release(place, route, { canary: 'v3' })));
    const message = `waiting: VirtualService default/${owned}, which the release is to take over, leads to v2, but its rules to v1`;
    await scene.reach({ phase: 'Pending', message });
    expect(new Set(await scene.round(visitors))).toEqual(new Set(['v2']));

    await scene.apply(from('v2', release(place, withRules(route, 'v2'), { canary: 'v3' })));
    const status = await scene.reach({ phase: 'Paused', weight: 10 });
    expect(await watched.stop(), 'by what is stored at each revision').toEqual(['web:9080/v2']);
    expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, status, ['v3', 'v2']));
  });

  test('deleted and applied again as it was, it has succeeded: nobody is moved', async () => {
    const { visitors, watched } = await deletedAtTheEnd();
    await scene.apply(release(place, route));
    await scene.reach({ phase: 'Succeeded', liveVersion: { subset: 'v2' } });
    expect(new Set(await scene.round(visitors))).toEqual(new Set(['v2']));
    expect(await watched.stop(), 'by what is stored at each revision').toEqual(['web:9080/v2']);
    expect(scene.said.filter((line) => line.includes('PERCH3055'))).toEqual([]);
  });
});

/** The release with a version that is to be stable. */
function from(subset: string, object: KubeObject): KubeObject {
  return { ...object, spec: { ...(object.spec as object), stable: { subset } } };
}

/** The same form of route, its rules leading to `subset`. */
function withRules(route: (typeof FORMS)[number][2], subset: string): object {
  if ('delegate' in route) return { delegate: { ...route.delegate, http: rules(subset) } };
  return { managed: { ...route.managed, http: rules(subset) } };
}
