import { afterEach, describe, expect, test } from 'vitest';
import { releasesNamed } from '../../src/cli/planning/releases-named.ts';
import { renderRoutes } from '../../src/cli/planning/render-routes.ts';
import { refOf } from '../../src/cluster/manifest.ts';
import { yamlDocuments } from '../../src/cluster/object-yaml.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import type { Until } from '../../src/server/rehearsal/rehearsal.ts';
import { adopt, delegate, managed, type Place, release, root, routes, rules } from './place.ts';
import { Scene } from './scene.ts';

// What `perch render` prints from files, against what the runtime serves of them, step by step.

let scene: Scene;

afterEach(() => scene.close());

const drawn = (object: KubeObject): KubeObject => {
  const { cohort: _, ...spec } = object.spec as Record<string, unknown>;
  return { ...object, spec: { ...spec, affinity: { mode: 'canaryOnly' } } };
};

const NAMED = rules('v1', { name: 'all', match: [{ uri: { prefix: '/' } }], timeout: '10s' });

const FORMS: readonly (readonly [name: string, place: Place, objects: readonly KubeObject[]])[] = [
  ['adopt, at the edge', 'edge', [routes('edge', NAMED), release('edge', adopt())]],
  ['adopt, in the mesh, drawn', 'mesh', [routes('mesh'), drawn(release('mesh', adopt()))]],
  ['delegate, in the mesh', 'mesh', [root('mesh'), release('mesh', delegate(NAMED))]],
  ['managed, at the edge, drawn', 'edge', [drawn(release('edge', managed('edge')))]],
];

/** The steps of `release`, each with how one gets there. */
const STEPS: readonly (readonly [until: Until, go: (scene: Scene) => Promise<unknown>])[] = [
  [{ kind: 'step', step: 0 }, (at) => at.reach({ phase: 'Paused', weight: 10 })],
  [{ kind: 'step', step: 1 }, (at) => at.ask('promote', { phase: 'Paused', weight: 50 })],
  [{ kind: 'step', step: 2 }, (at) => at.ask('promote', { phase: 'Paused', weight: 100 })],
  [{ kind: 'after' }, (at) => at.ask('promote', { phase: 'Succeeded' })],
];

async function rendered(objects: readonly KubeObject[], until: Until): Promise<readonly KubeObject[]> {
  const result = await renderRoutes(objects, releasesNamed(objects, []), until, {});
  return result.kind === 'rendered' ? result.routes : expect.fail(JSON.stringify(result));
}

describe.each(FORMS)('%s', (_name, place, given) => {
  test('renders to the byte what the runtime serves at each step, and applies as the base that it is made of', async () => {
    scene = await Scene.open(place);
    const objects = [...(await scene.store.list()).map(({ base }) => base), ...given];
    const before = await rendered(objects, { kind: 'before' });
    await scene.apply(...given);
    for (const [until, go] of STEPS) {
      await go(scene);
      const found = await rendered(objects, until);
      expect(found.map(refOf)).toEqual(before.map(refOf));
      const served = await Promise.all(found.map(async (object) => (await scene.store.get(refOf(object)))?.served ?? expect.fail()));
      const text = await yamlDocuments(found);
      expect(text).toBe(await yamlDocuments(served));

      const { objects: read, diagnostics } = parseManifests(text, 'rendered.yaml');
      expect(diagnostics).toEqual([]);
      const again = await scene.store.apply(
        'api',
        read.map(({ object }) => object),
      );
      expect(again).toMatchObject({ ok: true, outcomes: read.map(() => ({ result: 'unchanged' })) });
    }
  });
});
