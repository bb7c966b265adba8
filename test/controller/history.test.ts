import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import { MAX_EVENTS } from '../../src/core/release/release-event.ts';
import { bookinfo, endpoints, RELEASE, release, reviewsRoutes, THREE_STEPS } from './bookinfo-objects.ts';
import { apply, reach, request, Scene } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

const LIFE = ['Created', ...THREE_STEPS];

/** What is in the history of the release, oldest first. */
async function reasons(store: Store): Promise<readonly string[]> {
  return (await store.history(RELEASE, { limit: MAX_EVENTS })).map(({ reason }) => reason).reverse();
}

test('every event of a release is in its history once, also when each process dies between a commit and its log', async () => {
  let deaths = 0;
  // A process that dies then has written, and says no word about it.
  const dying = (store: Store): Store => ({
    ...store,
    commit: async (...change) => {
      const isDone = await store.commit(...change);
      if (isDone && (change[1].events ?? []).length > 0) {
        deaths += 1;
        throw new Error('killed');
      }
      return isDone;
    },
  });
  const first = scene.start({}, dying);
  await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
  await reach(first.store, { phase: 'Succeeded' });
  await first.stop();
  expect(deaths).toBeGreaterThan(5);
  expect(scene.reasons().filter((reason) => LIFE.includes(reason))).toEqual([]);

  const again = scene.start();
  await reach(again.store, { phase: 'Succeeded' });
  expect(await reasons(again.store)).toEqual(LIFE);
  const steps = (await again.store.history(RELEASE, { limit: MAX_EVENTS })).filter(({ reason }) => reason === 'StepStarted').reverse();
  expect(steps).toMatchObject([
    { step: 0, weight: 10, message: 'step 1 of 3: 10 %' },
    { step: 1, weight: 50, message: 'step 2 of 3: 50 %' },
    { step: 2, weight: 100, message: 'step 3 of 3: 100 %' },
  ]);
});

test('a pass that others were faster than leaves nothing in the history; the one that is written, all of it', async () => {
  let conflicts = 5;
  const busy = (store: Store): Store => ({
    ...store,
    commit: async (...change) => {
      conflicts -= 1;
      return conflicts >= 0 ? false : store.commit(...change);
    },
  });
  const { store } = scene.start({}, busy);
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
  await reach(store, { phase: 'Succeeded' });
  expect(await reasons(store)).toEqual(LIFE);
});

test('what was asked for stands before what came of it, with who asked; a deletion ends it, and it can still be read', async () => {
  const { store, stop } = scene.start();
  await apply(
    store,
    ...bookinfo,
    reviewsRoutes(),
    endpoints(scene.ports),
    release({
      steps: [
        { weight: 10, hold: 'manual' },
        { weight: 100, hold: '10m' },
      ],
    }),
  );
  await reach(store, { phase: 'Paused', weight: 10 });
  await request(store, 'pause');
  await vi.waitFor(async () => expect(await reasons(store)).toContain('RequestRefused'));
  await request(store, 'rollback');
  await reach(store, { phase: 'RolledBack' });
  await store.requestDeletion(RELEASE, { by: 'bob' });
  await vi.waitFor(async () => expect(await store.get(RELEASE)).toBeUndefined(), { timeout: 10_000 });
  const told = (await store.history(RELEASE, { limit: MAX_EVENTS })).map(({ reason, by, message }) => `${reason} (${by}): ${message}`);
  expect(told.reverse().slice(5)).toEqual([
    'Requested (ann): pause asked for',
    'RequestRefused (ann): pause refused: the release is paused already',
    'Requested (ann): rollback asked for',
    'RollingBack (ann): rolling back to v1 from 10 %: requested',
    'RolledBack (ann): everyone is on v1',
    'DeletionRequested (bob): deletion asked for: its routes go to the live version first',
    'Deleted (undefined): the release was deleted; its routes lead to v1',
  ]);
  const history = await store.history(RELEASE, { limit: MAX_EVENTS });
  await stop();
  expect(await scene.start().store.history(RELEASE, { limit: MAX_EVENTS })).toEqual(history);
});
