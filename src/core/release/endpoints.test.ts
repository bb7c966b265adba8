import { describe, expect, test } from 'vitest';
import { MINUTE, specOf, started } from './release-world.cases.ts';

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
    expect(world.status?.history[0]).toMatchObject({ outcome: 'RolledBack', reason: 'v2 had no ready endpoints for 30 s' });
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
