import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, rolledBack, specOf, started, subset } from './release-world.cases.ts';

const v1 = subset('v1');
const v2 = subset('v2');
const v3 = subset('v3');

describe('requests', () => {
  test('promote ends the hold at once, and on the last step completes', () => {
    const world = started(
      specOf({
        steps: [
          { weight: 20, hold: '10m' },
          { weight: 100, hold: '10m' },
        ],
      }),
    );
    world.ask('promote');
    expect(world.place).toBe('Progressing 100 %');
    expect(world.status?.holdUntil).toBeUndefined();
    expect(world.status?.lastRequest).toMatchObject({
      action: 'promote',
      by: 'ada',
      outcome: 'done',
      message: 'promoted from 20 % to 100 %',
    });
    world.ask('promote');
    expect(world.phase).toBe('Completing');
    expect(world.status?.lastRequest?.message).toBe('the last hold has ended: completing');
  });

  test('what was asked for is told as an event, with who asked', () => {
    const world = started();
    world.ask('pause', 'grace');
    expect(world.events.at(-1)).toMatchObject({ type: 'Normal', reason: 'Paused', message: 'paused at 10 %', by: 'grace' });
    world.ask('retry', 'bob');
    const refusal = world.status?.lastRequest;
    expect(refusal).toMatchObject({ action: 'retry', by: 'bob', outcome: 'refused' });
    expect(world.events.at(-1)).toMatchObject({
      type: 'Warning',
      reason: 'RequestRefused',
      message: `retry refused: ${refusal?.message}`,
      by: 'bob',
    });
    world.ask('resume', 'ada');
    expect(world.events.at(-1)).toMatchObject({ type: 'Normal', reason: 'Resumed', message: 'resumed at 10 %', by: 'ada' });
    expect(world.status?.lastRequest?.message).toBe('resumed at 10 %');
  });

  test('a retry is told too', () => {
    const world = rolledBack();
    world.ask('retry', 'bob');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'done', message: 'the release starts again' });
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'Normal', reason: 'RetryRequested', message: 'the release starts again', by: 'bob' }),
    );
  });

  test('promote while the canary’s endpoints are not known yet waits; where there are other problems it is refused at once', () => {
    const world = started();
    world.ready.set('v2', undefined);
    world.ask('promote');
    expect(world.status?.lastRequest).toBeUndefined();
    world.problems = ['the VirtualService reviews is gone'];
    world.look();
    expect(world.status?.lastRequest).toMatchObject({ action: 'promote', outcome: 'refused' });
    expect(world.status?.lastRequest?.message).toContain('the VirtualService reviews is gone');
  });

  test('a request says in the status whether it was for all, only where that was asked', () => {
    const world = started();
    world.ask('pause');
    expect(world.status?.lastRequest).not.toHaveProperty('full');
    world.ask('promote', 'ada', true);
    expect(world.status?.lastRequest).toMatchObject({ full: true });
  });

  test('a request is handled once, by its id', () => {
    const world = started(specOf({ steps: [10, 20, 30, 100].map((weight) => ({ weight, hold: '10m' })) }));
    world.ask('promote');
    world.look();
    world.serve();
    world.restart();
    expect(world.place).toBe('Progressing 20 %');
  });

  test('also when it comes again after others: an answer that was lost does not promote twice', () => {
    const world = started(specOf({ steps: [10, 20, 30, 100].map((weight) => ({ weight, hold: '10m' })) }));
    world.ask('promote');
    const again = world.request;
    world.ask('pause');
    world.request = again;
    world.look();
    expect(world.place).toBe('Paused 20 %');
    expect(world.status?.earlierRequests?.map(({ id, action, by, at }) => [id, action, by, at])).toEqual([
      ['r1', 'promote', 'ada', '2026-11-22T10:00:00.000Z'],
    ]);
  });

  test('pause keeps the rest of the hold, resume goes on with it', () => {
    const world = started();
    world.pass(4 * MINUTE);
    world.ask('pause');
    expect(world.place).toBe('Paused 10 %');
    expect(world.status?.holdRemainingMs).toBe(6 * MINUTE);
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Paused 10 %');
    world.ask('resume');
    expect(world.wakeAt).toBe(world.now + 6 * MINUTE);
    world.pass(6 * MINUTE - 1);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('pause after the end of a hold that could not widen leaves nothing of it', () => {
    const world = started();
    world.ready.set('v2', undefined);
    world.pass(20 * MINUTE);
    world.ask('pause');
    expect(world.status?.holdRemainingMs).toBe(0);
  });

  test('a step that was paused before it was served keeps its whole hold', () => {
    const world = new ReleaseWorld();
    world.look();
    world.ask('pause');
    world.serve();
    expect(world.status?.holdRemainingMs).toBe(10 * MINUTE);
    world.ask('resume');
    world.pass(10 * MINUTE - 1);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('resume at a manual hold goes on, as promote does', () => {
    const world = started(
      specOf({
        steps: [
          { weight: 10, hold: 'manual' },
          { weight: 100, hold: '1m' },
        ],
      }),
    );
    expect(world.phase).toBe('Paused');
    world.ask('resume');
    expect(world.place).toBe('Progressing 100 %');
  });

  test('pause at a manual step that is not served yet still leads to the manual hold', () => {
    const world = new ReleaseWorld(
      specOf({
        steps: [
          { weight: 10, hold: 'manual' },
          { weight: 100, hold: '1m' },
        ],
      }),
    );
    world.look();
    world.ask('pause');
    world.serve();
    world.ask('resume');
    expect(world.place).toBe('Paused 10 %');
    expect(world.status?.pausedBy).toBe('hold');
  });

  test('rollback sends everyone to stable at once, from any step and from Completing', () => {
    const paused = started();
    paused.ask('pause');
    const completing = started(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    completing.pass(MINUTE);
    expect(completing.phase).toBe('Completing');
    for (const world of [started(), paused, completing]) {
      world.ask('rollback');
      expect(world.place).toBe('RollingBack 0 %');
      expect(world.routes).toEqual({ kind: 'settled', live: v1 });
      world.serve();
      expect(world.place).toBe('RolledBack 0 %');
      expect(world.status?.history[0]).toMatchObject({ outcome: 'RolledBack', by: 'ada', reason: 'requested' });
      world.pass(60 * MINUTE);
      expect(world.phase).toBe('RolledBack');
    }
  });

  test('rollback wins over a hold that ends at the same moment', () => {
    const world = started();
    world.now += 10 * MINUTE;
    world.ask('rollback');
    expect(world.phase).toBe('RollingBack');
  });

  test('rollback is refused with an alarm when stable could not answer: everyone stays', () => {
    const world = started();
    world.setReady('v1', false);
    const { events } = world.ask('rollback');
    expect(world.place).toBe('Progressing 10 %');
    expect(events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'RequestRefused', by: 'ada' })]);
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('v1 has no ready endpoints') });
  });

  test('a rollback asked for while stable’s readiness is not known waits, nothing widens meanwhile, and it is done when it is known', () => {
    const world = started();
    world.ready.set('v1', undefined);
    world.ask('rollback');
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.lastRequest).toBeUndefined();
    expect(world.message).toContain('a rollback is asked for');
    world.setReady('v1', true);
    expect(world.phase).toBe('RollingBack');
  });

  test('a release does not finish under a rollback that waits', () => {
    const world = started(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    world.pass(MINUTE);
    world.ready.set('v1', undefined);
    world.ask('rollback');
    world.serve();
    expect(world.phase).toBe('Completing');
    world.setReady('v1', true);
    expect(world.phase).toBe('RollingBack');
  });

  test('a promotion to a canary that is not ready is refused', () => {
    const world = started();
    world.setReady('v2', false);
    world.ask('promote');
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused' });
  });

  test('an action nobody knows is refused, whatever the annotation says', () => {
    const world = started();
    world.request = JSON.parse('{"id": "x", "action": "constructor", "by": "eve"}');
    world.look();
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('there is no request') });
    expect(world.place).toBe('Progressing 10 %');
  });

  test('retry starts the same pair anew, with another draw', () => {
    const world = rolledBack();
    const before = world.status?.offset;
    world.ask('retry');
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.started).toBe(2);
    expect(world.status?.offset).not.toBe(before);
    expect(world.status?.rollback).toBeUndefined();
  });

  test('a retry waits like any start, and is not forgotten', () => {
    const world = rolledBack();
    world.setReady('v2', false);
    world.ask('retry');
    expect(world.phase).toBe('Pending');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
    world.restart();
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 10 %');
  });
});

