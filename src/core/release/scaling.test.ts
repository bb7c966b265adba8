import { describe, expect, test } from 'vitest';
import type { CanaryReleaseSpec } from './canary-release.ts';
import { MINUTE, ReleaseWorld, specOf, subset } from './release-world.cases.ts';
import { replicasNeeded } from './replicas.ts';

const SCALING: Partial<CanaryReleaseSpec> = { scaling: { beforeStep: 'matchWeight' } };

/** Four replicas of v1, and one of v2, of a release that is on its first step. */
function scaled(changes: Partial<CanaryReleaseSpec> = {}): ReleaseWorld {
  const world = new ReleaseWorld(specOf({ ...SCALING, ...changes }));
  world.setReplicas('v1', 4);
  world.setReplicas('v2', 1);
  world.look();
  world.serve();
  return world;
}

const ordered = (world: ReleaseWorld) => world.orders.map(({ name, from, to, weight }) => `${name} ${from} -> ${to} for ${weight} %`);
const told = (world: ReleaseWorld, reason: string) => world.events.filter((each) => each.reason === reason).map(({ message }) => message);

describe('how many replicas a weight needs', () => {
  test.each([
    [4, 50, 2],
    [4, 51, 3],
    [4, 100, 4],
    [4, 1, 1],
    [4, 0, 1],
    [0, 50, 1],
    [10, 30, 3],
    [1000, 0.1, 1],
    [3, 33.4, 2],
  ])('%d of all, %d %%: %d', (live, weight, needed) => expect(replicasNeeded(live, weight)).toBe(needed));
});

