import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { ownerOf } from '../../src/core/release/ownership.ts';
import { wovenReleases } from '../../src/core/weave/unweave.ts';
import { applyFiles } from '../../src/server/apply-files.ts';
import { adopt, managed, release, routes, rules } from './place.ts';
import { RELEASE, routesRef, Scene, watchRoutes } from './scene.ts';

// What `perch serve -f` does with a directory, where a release changes the form of its route in it.

let scene: Scene;

afterEach(() => scene.close());

const WEB = routesRef('web');

/** Writes these objects as the only ones of the directory, and applies it. */
async function sync(objects: readonly KubeObject[], prune: boolean) {
  const dir = join(scene.dataDir, 'files');
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await writeFile(join(dir, 'all.yaml'), objects.map((object) => stringify(object)).join('---\n'));
  const applied = await applyFiles(scene.store, [dir], { prune });
  expect(applied.diagnostics).toEqual([]);
  return applied;
}

const outcomes = ({ outcomes: all }: Awaited<ReturnType<typeof sync>>) => all.map(({ ref, result }) => `${ref.kind} ${ref.name} ${result}`);

describe('with prune, a release that leaves the VirtualService that leaves the files', () => {
  test.each([
    ['takes it over', managed('edge'), 'web', ['CanaryRelease web configured']],
    ['has one of its own', managed('edge', rules(), 'web-all'), 'web-all', ['CanaryRelease web configured', 'VirtualService web pruned']],
  ])('%s: no gap', async (_what, route, owned, done) => {
    scene = await Scene.open('edge');
    const basics = (await scene.store.list()).map(({ base }) => base);
    await sync([...basics, routes('edge'), release('edge', adopt())], true);
    await scene.finish();

    const watched = watchRoutes(scene.store, 'edge');
    const applied = await sync([...basics, release('edge', route)], true);
    expect(outcomes(applied).filter((outcome) => !outcome.endsWith('unchanged'))).toEqual(done);
    await expect.poll(async () => wovenReleases((await scene.store.get(routesRef(owned)))?.served ?? expect.fail())).not.toEqual([]);
    expect(await watched.stop()).toEqual(['web:9080/v2']);
    expect(ownerOf((await scene.store.get(routesRef(owned)))?.base ?? expect.fail())).toBe('default/web');
    if (owned !== 'web') expect(await scene.store.get(WEB)).toBeUndefined();

    // Nothing is left for the next time, nor does what was handed over go with the release.
    expect(outcomes(await sync([...basics, release('edge', route)], true)).every((outcome) => outcome.endsWith('unchanged'))).toBe(true);
    await scene.deleteRelease();
    await sync(basics, true);
    expect((await scene.store.get(routesRef(owned)))?.base.spec).toMatchObject({ http: rules('v2') });
  });
});

describe('with prune, a release that has another name now', () => {
  const AGAIN = { ...RELEASE, name: 'again' };
  const again: KubeObject = { ...release('edge', adopt()), metadata: { name: AGAIN.name } };
  const phase = async () => (await scene.store.get(AGAIN))?.status?.phase;

  test('waits until the one before has left: nobody moves back to where the base once led', async () => {
    scene = await Scene.open('edge');
    const basics = [...(await scene.store.list()).map(({ base }) => base), routes('edge')];
    await sync([...basics, release('edge', adopt())], true);
    await scene.finish();
    const watched = watchRoutes(scene.store, 'edge');
    await sync([...basics, again], true);
    await vi.waitFor(async () => expect(await phase()).toBe('Succeeded'), { timeout: 10_000, interval: 5 });
    expect(await watched.stop()).toEqual(['web:9080/v2']);
    expect(await scene.store.get(RELEASE)).toBeUndefined();
    expect(await scene.round(scene.visitors(5))).toEqual(Array(5).fill('v2'));
  });

  test('starts as soon as the one before has left, also where that leaves the base as it was', async () => {
    scene = await Scene.open('edge');
    const basics = [...(await scene.store.list()).map(({ base }) => base), routes('edge')];
    await sync([...basics, release('edge', adopt())], true);
    await scene.reach({ phase: 'Paused', weight: 10 });
    await scene.ask('rollback', { phase: 'RolledBack' });
    await sync([...basics, again], true);
    await vi.waitFor(async () => expect(await phase()).toBe('Paused'), { timeout: 10_000, interval: 5 });
    expect(wovenReleases((await scene.store.get(WEB))?.served ?? expect.fail())).toEqual(['default/again']);
  });
});

test('a release that was deleted and still stands in the files comes back with them, and nobody is moved', async () => {
  scene = await Scene.open('edge');
  const basics = (await scene.store.list()).map(({ base }) => base);
  const files = [...basics, release('edge', managed('edge'))];
  await sync(files, false);
  await scene.finish();
  await scene.deleteRelease();
  const watched = watchRoutes(scene.store, 'edge');
  expect(outcomes(await sync(files, false))).toContain('CanaryRelease web created');
  await scene.reach({ phase: 'Succeeded', liveVersion: { subset: 'v2' } });
  expect(await watched.stop()).toEqual(['web:9080/v2']);
});

test('the files are ready when their routes are served, also those that a release owns', async () => {
  scene = await Scene.open('edge');
  await scene.apply(release('edge', managed('edge')));
  expect(await scene.round(scene.visitors(1)), 'at once').toEqual(['v1']);
});

test('a VirtualService beside the release that owns it is refused, at its place in the file', async () => {
  scene = await Scene.open('edge');
  const dir = join(scene.dataDir, 'files');
  await mkdir(dir);
  await writeFile(join(dir, 'a.yaml'), stringify(routes('edge')));
  await writeFile(join(dir, 'b.yaml'), stringify(release('edge', managed('edge'))));
  const { ok, diagnostics } = await applyFiles(scene.store, [dir], { prune: false });
  expect(ok).toBe(false);
  expect(diagnostics).toMatchObject([{ code: 'PERCH3053', source: { file: join(dir, 'a.yaml'), line: 4 } }]);
});
