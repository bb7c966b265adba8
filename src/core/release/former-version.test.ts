import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, specOf, subset, without } from './release-world.cases.ts';

const AFTER = { scaling: { afterSuccess: { replicas: 0, delay: '10m' } } };
const STEPS = [{ weight: 100, hold: '1m' }];

/** A release that has succeeded: four replicas each, and the former version's to be taken away in ten minutes. */
function done(changes: Parameters<typeof specOf>[0] = {}): ReleaseWorld {
  const world = new ReleaseWorld(specOf({ ...AFTER, steps: STEPS, ...changes }));
  world.setReplicas('v1', 4);
  world.setReplicas('v2', 4);
  world.look();
  world.serve();
  world.pass(MINUTE);
  world.serve();
  expect(world.phase).toBe('Succeeded');
  return world;
}

/** The same, with the former version at no replicas. */
function scaledDown(changes: Parameters<typeof specOf>[0] = {}): ReleaseWorld {
  const world = done(changes);
  world.pass(10 * MINUTE);
  world.ready.set('v1', false);
  expect(world.orders).toHaveLength(1);
  return world;
}

const ordered = (world: ReleaseWorld) => world.orders.map(({ name, from, to, cause }) => `${name} ${from} -> ${to} ${cause}`);
const told = (world: ReleaseWorld, reason: string) => world.events.filter((each) => each.reason === reason).map(({ message }) => message);

describe('the former version, after success', () => {
  test('is scaled down after the delay, and not before; how many it had is kept first', () => {
    const world = done();
    expect(world.wakeAt).toBe(world.now + 10 * MINUTE);
    expect(world.message).toBe(`v2 is the live version; v1 is scaled to 0 replicas at ${new Date(world.now + 10 * MINUTE).toISOString()}`);
    world.pass(10 * MINUTE - 1);
    expect([world.orders, world.status?.scaling]).toEqual([[], undefined]);
    world.pass(1);
    expect(ordered(world)).toEqual(['web-v1 4 -> 0 success']);
    expect(told(world, 'Scaled')).toEqual(['Deployment default/web-v1 scaled from 4 to 0 replicas: v1 is the former version']);
    expect(world.status?.scaling?.former).toEqual({ version: { subset: 'v1' }, replicas: 4, isDone: true });
    expect([world.message, world.wakeAt]).toEqual(['v2 is the live version', undefined]);
  });

  test('once: whoever brings it back is not fought', () => {
    const world = scaledDown();
    world.setReplicas('v1', 4);
    world.pass(60 * MINUTE);
    world.restart();
    world.serve();
    world.pass(60 * MINUTE);
    expect(world.orders).toHaveLength(1);
  });

  test('that has no more than it is to have is left alone, also later', () => {
    const world = done();
    world.setReplicas('v1', 0);
    world.pass(10 * MINUTE);
    world.setReplicas('v1', 4);
    world.pass(10 * MINUTE);
    expect(world.orders).toEqual([]);
  });

  test('a leader that dies between the write and what it takes down leaves what the next one needs', () => {
    const world = done();
    world.now += 10 * MINUTE;
    const { status } = world.advanceWith(world.observed());
    expect(status.scaling).toEqual({ former: { version: { subset: 'v1' }, replicas: 4 } });
    world.status = status;
    world.deployments?.set('v1', [{ namespace: 'default', name: 'web-v1', replicas: 0, isAutoscaled: false, isLate: false }]);
    world.restart();
    world.serve();
    expect([world.orders, world.status?.scaling?.former?.replicas]).toEqual([[], 4]);
  });

  test.each<[string, (world: ReleaseWorld) => unknown]>([
    ['suspended', (world) => world.edit({ ...world.spec, suspend: true })],
    ['deleted', (world) => Object.assign(world, { deletion: true })],
    ['not asked to any more', (world) => world.edit(specOf({ steps: STEPS }))],
    ['asked for another release', (world) => world.edit({ ...without(world.spec, 'stable'), canary: subset('v3') })],
  ])('is left alone while the release is %s', (_, make) => {
    const world = done();
    world.ready.set('v3', false);
    make(world);
    world.pass(10 * MINUTE);
    expect(world.orders).toEqual([]);
  });

  test('is left alone while the routes are not served, and follows once they are', () => {
    const world = done();
    world.restart();
    world.pass(10 * MINUTE);
    expect([world.orders, world.message]).toEqual([[], 'v2 is the live version; v1 is scaled to 0 replicas once the routes are served']);
    world.serve();
    expect(world.orders).toHaveLength(1);
  });

  test.each<[string, (world: ReleaseWorld) => unknown]>([
    [
      'VirtualService default/other still leads to v1',
      (world) => Object.assign(world, { formerUse: 'VirtualService default/other still leads to v1' }),
    ],
    [
      'an Envoy may still route to v1 (1 of 2 does not)',
      (world) => Object.assign(world, { confirmation: { how: '1 of 2 does not', isDoubtful: true } }),
    ],
    ['Deployment default/web-v2 has the pods of v2, too', (world) => world.setReplicas('v1', 4, { name: 'web-v2' })],
    ['may not', (world) => Object.assign(world, { scaleFailure: 'may not' })],
  ])('is left alone, and why is said once: %s', (why, make) => {
    const world = done();
    make(world);
    world.pass(10 * MINUTE);
    world.pass(MINUTE);
    expect(world.deployments?.get('v1')?.[0]?.replicas).toBe(4);
    expect(told(world, 'NotScaled')).toEqual([`${why} (PERCH3095)`]);
    expect(world.orders.length).toBeLessThanOrEqual(1);
  });

  test('an autoscaler goes to sleep at no replicas, and would bring any others back', () => {
    const world = done();
    world.setReplicas('v1', 4, { isAutoscaled: true });
    world.pass(10 * MINUTE);
    expect(ordered(world)).toEqual(['web-v1 4 -> 0 success']);
    const other = done({ scaling: { afterSuccess: { replicas: 1, delay: '10m' } } });
    other.setReplicas('v1', 4, { isAutoscaled: true });
    other.pass(10 * MINUTE);
    expect([other.orders, told(other, 'NotScaled')]).toEqual([[], ['Deployment default/web-v1 is scaled by an autoscaler (PERCH3095)']]);
  });
});

