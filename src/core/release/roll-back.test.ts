import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, rolledBack, specOf, subset, succeeded, without } from './release-world.cases.ts';

const v1 = subset('v1');
const v2 = subset('v2');
const v3 = subset('v3');

describe('a rollback of a release that has succeeded', () => {
  test('takes everyone back to the version before, and history has both ends', () => {
    const world = succeeded();
    world.pass(60 * MINUTE);
    world.ask('rollback');
    expect(world.place).toBe('RollingBack 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
    expect(world.status?.rollback).toEqual({ reason: 'requested', weight: 100, by: 'ada' });
    world.serve();
    expect(world.place).toBe('RolledBack 0 %');
    expect(world.status).toMatchObject({ liveVersion: v1, lastRequest: { outcome: 'done', message: 'rolling back to v1' } });
    expect(world.status?.history.map(({ outcome, by, canary }) => [outcome, by, canary])).toEqual([
      ['RolledBack', 'ada', v2],
      ['Succeeded', undefined, v2],
    ]);
    world.restart();
    world.pass(60 * MINUTE);
    expect(world.phase).toBe('RolledBack');
  });

  test('can be retried, and followed by another release', () => {
    const again = succeeded();
    again.ask('rollback');
    again.serve();
    again.ask('retry');
    expect(again.routes).toMatchObject({ kind: 'split', stable: v1, canary: v2 });
    const next = succeeded();
    next.ask('rollback');
    next.serve();
    next.edit(specOf({ canary: v3 }));
    expect(next.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
  });

  test('is refused where the version before has no endpoints, or is not known: everyone stays', () => {
    const gone = succeeded();
    gone.setReady('v1', false);
    gone.ask('rollback');
    expect(gone.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('v1 has no ready endpoints') });
    const unknown = new ReleaseWorld(without(specOf(), 'stable'));
    unknown.baseVersion = v2;
    unknown.look();
    unknown.ask('rollback');
    expect(unknown.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('no version before') });
    for (const world of [gone, unknown]) {
      expect(world.place).toBe('Succeeded 100 %');
      expect(world.routes).toEqual({ kind: 'settled', live: v2 });
    }
  });

  test('waits until it is known whether the version before is ready, also when the spec names another one', () => {
    const world = succeeded();
    world.ready.set('v1', undefined);
    world.ready.set('v3', false);
    world.edit(without(specOf({ canary: v3 }), 'stable'));
    expect(world.phase).toBe('Pending');
    world.ask('rollback');
    world.setReady('v3', true);
    expect(world.place).toBe('Pending 0 %');
    expect(world.message).toContain('a rollback is asked for');
    expect(world.status?.lastRequest).toBeUndefined();
    world.setReady('v1', true);
    expect(world.place).toBe('RollingBack 0 %');
    expect(world.status?.rollback?.weight).toBe(100);
    world.serve();
    expect(world.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
    expect(world.status?.history.map(({ outcome }) => outcome)).toEqual(['RolledBack', 'Succeeded']);
  });

  test('also when the spec asks for what is live by then: the version to go back to is not forgotten meanwhile', () => {
    const world = succeeded();
    world.ready.set('v1', undefined);
    world.ready.set('v3', false);
    world.edit(without(specOf({ canary: v3 }), 'stable'));
    world.ask('rollback');
    world.edit(without(specOf({ canary: v2, revision: 2 }), 'stable'));
    expect(world.phase).toBe('Pending');
    world.setReady('v1', true);
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
  });

  test('one that is refused lets the release that waits begin', () => {
    const world = succeeded();
    world.ready.set('v1', false);
    world.ready.set('v3', false);
    world.edit(without(specOf({ canary: v3 }), 'stable'));
    world.ask('rollback');
    expect(world.status?.lastRequest?.outcome).toBe('refused');
    world.setReady('v3', true);
    expect(world.routes).toMatchObject({ kind: 'split', stable: v2, canary: v3 });
  });

  test('goes back no further than one version', () => {
    const world = rolledBack();
    world.ready.set('v3', false);
    world.edit(specOf({ canary: v3 }));
    expect(world.phase).toBe('Pending');
    world.ask('rollback');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('nothing to roll back') });
  });
});
