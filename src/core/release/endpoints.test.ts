import { describe, expect, test } from 'vitest';
import { type ReadinessSpec, readinessSpec } from './readiness-spec.ts';
import { MINUTE, type ReleaseWorld, specOf, started } from './release-world.cases.ts';

describe('endpoints of the canary', () => {
  test('lost for longer than the grace, everyone goes back', () => {
    const world = started();
    world.setReady('v2', false);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.wakeAt).toBe(world.now + 30_000);
    world.pass(29_999);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.phase).toBe('RollingBack');
    world.serve();
    expect(world.status?.history[0]).toMatchObject({ outcome: 'RolledBack', reason: 'v2 had no ready endpoints for 30s' });
    expect(world.status?.history[0]?.by).toBeUndefined();
  });

  test('back within the grace, nothing happened; the next loss has its own grace', () => {
    const world = started();
    world.setReady('v2', false);
    world.pass(29_000);
    world.setReady('v2', true);
    world.pass(5000);
    world.setReady('v2', false);
    world.pass(29_999);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('back after the end of the hold, it widens at the same look: what was served still is', () => {
    const world = started();
    world.pass(10 * MINUTE - 10_000);
    world.setReady('v2', false);
    world.pass(10_000);
    expect(world.place).toBe('Progressing 10 %');
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('of stable nothing follows after the grace: it wakes nobody', () => {
    const world = started();
    world.setReady('v1', false);
    expect(world.wakeAt).toBe(world.now + 10 * MINUTE);
  });

  test('not known is not lost: a restart does not roll back', () => {
    const world = started();
    world.ready.set('v2', undefined);
    world.restart();
    world.pass(60_000);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('no step widens while the canary is not ready; it does as soon as it is', () => {
    const world = started();
    world.ready.set('v2', undefined);
    world.pass(20 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain('not widened: the canary is not ready');
    expect(world.wakeAt).toBeUndefined();
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('with stable gone too, everyone stays and an alarm is given, once; stable’s return ends it', () => {
    const world = started();
    world.setReady('v1', false);
    world.setReady('v2', false);
    world.pass(30_000);
    world.pass(30_000);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.events.filter(({ reason }) => reason === 'NoReadyVersion')).toHaveLength(1);
    expect(world.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'NoReadyVersion' }));
    expect(world.message).toContain('; neither version has ready endpoints: everyone stays where they are');
    world.setReady('v1', true);
    expect(world.phase).toBe('RollingBack');
  });

  test('also while Paused and Completing', () => {
    const completing = started(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    completing.pass(MINUTE);
    const paused = started();
    paused.ask('pause');
    for (const world of [completing, paused]) {
      world.setReady('v2', false);
      world.pass(30_000);
      expect(world.phase).toBe('RollingBack');
    }
  });
});

/** The release with this in its `readiness`. */
function startedWith(readiness: Partial<ReadinessSpec>): ReleaseWorld {
  return started(specOf({ readiness: readinessSpec.parse(readiness) }));
}

const reasonOf = (world: ReleaseWorld, type: string): string | undefined =>
  world.status?.conditions.find((condition) => condition.type === type && condition.status === 'True')?.reason;

test('the grace is the release’s own', () => {
  const world = startedWith({ grace: '5m' });
  world.setReady('v2', false);
  expect(world.message).toContain(
    '; v2 has no ready endpoints since 2026-11-22T10:00:00.000Z: rolled back at 2026-11-22T10:05:00.000Z unless',
  );
  expect(reasonOf(world, 'Reconciling')).toBe('CanaryLost');
  expect(world.wakeAt).toBe(world.now + 5 * MINUTE);
  world.pass(5 * MINUTE - 1);
  expect(world.place).toBe('Progressing 10 %');
  world.pass(1);
  expect(world.phase).toBe('RollingBack');
});

test.each([
  ['rollback', 'rolled back'],
  ['pause', 'paused'],
] as const)('a canary that is lost is told at once, with what follows (%s), and so is its return', (onCanaryUnavailable, follows) => {
  const world = startedWith({ onCanaryUnavailable });
  world.setReady('v2', false);
  expect(world.events.at(-1)).toMatchObject({
    type: 'Warning',
    reason: 'CanaryLost',
    message: `v2 has no ready endpoints (no endpoint accepts connections): ${follows} in 30s unless they return`,
  });
  expect(world.message).toContain(
    `v2 has no ready endpoints since 2026-11-22T10:00:00.000Z: ${follows} at 2026-11-22T10:00:30.000Z unless they return`,
  );
  world.setReady('v2', true);
  expect(world.events.at(-1)).toMatchObject({ type: 'Normal', reason: 'CanaryFound', message: 'v2 has ready endpoints again' });
});

describe('onCanaryUnavailable: pause', () => {
  const lost = (): ReleaseWorld => {
    const world = startedWith({ onCanaryUnavailable: 'pause' });
    world.setReady('v2', false);
    world.pass(30_000);
    return world;
  };

  test('everyone stays, it is said loudly, and the rest of the hold is kept', () => {
    const world = lost();
    expect(world.place).toBe('Paused 10 %');
    expect(world.status).toMatchObject({ pausedBy: 'canaryLost', holdRemainingMs: 10 * MINUTE - 30_000 });
    expect(world.routes).toMatchObject({ kind: 'split', cutoff: 410 });
    expect(world.message).toBe(
      'step 1 of 3: 10 % of visitors on v2, paused; v2 has no ready endpoints since 2026-11-22T10:00:00.000Z: visitors on it get errors; roll back, or resume once they are back',
    );
    expect(world.events.at(-1)).toMatchObject({
      type: 'Warning',
      reason: 'Paused',
      message: 'paused at 10 %: v2 had no ready endpoints for 30s; visitors on it get errors until they return',
    });
    expect(reasonOf(world, 'Stalled')).toBe('CanaryLost');
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Paused 10 %');
  });

  test('resume and promote are refused until it is back; then it goes on when someone says so, and not by itself', () => {
    const world = lost();
    for (const action of ['resume', 'promote'] as const) {
      world.ask(action);
      expect(world.status?.lastRequest, action).toMatchObject({ outcome: 'refused' });
    }
    world.ask('resume');
    expect(world.status?.lastRequest?.message).toBe('v2 has no ready endpoints: no endpoint accepts connections');
    world.setReady('v2', true);
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Paused 10 %');
    expect(world.message).toContain('paused: resume or promote to go on');
    expect(reasonOf(world, 'Stalled')).toBeUndefined();
    world.ask('resume');
    expect(world.place).toBe('Progressing 10 %');
    world.pass(10 * MINUTE - 30_000 - 1);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('a resume asked for while that is not known yet waits until it is', () => {
    const world = lost();
    world.ready.set('v2', undefined);
    world.ask('resume');
    expect(world.status?.lastRequest).toBeUndefined();
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('a rollback by request takes everyone back', () => {
    const world = lost();
    world.ask('rollback');
    expect(world.phase).toBe('RollingBack');
  });

  test('a pause by request or hold stays what it is', () => {
    const world = startedWith({ onCanaryUnavailable: 'pause' });
    world.ask('pause');
    world.setReady('v2', false);
    world.pass(30_000);
    expect(world.status?.pausedBy).toBe('request');
    expect(world.message).toContain('visitors on it get errors');
  });

  test('changed to rollback meanwhile, everyone goes back', () => {
    const world = lost();
    world.edit(specOf());
    expect(world.phase).toBe('RollingBack');
  });
});

describe('endpoints of stable, while visitors are on it', () => {
  test('lost, it is said at once and once; everyone stays, a rollback is refused, and widening goes on', () => {
    const world = started();
    world.setReady('v1', false);
    world.pass(MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.events.filter(({ reason }) => reason === 'StableLost')).toEqual([
      expect.objectContaining({
        type: 'Warning',
        message:
          'v1 has no ready endpoints: visitors on it get errors, and no rollback is possible until they return (no endpoint accepts connections)',
      }),
    ]);
    expect(world.message).toContain('; v1 has no ready endpoints: visitors on it get errors, and no rollback is possible');
    expect(reasonOf(world, 'Reconciling')).toBe('StableLost');
    world.ask('rollback');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused' });
    world.pass(9 * MINUTE);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('lost at 100 %, nobody gets errors, but there is no way back', () => {
    const world = started(specOf({ steps: [{ weight: 100, hold: '10m' }] }));
    world.setReady('v1', false);
    expect(world.events.at(-1)?.message).toBe(
      'v1 has no ready endpoints: no rollback is possible until they return (no endpoint accepts connections)',
    );
  });

  test('back again, that is said too, and nothing of it is left', () => {
    const world = started();
    world.setReady('v1', false);
    world.setReady('v1', true);
    expect(world.events.at(-1)).toMatchObject({ reason: 'StableFound', message: 'v1 has ready endpoints again' });
    expect(world.status?.stableLostSince).toBeUndefined();
    expect(reasonOf(world, 'Reconciling')).toBe('Progressing');
  });

  test('not known is not lost, and after the release it is nobody’s business', () => {
    const world = started(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    world.setReady('v1', undefined);
    expect(world.status?.stableLostSince).toBeUndefined();
    world.setReady('v1', false);
    world.pass(MINUTE);
    world.serve();
    expect(world.phase).toBe('Succeeded');
    expect(world.status?.stableLostSince).toBeUndefined();
    expect(world.events.map(({ reason }) => reason)).not.toContain('StableFound');
    expect(world.message).toBe('v2 is the live version');
  });
});
