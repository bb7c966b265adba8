import { afterEach, describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { isWoven } from '../../src/core/weave/unweave.ts';
import { adopt, delegate, managed, release, root, routes, rules } from './place.ts';
import { expectedVersions, routesRef, Scene, watchRoutes } from './scene.ts';

// What others do beside a release, to objects that are not its own: nobody moves, nothing widens, and a rollback reaches everyone.

let scene: Scene;

afterEach(() => scene.close());

/** The root with a match on the header by which visitors are known: rules of its delegate that match on it too do not survive the merge. */
const obstinateRoot: KubeObject = routes('edge', [{ match: [{ headers: { cookie: { regex: '.*' } } }], delegate: { name: 'web-routes' } }]);
const ownDelegate: KubeObject = { ...routes('edge', rules(), 'web-routes'), spec: { http: rules() } };
/** At the host that the release's catch-all is served at. */
const neighbour: KubeObject = routes('edge', rules('v3', { match: [{ uri: { prefix: '/late' } }] }), 'late');

const CASES = [
  ['the root of its delegate matches on cookies', 'edge', delegate(), [root('edge')], obstinateRoot],
  ['the root of an adopted delegate matches on cookies', 'edge', adopt('web-routes'), [root('edge'), ownDelegate], obstinateRoot],
  ['another VirtualService comes to the host of an adopted one', 'edge', adopt(), [routes('edge')], neighbour],
  ['another VirtualService comes to the host of its own', 'edge', managed('edge'), [], neighbour],
  ['another VirtualService comes to the host where ids are issued', 'mesh', adopt(), [routes('mesh')], neighbour],
] as const;

describe.each(CASES)('%s', (_what, place, route, besides, change) => {
  test('mid-release: visitors stay, promotion is refused, and a rollback reaches everyone at once', async () => {
    scene = await Scene.open(place);
    const visitors = scene.visitors(60);
    await scene.apply(...besides, release(place, route));
    await scene.reach({ phase: 'Paused', weight: 10 });
    const status = await scene.ask('promote', { phase: 'Paused', weight: 50 });
    await scene.round(visitors);
    const before = expectedVersions(visitors, status, ['v2', 'v1']);

    await scene.apply(change);
    await vi.waitFor(() => expect(scene.said.join('\n')).toMatch(/PERCH20(?:01|11)/), { timeout: 10_000, interval: 5 });
    expect(await scene.round(visitors)).toEqual(before);
    expect(await scene.round(visitors), 'nobody was given another id').toEqual(expectedVersions(visitors, status, ['v2', 'v1']));
    const refused = await scene.ask('promote', { weight: 50, lastRequest: expect.objectContaining({ outcome: 'refused' }) });
    expect(refused.lastRequest?.message).toContain('not widened: no rule of VirtualService');
    expect(refused.message, 'what a promotion would be refused for').toContain('no rule of VirtualService');

    await scene.stop();
    await scene.start();
    expect(await scene.round(visitors), 'after a restart').toEqual(before);

    await scene.ask('rollback', { phase: 'RolledBack' });
    expect(new Set(await scene.round(visitors))).toEqual(new Set(['v1']));
    const woven = (await scene.store.list('VirtualService')).filter(({ served }) => isWoven(served));
    expect(woven, 'where it cannot be woven, it is not').toEqual([]);
  });
});

test('once nothing is under way, the objects of others are served as they are written', async () => {
  scene = await Scene.open('edge');
  await scene.apply(root('edge'), release('edge', delegate()));
  await scene.reach({ phase: 'Paused', weight: 10 });
  await scene.apply(obstinateRoot);
  const served = async () => (await scene.store.get(routesRef()))?.served.spec;
  await vi.waitFor(() => expect(scene.said.join('\n')).toContain('PERCH2001'), { timeout: 10_000, interval: 5 });
  expect(await served(), 'the release goes on behind the root as it was').toEqual(root('edge').spec);
  await scene.ask('rollback', { phase: 'RolledBack' });
  expect(await served()).toEqual(obstinateRoot.spec);

  await scene.apply(root('edge'));
  await scene.ask('retry', { phase: 'Paused', weight: 10 });
  await scene.apply(neighbour);
  await vi.waitFor(() => expect(scene.said.join('\n')).toContain('VirtualService default/late'), { timeout: 10_000, interval: 5 });
  await scene.ask('rollback', { phase: 'RolledBack' });
  const [visitor] = scene.visitors(1);
  if (visitor === undefined) expect.fail('nobody');
  expect([await scene.visit(visitor), await scene.visit(visitor, '/late/1')]).toEqual(['v1', 'v3']);
});

test('a root that is gone holds up neither a rollback nor the release after it', async () => {
  scene = await Scene.open('edge');
  const visitors = scene.visitors(30);
  await scene.apply(root('edge'), release('edge', delegate()));
  await scene.reach({ phase: 'Paused', weight: 10 });
  await scene.round(visitors);
  await scene.store.requestDeletion(routesRef());
  await scene.ask('rollback', { phase: 'RolledBack' });
  expect(new Set(await scene.round(visitors))).toEqual(new Set(['404 ']));

  const watched = watchRoutes(scene.store, 'edge');
  await scene.apply(root('edge'), release('edge', delegate(), { canary: 'v3' }));
  const status = await scene.reach({ phase: 'Paused', weight: 10 });
  expect(await watched.stop()).toEqual(['web:9080/v1']);
  expect(await scene.round(visitors)).toEqual(expectedVersions(visitors, status, ['v3', 'v1']));
});