describe('after a rollback', () => {
  test('the same pair does not start again by itself, also when its spec is applied again', () => {
    const world = rolledBack();
    world.edit({ ...specOf(), steps: [{ weight: 100, hold: '1m' }] });
    world.restart();
    expect(world.phase).toBe('RolledBack');
  });

  test.each([
    ['a new revision', specOf({ revision: 2 })],
    ['another canary', specOf({ canary: v3 })],
  ])('%s starts a new release', (_, spec) => {
    const world = rolledBack();
    world.edit(spec);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.rollback).toBeUndefined();
  });

  test('a revision that is left out is no new one', () => {
    const world = rolledBack(specOf({ revision: 3 }));
    world.edit(specOf());
    expect(world.phase).toBe('RolledBack');
  });

  test('a base that its owner moved to the canary meanwhile is no shortcut: what is live is known, and a retry goes step by step', () => {
    const world = rolledBack();
    world.baseVersion = v2;
    world.ask('retry');
    expect(world.place).toBe('Progressing 10 %');
  });

  test('a new canary that is taken back before it started does not wake the old release', () => {
    const world = rolledBack();
    world.ready.set('v3', false);
    world.edit(specOf({ canary: v3 }));
    expect(world.phase).toBe('Pending');
    world.edit(specOf());
    expect(world.phase).toBe('RolledBack');
    expect(world.message).toBe('v1 is the live version; v2 was rolled back: requested by ada');
  });
});
