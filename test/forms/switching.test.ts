import { afterEach, expect, test, vi } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { ownerOf } from '../../src/core/release/ownership.ts';
import { wovenReleases } from '../../src/core/weave/unweave.ts';
import { adopt, delegate, managed, type Place, release, root, routes, rules } from './place.ts';
import { expectedVersions, routesRef, Scene, watchRoutes } from './scene.ts';

// A release goes from one form of route to another between two releases, while visitors come and go. v2 is the live version all along,
// and every base but one says v1: whoever sees v1 saw bare routes, whoever gets no answer found a gap.

let scene: Scene;

afterEach(() => scene.close());

/** What serves `web` in one form: the release's route, the owner's objects beside it, and the object that is woven. */
interface Form {
  readonly route: object;
  readonly besides: readonly KubeObject[];
  readonly woven: string;
}

interface Switch {
  readonly from: Form;
  readonly to: Form;
  /** VirtualServices that the owner deletes afterwards: the new ones stand in their place. */
  readonly deleted?: readonly string[];
  /** The owner applies one after the other; together where absent. */
  readonly first?: 'release' | 'routes';
}

const forms = (place: Place) => ({
  adopted: { route: adopt(), besides: [routes(place)], woven: 'web' },
  /** Adopts what is there: the owner writes nothing. */
  adoptedAsLeft: { route: adopt(), besides: [], woven: 'web' },
  adoptedOther: { route: adopt('web-own'), besides: [routes(place, rules(), 'web-own')], woven: 'web-own' },
  managed: { route: managed(place), besides: [], woven: 'web' },
  /** As an owner writes it who looked where everyone is. */
  managedAtLive: { route: managed(place, rules('v2')), besides: [], woven: 'web' },
  managedOther: { route: managed(place, rules(), 'web-all'), besides: [], woven: 'web-all' },
  delegated: { route: delegate(), besides: [root(place)], woven: 'web-routes' },
  delegatedOther: { route: delegate(rules(), 'web-other'), besides: [root(place, 'web-other')], woven: 'web-other' },
});

function switches(place: Place): readonly (readonly [string, Place, Switch])[] {
  const form = forms(place);
  const cases: Readonly<Record<string, Switch>> = {
    'adopt to managed, taking the object over': { from: form.adopted, to: form.managed },
    'adopt to managed, its rules at the live version': { from: form.adopted, to: form.managedAtLive },
    'adopt to managed, another object': { from: form.adopted, to: form.managedOther, deleted: ['web'] },
    'adopt to delegate, the object becoming the root': { from: form.adopted, to: form.delegated },
    'adopt to delegate, the release before the root': { from: form.adopted, to: form.delegated, first: 'release' },
    'adopt to delegate, the root before the release': { from: form.adopted, to: form.delegated, first: 'routes' },
    'managed to adopt, the object as it was left': { from: form.managed, to: form.adoptedAsLeft },
    'managed to adopt, the object written anew': { from: form.managed, to: form.adopted },
    'managed to adopt, another object': { from: form.managed, to: form.adoptedOther, deleted: ['web'] },
    'managed to delegate, the object becoming the root': { from: form.managed, to: form.delegated },
    'managed to delegate, the release before the root': { from: form.managed, to: form.delegated, first: 'release' },
    'managed to managed, another object': { from: form.managed, to: form.managedOther, deleted: ['web'] },
    'delegate to adopt, the root becoming the routes': { from: form.delegated, to: form.adopted },
    'delegate to managed, another object': { from: form.delegated, to: form.managedOther, deleted: ['web'] },
    'delegate to delegate, another object': { from: form.delegated, to: form.delegatedOther },
  };
  return Object.entries(cases).map(([what, each]) => [what, place, each]);
}

test.each([...switches('edge'), ...switches('mesh')])('%s (%s): no gap, and nobody leaves the live version', async (_what, place, each) => {
  const { from, to, deleted = [], first } = each;
  scene = await Scene.open(place);
  const visitors = scene.visitors(40);
  await scene.apply(...from.besides, release(place, from.route));
  await scene.finish();
  expect(new Set(await scene.round(visitors))).toEqual(new Set(['v2']));

  const { store } = scene;
  const watched = watchRoutes(store, place);
  const traffic = startTraffic();
  const parts = [to.besides, [release(place, to.route)]];
  for (const part of first === undefined ? [parts.flat()] : first === 'routes' ? parts : parts.toReversed()) await scene.apply(...part);
  for (const name of deleted) await store.requestDeletion(routesRef(name));
  await vi.waitFor(async () => expect(await wovenInto(store)).toEqual([to.woven]), { timeout: 10_000, interval: 5 });
  const seen = await traffic.stop(200);
  expect(await watched.stop(), 'by what is stored at each revision').toEqual(['web:9080/v2']);
  expect(seen, 'through the gateway').toEqual(new Map([['v2', expect.any(Number)]]));
  expect(scene.said.filter((line) => line.includes('PERCH3055'))).toEqual([]);

  const owner = 'adopt' in to.route ? undefined : 'default/web';
  for (const { ref, base } of await store.list('VirtualService')) {
    expect([ref.name, ownerOf(base)]).toEqual([ref.name, ref.name === to.woven ? owner : undefined]);
  }
  await scene.apply(release(place, to.route, { canary: 'v3' }));
  const status = await scene.reach({ phase: 'Paused', weight: 10 });
  expect(await scene.round(visitors), 'the next release is woven in the new form').toEqual(
    expectedVersions(visitors, status, ['v3', 'v2']),
  );
});

/** The VirtualServices that route `web` and have the release woven in; the one where ids are issued, `shop`, is the same in all forms. */
async function wovenInto(store: Store): Promise<readonly string[]> {
  const woven = (await store.list('VirtualService')).filter(({ served }) => wovenReleases(served).includes('default/web'));
  return woven.map(({ ref }) => ref.name).filter((name) => name !== 'shop');
}

/** Visitors who come one after the other, in several rows at once; `stop` lets so many more through and counts what all of them saw. */
function startTraffic(): { stop(more: number): Promise<ReadonlyMap<string, number>> } {
  const seen = new Map<string, number>();
  let left = Number.POSITIVE_INFINITY;
  const row = async (): Promise<void> => {
    const visitors = scene.visitors(8);
    for (let turn = 0; left > 0; turn += 1, left -= 1) {
      const visitor = visitors[turn % visitors.length] ?? expect.fail('nobody');
      const version = await scene.visit(visitor);
      seen.set(version, (seen.get(version) ?? 0) + 1);
    }
  };
  const rows = Array.from({ length: 8 }, row);
  return {
    stop: async (more) => {
      left = more;
      await Promise.all(rows);
      return seen;
    },
  };
}