describe('a release with spec.scaling.beforeStep', () => {
  test('scales the canary when a step is due, waits for its pods, and widens then', () => {
    const world = scaled();
    expect(world.orders).toEqual([]);
    world.pass(10 * MINUTE - 1);
    expect(world.orders).toEqual([]);
    world.pass(1);
    expect(ordered(world)).toEqual(['web-v2 1 -> 2 for 50 %']);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain('not widened: Deployment default/web-v2 is rolled out, 1 of 2');
    expect(told(world, 'Scaled')).toEqual(['Deployment default/web-v2 scaled from 1 to 2 replicas: v2 is to get 50 %']);
    expect(world.status?.scaling?.last).toMatchObject({ deployment: 'default/web-v2', from: 1, to: 2, weight: 50 });
    world.pass(60 * MINUTE);
    expect(world.orders).toHaveLength(1);
    world.rollOut('v2');
    expect(world.place).toBe('Progressing 50 %');
  });

  test('a promotion waits for the pods that it needs, and says so', () => {
    const world = scaled({ steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })) });
    world.ask('promote');
    expect(ordered(world)).toEqual(['web-v2 1 -> 2 for 50 %']);
    expect(world.place).toBe('Paused 10 %');
    expect(world.status?.lastRequest).toBeUndefined();
    expect(world.message).toContain('about to be promoted: Deployment default/web-v2 is rolled out');
    world.rollOut('v2');
    expect([world.place, world.status?.lastRequest?.outcome]).toEqual(['Progressing 50 %', 'done']);
    world.serve();
    world.ask('promote', 'ada', true);
    expect(ordered(world).at(-1)).toBe('web-v2 2 -> 4 for 100 %');
    world.rollOut('v2');
    expect(world.phase).toBe('Completing');
  });

  test('one that waits gives way to whatever is asked next', () => {
    const world = scaled();
    world.ask('promote');
    world.ask('rollback');
    world.serve();
    expect(world.phase).toBe('RolledBack');
  });

  test('a promotion is refused where the pods do not come', () => {
    const world = scaled();
    world.ask('promote');
    const stuck = world.deployments?.get('v2')?.map((each) => ({ ...each, isLate: true })) ?? [];
    world.deployments?.set('v2', stuck);
    world.look();
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('is rolled out, 1 of 2') });
  });

  test('one whose pods do not come within five minutes is refused, whether or not the Deployment says that they are late', () => {
    const world = scaled({ steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })) });
    world.ask('promote');
    expect(world.wakeAt).toBe(world.now + 5 * MINUTE);
    world.pass(5 * MINUTE - 1);
    expect(world.status?.lastRequest).toBeUndefined();
    world.pass(1);
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('is rolled out, 1 of 2') });
    world.rollOut('v2');
    world.ask('promote');
    expect(world.place).toBe('Progressing 50 %');
  });

  test('a canary without replicas gets what the first step needs before the release starts', () => {
    const world = new ReleaseWorld(specOf(SCALING));
    world.ready.set('v2', false);
    world.setReplicas('v1', 40);
    world.setReplicas('v2', 0);
    world.look();
    expect(ordered(world)).toEqual(['web-v2 0 -> 4 for 10 %']);
    expect(world.phase).toBe('Pending');
    world.rollOut('v2');
    expect(world.place).toBe('Progressing 10 %');
  });

  test.each<[string, (world: ReleaseWorld) => unknown]>([
    ['suspended', (world) => world.edit({ ...world.spec, suspend: true })],
    ['paused', (world) => world.ask('pause')],
    ['without routes', (world) => Object.assign(world, { problems: ['the VirtualService is gone'] })],
    [
      'overtaken, with no stable to go back to',
      (world) => {
        world.setReady('v1', false);
        world.edit({ ...world.spec, canary: subset('v3') });
      },
    ],
    ['with a canary that has lost its endpoints', (world) => world.setReady('v2', false)],
    ['deleted', (world) => Object.assign(world, { deletion: true })],
  ])('scales nothing while it is %s', (_, make) => {
    const world = scaled();
    make(world);
    world.pass(10 * MINUTE);
    expect(world.orders).toEqual([]);
  });

  test('gives up no replica: who has more keeps them, and a rollback leaves the canary as it is', () => {
    const world = scaled();
    world.setReplicas('v2', 7);
    world.pass(10 * MINUTE);
    world.ask('rollback');
    world.serve();
    expect([world.phase, world.orders]).toEqual(['RolledBack', []]);
  });

  test('fights nobody: scaled back it waits, says so, and goes on once the replicas are there', () => {
    const world = scaled();
    world.pass(10 * MINUTE);
    world.setReplicas('v2', 1);
    expect(world.message).toContain('has 1 replica: it was scaled to 2 for 50 %, and somebody scaled it back');
    world.pass(MINUTE);
    world.restart();
    world.serve();
    expect(world.orders).toHaveLength(1);
    expect(world.place).toBe('Progressing 10 %');
    world.setReplicas('v2', 2);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('begun again after a rollback it scales again', () => {
    const world = scaled({
      steps: [
        { weight: 50, hold: '10m' },
        { weight: 100, hold: '10m' },
      ],
    });
    expect(ordered(world)).toEqual(['web-v2 1 -> 2 for 50 %']);
    world.rollOut('v2');
    world.ask('rollback');
    world.serve();
    world.setReplicas('v2', 0);
    world.ask('retry');
    expect(ordered(world).at(-1)).toBe('web-v2 0 -> 2 for 50 %');
  });

  test.each<[string, (world: ReleaseWorld) => void]>([
    ['no Deployment makes the pods of v2', (world) => world.deployments?.set('v2', [])],
    [
      'several Deployments make the pods of v2: a, b',
      (world) =>
        void world.deployments?.set(
          'v2',
          ['a', 'b'].map((name) => ({ namespace: 'default', name, replicas: 1, isAutoscaled: false, isLate: false })),
        ),
    ],
    ['Deployment default/web-v1 has the pods of v1, too', (world) => void world.setReplicas('v2', 1, { name: 'web-v1' })],
    ['Deployment other/web-v2 is in another namespace than the release', (world) => world.setReplicas('v2', 1, { namespace: 'other' })],
    ['Deployment default/web-v2 is scaled by an autoscaler', (world) => world.setReplicas('v2', 1, { isAutoscaled: true })],
    ['may not', (world) => Object.assign(world, { scaleFailure: 'may not' })],
  ])('goes on where nothing can be scaled, and says why once: %s', (why, make) => {
    const world = scaled();
    make(world);
    world.pass(10 * MINUTE);
    world.look();
    expect(world.place).toBe('Progressing 50 %');
    expect(told(world, 'NotScaled')).toEqual([`${why} (PERCH3095)`]);
    expect(told(world, 'Scaled')).toEqual([]);
  });

  test('an autoscaler that has gone to sleep at no replicas does not stand in the way', () => {
    const world = new ReleaseWorld(specOf(SCALING));
    world.setReplicas('v1', 4);
    world.setReplicas('v2', 0, { isAutoscaled: true });
    world.look();
    expect(ordered(world)).toEqual(['web-v2 0 -> 1 for 10 %']);
  });
});

test('a release without spec.scaling scales nothing', () => {
  const world = scaled();
  world.edit(specOf());
  world.pass(10 * MINUTE);
  expect([world.place, world.orders]).toEqual(['Progressing 50 %', []]);
});

test('where there is nothing to scale, spec.scaling changes nothing', () => {
  const world = new ReleaseWorld(specOf(SCALING));
  world.look();
  world.serve();
  world.pass(10 * MINUTE);
  expect([world.place, world.status?.scaling]).toEqual(['Progressing 50 %', undefined]);
});
