import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import type { TimeSources } from '../../src/controller/clock.ts';
import { BOOKINFO, bookinfo, endpoints, REVIEWS, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { apply, reach, request, Scene, statusOf, versionFor } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

describe('a restart', () => {
  /** The system's clocks, with the wall clock off by so much. */
  const wallOff = (ms: number): TimeSources => ({ wall: () => Date.now() + ms, monotonic: () => performance.now() });

  test('mid-hold keeps the step, its start and its end; once the wall clock is there the release goes on, one step', async () => {
    const first = scene.start();
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('10m', '10m', '10m')));
    const held = await reach(first.store, { phase: 'Progressing', weight: 10, holdUntil: expect.any(String) });
    const routes = [(await first.store.get(REVIEWS))?.served, (await first.store.get(BOOKINFO))?.served];
    await first.stop();

    for (const off of [0, 9 * 60_000, -24 * 3_600_000]) {
      const again = scene.start({ time: wallOff(off) });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await statusOf(again.store)).toEqual(held);
      expect([(await again.store.get(REVIEWS))?.served, (await again.store.get(BOOKINFO))?.served]).toEqual(routes);
      await again.stop();
    }

    const later = scene.start({ time: wallOff(24 * 3_600_000) });
    const next = await reach(later.store, { phase: 'Progressing', weight: 50, holdUntil: expect.any(String) });
    expect(Date.parse(next.holdUntil ?? '') - Date.parse(next.stepStartedAt ?? '')).toBeGreaterThanOrEqual(600_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await statusOf(later.store)).weight).toBe(50);
  });

  test('while the wall clock has gone back goes on from the time that was recorded last', async () => {
    const first = scene.start();
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release(steps('10m', '10m', '10m')));
    const held = await reach(first.store, { phase: 'Progressing', holdUntil: expect.any(String) });
    await first.stop();
    const again = scene.start({ time: wallOff(-24 * 3_600_000) });
    await request(again.store, 'pause');
    const paused = await reach(again.store, { phase: 'Paused' });
    expect(paused.holdRemainingMs).toBeLessThanOrEqual(600_000);
    expect(paused.holdRemainingMs).toBeGreaterThan(590_000);
    expect(Date.parse(paused.lastRequest?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(held.stepStartedAt ?? ''));
  });

  test('before the data plane serves, confirms nothing', async () => {
    const first = scene.start();
    first.serving(false);
    await apply(first.store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
    await reach(first.store, { phase: 'Progressing', weight: 10 });
    await first.stop();
    const again = scene.start();
    await reach(again.store, { phase: 'Succeeded' });
    expect(scene.reasons().filter((reason) => reason === 'StepConfirmed')).toHaveLength(3);
  });
});

test('a pass that fails is said once, tried again, and harms no traffic', async () => {
  let failures = 5;
  let conflicts = 3;
  // What a full disk does to a store: writes fail for a while, reads go on. And then others are always faster, for a while.
  const failing = (store: Store): Store => ({
    ...store,
    commit: async (...change) => {
      failures -= 1;
      if (failures >= 0) throw new Error('disk full');
      conflicts -= 1;
      if (conflicts >= 0) return false;
      return store.commit(...change);
    },
  });
  const { store } = scene.start({}, failing);
  await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release());
  await vi.waitFor(() => expect(failures).toBeLessThan(3), { timeout: 20_000 });
  expect(await versionFor(store, 0)).toBe('v1');
  await reach(store, { phase: 'Succeeded' });
  expect(scene.entries.filter((entry) => entry.type === 'Error')).toMatchObject([{ reason: 'PassFailed', release: 'default/reviews' }]);
});
