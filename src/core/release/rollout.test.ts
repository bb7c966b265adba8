import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, started } from './release-world.cases.ts';

const ROLLOUT = 'Deployment default/web-v2 is rolled out, 1 of 3 replicas are available';

function rollsOut(world: ReleaseWorld, version: string, isSo: boolean): void {
  if (isSo) world.rollouts.set(version, ROLLOUT);
  else world.rollouts.delete(version);
  world.look();
}

describe('a canary that is being rolled out', () => {
  test('is waited for before a release starts, and what for is said', () => {
    const world = new ReleaseWorld();
    rollsOut(world, 'v2', true);
    expect(world.message).toBe(`waiting: ${ROLLOUT}`);
    rollsOut(world, 'v2', false);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('gets no more visitors when its hold is over; those it has stay, however long that takes', () => {
    const world = started();
    rollsOut(world, 'v2', true);
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain(`not widened: ${ROLLOUT}`);
    rollsOut(world, 'v2', false);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('is not promoted either: the request is refused with the reason', () => {
    const world = started();
    rollsOut(world, 'v2', true);
    world.ask('promote');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining(ROLLOUT) });
    expect(world.place).toBe('Progressing 10 %');
  });

  test('is rolled back all the same where it loses its last endpoint', () => {
    const world = started();
    rollsOut(world, 'v2', true);
    world.setReady('v2', false);
    world.pass(MINUTE);
    expect(world.phase).toBe('RollingBack');
  });
});

test('a stable that is being rolled out keeps nobody back', () => {
  const world = started();
  rollsOut(world, 'v1', true);
  world.pass(10 * MINUTE);
  expect(world.place).toBe('Progressing 50 %');
});
