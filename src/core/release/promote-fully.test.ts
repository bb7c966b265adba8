import { describe, expect, test } from 'vitest';
import { MINUTE, specOf, started, subset } from './release-world.cases.ts';

describe('a promotion to the end', () => {
  test('makes the canary the live version at once, from any step; event and history say from where, and by whom', () => {
    const paused = started();
    paused.pass(MINUTE);
    paused.ask('pause');
    for (const world of [started(), paused]) {
      world.ask('promote', 'bob', true);
      expect(world.place).toBe('Completing 100 %');
      expect(world.routes).toEqual({ kind: 'settled', live: subset('v2') });
      expect(world.status).toMatchObject({
        step: 2,
        lastRequest: { action: 'promote', full: true, by: 'bob', outcome: 'done', message: 'promoted to the end from 10 %: completing' },
      });
      expect(world.events.at(-1)).toMatchObject({
        reason: 'Completing',
        message: 'promoted to the end from 10 %: everyone goes to the canary',
        by: 'bob',
      });
      world.serve();
      expect(world.place).toBe('Succeeded 100 %');
      expect(world.status?.history[0]).toMatchObject({ outcome: 'Succeeded', reason: 'promoted to the end from 10 %', by: 'bob' });
    }
  });

  test('is a widening: refused for a canary that is not ready, and for routes that cannot be woven', () => {
    const unready = started();
    unready.setReady('v2', false);
    const unwoven = started();
    unwoven.problems = ['VirtualService reviews is gone'];
    for (const world of [unready, unwoven]) {
      world.ask('promote', 'bob', true);
      expect(world.place).toBe('Progressing 10 %');
      expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('not widened') });
    }
  });

  test('can be rolled back like any end, and the next release does not remember it', () => {
    const world = started();
    world.ask('promote', 'bob', true);
    world.ask('rollback');
    world.serve();
    expect(world.place).toBe('RolledBack 0 %');
    expect(world.status?.history[0]).toMatchObject({ outcome: 'RolledBack', reason: 'requested', by: 'ada' });
    world.edit(specOf({ revision: 2 }));
    expect(world.status?.promotion).toBeUndefined();
  });

  test('there is no full pause: what makes no sense is refused, whatever the annotation says', () => {
    const world = started();
    world.ask('pause', 'bob', true);
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: 'full goes with promote, not with pause' });
    expect(world.phase).toBe('Progressing');
  });
});