describe('a rollback after the former version was scaled down', () => {
  test('brings its replicas back, waits until they run, and goes back then', () => {
    const world = scaledDown();
    world.ask('rollback');
    expect(ordered(world).at(-1)).toBe('web-v1 0 -> 4 rollback');
    expect([world.phase, world.status?.lastRequest]).toEqual(['Succeeded', undefined]);
    expect(world.message).toContain('about to roll back: Deployment default/web-v1 is rolled out, 0 of 4');
    world.restart();
    world.serve();
    world.rollouts.delete('v1');
    world.look();
    expect(world.phase).toBe('Succeeded');
    world.setReady('v1', true);
    expect([world.phase, world.status?.lastRequest?.outcome]).toEqual(['RollingBack', 'done']);
    world.serve();
    world.pass(60 * MINUTE);
    expect([world.phase, world.orders.length, world.status?.scaling?.former]).toEqual(['RolledBack', 2, undefined]);
  });

  test('also while suspended, and before another release begins', () => {
    const world = scaledDown({ suspend: false });
    world.ready.set('v3', false);
    world.edit({ ...without(world.spec, 'stable'), canary: subset('v3'), suspend: true });
    expect(world.phase).toBe('Pending');
    world.ask('rollback');
    expect(ordered(world).at(-1)).toBe('web-v1 0 -> 4 rollback');
    world.rollOut('v1');
    expect(world.phase).toBe('RollingBack');
  });

  test('is refused where the pods do not come, where somebody takes them away, and where it may not bring them', () => {
    const stuck = scaledDown();
    stuck.ask('rollback');
    const late = stuck.deployments?.get('v1')?.map((each) => ({ ...each, isLate: true })) ?? [];
    stuck.deployments?.set('v1', late);
    stuck.look();
    const contested = scaledDown();
    contested.ask('rollback');
    contested.setReplicas('v1', 0);
    const barred = scaledDown();
    barred.scaleFailure = 'may not';
    barred.ask('rollback');
    for (const world of [stuck, contested, barred]) {
      expect([world.phase, world.status?.lastRequest?.outcome, world.orders.length]).toEqual(['Succeeded', 'refused', 2]);
    }
    expect(told(barred, 'NotScaled')).toEqual(['may not (PERCH3095)']);
    barred.scaleFailure = undefined;
    barred.ask('rollback');
    expect(ordered(barred).at(-1)).toBe('web-v1 0 -> 4 rollback');
  });

  test('waits a minute for all of its pods: from then on it goes back as soon as some are ready', () => {
    const partly = scaledDown();
    partly.ask('rollback');
    partly.setReady('v1', true);
    expect([partly.phase, partly.wakeAt]).toEqual(['Succeeded', partly.now + MINUTE]);
    partly.pass(MINUTE - 1);
    expect(partly.phase).toBe('Succeeded');
    partly.pass(1);
    expect([partly.phase, partly.status?.lastRequest?.outcome]).toEqual(['RollingBack', 'done']);
    const slow = scaledDown();
    slow.ask('rollback');
    slow.pass(2 * MINUTE);
    expect(slow.phase).toBe('Succeeded');
    slow.setReady('v1', true);
    expect(slow.phase).toBe('RollingBack');
  });

  test('is refused after five minutes where no pod is ready, and holds up the next release no longer', () => {
    const world = scaledDown();
    world.ask('rollback');
    expect(world.wakeAt).toBe(world.now + 5 * MINUTE);
    world.edit({ ...without(world.spec, 'stable'), canary: subset('v3') });
    world.pass(5 * MINUTE - 1);
    expect([world.phase, world.status?.lastRequest]).toEqual(['Pending', undefined]);
    world.pass(1);
    expect([world.place, world.status?.lastRequest?.outcome, world.orders.length]).toEqual(['Progressing 100 %', 'refused', 2]);
  });

  test.each<[string, (world: ReleaseWorld) => unknown]>([
    [
      'what came of the write was lost',
      (world) => {
        world.request = { id: 'lost', action: 'rollback', by: 'ada' };
        expect(world.advanceWith(world.observed()).scale).toMatchObject({ to: 4, request: 'lost' });
        world.deployments?.set('v1', [{ namespace: 'default', name: 'web-v1', replicas: 4, isAutoscaled: false, isLate: false }]);
        world.rollouts.set('v1', 'Deployment default/web-v1 is rolled out, 0 of 4');
        world.restart();
      },
    ],
    [
      'somebody brought them back just before',
      (world) => {
        world.setReplicas('v1', 4);
        world.rollouts.set('v1', 'Deployment default/web-v1 is rolled out, 0 of 4');
        world.ask('rollback');
      },
    ],
  ])('waits for replicas that it did not bring, too, and no longer than for its own: %s', (_, make) => {
    for (const isReady of [true, false]) {
      const world = scaledDown();
      make(world);
      world.serve();
      expect([world.phase, world.status?.lastRequest, world.orders.length]).toEqual(['Succeeded', undefined, 1]);
      expect(world.message).toContain('about to roll back: Deployment default/web-v1 is rolled out, 0 of 4');
      expect(world.wakeAt).toBe(world.now + 5 * MINUTE);
      if (isReady) world.rollOut('v1');
      else {
        world.pass(5 * MINUTE - 1);
        expect(world.status?.lastRequest).toBeUndefined();
        world.pass(1);
      }
      expect([world.phase, world.status?.lastRequest?.outcome]).toEqual(isReady ? ['RollingBack', 'done'] : ['Succeeded', 'refused']);
      expect(world.orders).toHaveLength(1);
    }
  });

  test('once the release scales nothing any more, it is somebody else’s to bring them back', () => {
    const world = scaledDown();
    world.edit(specOf({ steps: STEPS }));
    world.ask('rollback');
    expect([world.status?.lastRequest?.outcome, world.orders.length]).toEqual(['refused', 1]);
  });
});

test('the next release scales its own former version down, and forgets the one before', () => {
  const world = scaledDown();
  world.setReplicas('v3', 4);
  world.edit({ ...without(world.spec, 'stable'), canary: subset('v3') });
  world.serve();
  world.pass(MINUTE);
  world.serve();
  world.pass(10 * MINUTE);
  expect(ordered(world)).toEqual(['web-v1 4 -> 0 success', 'web-v2 4 -> 0 success']);
});
