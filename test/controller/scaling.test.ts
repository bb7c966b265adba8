import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Readiness } from '../../src/cluster/readiness.ts';
import type { Store } from '../../src/cluster/store.ts';
import { bookinfo, endpoints, RELEASE, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { apply, reach, request, Scene } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

/** As in a cluster: who waits for routes to be served is told only once he has asked for these very routes, and routes that are written alone are no news of the release. */
function toldWhoAsks(store: Store): Store {
  let isAsked = false;
  let isRoutesAlone = false;
  return {
    ...store,
    commit: async (ref, change, revision) => {
      if ((change.routes ?? []).length > 0) isAsked = false;
      isRoutesAlone = change.status === undefined;
      const isDone = await store.commit(ref, change, revision);
      isRoutesAlone = false;
      return isDone;
    },
    watch: (listener) =>
      store.watch((refs, revision) =>
        listener(
          refs.filter(({ kind }) => !(isRoutesAlone && kind === RELEASE.kind)),
          revision,
        ),
      ),
    serving: (refs, revision) => {
      const served = store.serving(refs, revision);
      isAsked = served === undefined;
      return served;
    },
    onServed: (listener) =>
      store.onServed((revision) => {
        if (isAsked) listener(revision);
      }),
  };
}

/** Four replicas of v1, one of any other version, all of them ready. */
const deployed: Readiness = {
  check: (_host, _port, version) => {
    const name = 'subset' in version ? version.subset : version.host;
    const deployment = { namespace: 'default', name, replicas: name === 'v1' ? 4 : 1, isAutoscaled: false, isLate: false };
    return { ready: true, reason: 'ready', deployments: [deployment] };
  },
  onChange: () => () => {},
  close: async () => {},
};

test('what a refused scaling leads to is written in two passes: the step is confirmed all the same', async () => {
  let asked = 0;
  const scale = async () => {
    asked += 1;
    return { kind: 'refused', reason: 'may not' } as const;
  };
  const { store } = scene.start({ readiness: deployed, scaling: { scale } }, toldWhoAsks);
  const scaled = release({ ...steps('manual', 'manual', 'manual'), scaling: { beforeStep: 'matchWeight' } });
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), scaled);
  await reach(store, { phase: 'Paused', weight: 10 });
  await request(store, 'promote');
  await reach(store, { phase: 'Paused', weight: 50 });
  expect([asked, scene.reasons().filter((reason) => reason === 'NotScaled')]).toEqual([1, ['NotScaled']]);
});
