import { describe, expect, test } from 'vitest';
import { cutoffOf } from '../visitor/bucket.ts';
import { MINUTE, ReleaseWorld, specOf, subset, without } from './release-world.cases.ts';

const v1 = subset('v1');
const v2 = subset('v2');
const v3 = subset('v3');

/** A world whose release has confirmed its first step. */
function started(spec = specOf()): ReleaseWorld {
  const world = new ReleaseWorld(spec);
  world.look();
  world.serve();
  return world;
}

/** A world whose release has succeeded. */
function succeeded(spec = specOf({ steps: [{ weight: 100, hold: '1m' }] })): ReleaseWorld {
  const world = started(spec);
  world.pass(MINUTE);
  world.serve();
  expect(world.place).toBe('Succeeded 100 %');
  return world;
}

/** A world whose release was rolled back by request. */
function rolledBack(spec = specOf()): ReleaseWorld {
  const world = started(spec);
  world.ask('rollback');
  world.serve();
  expect(world.phase).toBe('RolledBack');
  return world;
}

describe('a release from beginning to end', () => {
  test('each hold begins when its routes are served; manual holds wait for a promotion; the canary ends as the live version', () => {
    const world = new ReleaseWorld();
    world.look();
    expect(world.place).toBe('Progressing 10 %');
    expect(world.routes).toEqual({ kind: 'split', stable: v1, canary: v2, cutoff: cutoffOf(10), offset: world.status?.offset });
    expect(world.status).toMatchObject({ step: 0, started: 1, liveVersion: v1, stable: v1, canary: v2 });
    expect(world.status?.stepStartedAt).toBeUndefined();

    world.pass(60 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toBe('step 1 of 3: 10 % of visitors on v2, waiting for the routes to be served');

    world.serve();
    expect(world.status?.holdUntil).toBe('2026-11-22T11:10:00.000Z');
    expect(world.wakeAt).toBe(world.now + 10 * MINUTE);
    world.pass(10 * MINUTE - 1);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 50 %');

    world.serve();
    expect(world.place).toBe('Paused 50 %');
    expect(world.message).toContain('manual hold: promote to go on');
    world.pass(7 * 24 * 60 * MINUTE);
    expect(world.place).toBe('Paused 50 %');
    expect(world.wakeAt).toBeUndefined();

    world.ask('promote');
    expect(world.place).toBe('Progressing 100 %');
    world.serve();
    world.pass(10 * MINUTE);
    expect(world.place).toBe('Completing 100 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
    world.serve();
    expect(world.place).toBe('Succeeded 100 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
    expect(world.status?.history).toEqual([
      { stable: v1, canary: v2, startedAt: '2026-11-22T10:00:00.000Z', endedAt: new Date(world.now).toISOString(), outcome: 'Succeeded' },
    ]);
    expect(world.events.map(({ reason }) => reason)).toEqual([
      'Started',
      'StepStarted',
      'StepConfirmed',
      'StepStarted',
      'StepConfirmed',
      'Paused',
      'StepStarted',
      'StepConfirmed',
      'Completing',
      'Succeeded',
    ]);
  });

  test('the draw is fixed at the start: a later revision in the spec does not redraw visitors', () => {
    const world = started(specOf({ revision: 4 }));
    const { offset } = world.status ?? {};
    world.edit(specOf({ revision: 5 }));
    expect(world.routes).toMatchObject({ kind: 'split', offset });
  });

  test('neighbouring releases draw independently', () => {
    const world = succeeded();
    const first = world.status?.offset;
    world.edit(specOf({ stable: v2, canary: v3 }));
    expect(world.phase).toBe('Progressing');
    expect(world.status?.offset).not.toBe(first);
    expect(world.status?.started).toBe(2);
  });
});

describe('Pending waits, and says for what', () => {
  test.each([
    ['the canary’s endpoints', (world: ReleaseWorld) => world.ready.set('v2', false), 'v2 is not ready: no endpoint accepts connections'],
    ['readiness that is not known yet', (world: ReleaseWorld) => world.ready.set('v1', undefined), 'not known yet whether v1 is ready'],
    ['a route', (world: ReleaseWorld) => (world.problems = ['no VirtualService reviews']), 'no VirtualService reviews'],
    ['the version before', (world: ReleaseWorld) => (world.spec = without(specOf(), 'stable')), 'spec.stable is missing'],
  ])('for %s; traffic is untouched', (_, arrange, message) => {
    const world = new ReleaseWorld();
    arrange(world);
    world.look();
    expect(world.place).toBe('Pending 0 %');
    expect(world.message).toContain(message);
    expect(world.routes).toBeUndefined();
  });

  test('all that is missing is named at once', () => {
    const world = new ReleaseWorld();
    world.problems = ['no VirtualService reviews', 'no subset v2'];
    world.ready.set('v1', undefined);
    world.ready.set('v2', false);
    world.look();
    expect(world.message).toBe(
      'waiting: no VirtualService reviews; no subset v2; not known yet whether v1 is ready; v2 is not ready: no endpoint accepts connections',
    );
  });

  test('it starts by itself once nothing is missing', () => {
    const world = new ReleaseWorld();
    world.ready.set('v2', false);
    world.look();
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('a stable that is not the live version is a mistake, and the live version stays', () => {
    const world = succeeded();
    world.edit(specOf({ stable: v1, canary: v3 }));
    expect(world.phase).toBe('Pending');
    expect(world.message).toContain('spec.stable is v1, but v2 is live');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
  });

  test('from the second release on stable may be left out', () => {
    const world = succeeded();
    world.edit(without(specOf({ canary: v3 }), 'stable'));
    expect(world.routes).toMatchObject({ kind: 'split', stable: v2, canary: v3 });
  });

  test('requests are refused with the reason', () => {
    const world = new ReleaseWorld();
    world.ready.set('v2', false);
    world.look();
    world.ask('rollback');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('nothing to roll back') });
  });
});

describe('traffic never moves backwards by accident', () => {
  test('without status, a base that is at the canary already is a release that succeeded', () => {
    const world = new ReleaseWorld();
    world.baseVersion = v2;
    world.look();
    expect(world.place).toBe('Succeeded 100 %');
    expect(world.status).toMatchObject({ started: 0, history: [], liveVersion: v2 });
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
  });

  test('without status, a stable without endpoints beside a ready canary is one too, after the grace', () => {
    const world = new ReleaseWorld();
    world.ready.set('v1', false);
    world.look();
    expect(world.phase).toBe('Pending');
    expect(world.wakeAt).toBe(world.now + 30_000);
    world.pass(29_999);
    expect(world.phase).toBe('Pending');
    world.pass(1);
    expect(world.place).toBe('Succeeded 100 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
  });

  test('a stable that only came up a moment later than the canary is released from, as asked', () => {
    const world = new ReleaseWorld();
    world.ready.set('v1', false);
    world.look();
    world.pass(20_000);
    world.setReady('v1', true);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.stableLostSince).toBeUndefined();
  });

  test('a succeeded release stays so when its old stable is gone, and when its spec is applied again', () => {
    const world = succeeded();
    world.setReady('v1', false);
    world.edit({ ...world.spec });
    world.restart();
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Succeeded 100 %');
    expect(world.status?.started).toBe(1);
  });

  test('asking for what is live already releases nothing', () => {
    const world = rolledBack();
    world.edit(without(specOf({ canary: v1 }), 'stable'));
    expect(world.phase).toBe('Succeeded');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
    expect(world.status?.started).toBe(1);
  });

  test('under deletion nothing moves, and what is live is what stays', () => {
    const world = succeeded();
    world.edit(specOf({ stable: v2, canary: v3 }));
    world.deletion = true;
    world.serve();
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
    expect(world.wakeAt).toBeUndefined();
    world.ask('promote');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: 'the release is being deleted' });
  });

  test('a release deleted before it started leaves the base alone', () => {
    const world = new ReleaseWorld();
    world.problems = ['no VirtualService reviews'];
    world.look();
    world.deletion = true;
    expect(world.look().routes).toBeUndefined();
  });
});

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
  });

  test('a request is handled once, by its id', () => {
    const world = started(specOf({ steps: [10, 20, 30, 100].map((weight) => ({ weight, hold: '10m' })) }));
    world.ask('promote');
    world.look();
    world.serve();
    world.restart();
    expect(world.place).toBe('Progressing 20 %');
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
    expect(world.message).toBe('v1 is the live version; v2 was rolled back: requested');
  });
});

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

describe('the spec changes during a release', () => {
  test('a new canary is refused: roll back or finish first; afterwards it starts by itself', () => {
    const world = started();
    world.edit(specOf({ canary: v3 }));
    expect(world.routes).toMatchObject({ kind: 'split', canary: v2 });
    expect(world.message).toContain('the spec asks for v3: roll back or finish first');
    world.ask('rollback');
    world.serve();
    expect(world.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
  });

  test('while a new canary is refused, the endpoints that count are those of the release under way', () => {
    const world = started();
    world.edit(specOf({ canary: v3 }));
    world.setReady('v2', false);
    world.pass(30_000);
    expect(world.phase).toBe('RollingBack');
  });

  test('a new canary that waited for the end of a release is looked at before it starts: the old pair says nothing about it', () => {
    const world = started();
    world.ready.set('v3', false);
    world.edit(specOf({ canary: v3 }));
    world.ask('rollback');
    world.serve();
    expect(world.place).toBe('Pending 0 %');
    expect(world.message).toBe('waiting: v3 is not ready: no endpoint accepts connections');
    expect(world.wakeAt).toBeUndefined();
    world.setReady('v3', true);
    expect(world.routes).toMatchObject({ kind: 'split', canary: v3 });
  });

  const ramp = (...weights: number[]) => specOf({ steps: weights.map((weight) => ({ weight, hold: '10m' as const })) });

  test('steps are renumbered around the weight that is served, and its hold goes on', () => {
    const world = started(ramp(10, 50, 100));
    world.pass(4 * MINUTE);
    world.edit(ramp(1, 5, 10, 100));
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.step).toBe(2);
    world.pass(6 * MINUTE - 1);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 100 %');
  });

  test('when the weight is gone, the release goes on at the next larger one, never back', () => {
    const world = started(ramp(20, 50, 100));
    world.edit(ramp(10, 30, 100));
    expect(world.place).toBe('Progressing 30 %');
    expect(world.status?.step).toBe(1);
  });

  test('also that waits for the canary to be ready, and for a pause to end', () => {
    const world = started(ramp(20, 50, 100));
    world.ask('pause');
    world.edit(ramp(10, 30, 100));
    expect(world.place).toBe('Paused 20 %');
    world.ready.set('v2', undefined);
    world.ask('resume');
    expect(world.place).toBe('Progressing 20 %');
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 30 %');
  });

  test('a hold that is made manual stops the release there', () => {
    const world = started(ramp(10, 100));
    world.edit(
      specOf({
        steps: [
          { weight: 10, hold: 'manual' },
          { weight: 100, hold: '10m' },
        ],
      }),
    );
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Paused 10 %');
  });

  test('what cannot be woven any more does not widen', () => {
    const world = started();
    world.problems = ['VirtualService reviews is gone'];
    world.pass(20 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain('not widened: VirtualService reviews is gone');
  });
});

describe('clocks and restarts', () => {
  test('a hold that ended while Perch was down is over, once the routes are served again', () => {
    const world = started();
    world.now += 60 * MINUTE;
    world.restart();
    expect(world.place).toBe('Progressing 10 %');
    world.serve();
    expect(world.place).toBe('Progressing 50 %');
  });

  test('a clock that was set back lengthens a hold, and never shortens it', () => {
    const world = started();
    world.pass(5 * MINUTE);
    world.restart(60 * MINUTE);
    world.serve();
    world.pass(64 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(MINUTE);
    expect(world.place).toBe('Progressing 50 %');
  });

  test('a clock with fractions of a ms, as monotonic ones have, shortens no hold', () => {
    const world = new ReleaseWorld();
    world.now += 0.7;
    world.look();
    world.serve();
    world.pass(10 * MINUTE - 0.5);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 50 %');
  });
});

describe('history', () => {
  test('remembers ten releases, newest first', () => {
    const world = new ReleaseWorld();
    for (let revision = 1; revision <= 12; revision++) {
      world.edit(specOf({ revision }));
      world.serve();
      world.ask('rollback');
      world.serve();
    }
    expect(world.status?.history.map(({ revision }) => revision)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  });
});

describe('conditions, as kstatus reads them', () => {
  const conditionsOf = (world: ReleaseWorld) =>
    Object.fromEntries((world.status?.conditions ?? []).map(({ type, status }) => [type, status]));

  test.each([
    ['Progressing', () => started(), { Ready: 'False', Reconciling: 'True', Stalled: 'False' }],
    ['Succeeded', () => succeeded(), { Ready: 'True', Reconciling: 'False', Stalled: 'False' }],
    ['RolledBack', () => rolledBack(), { Ready: 'False', Reconciling: 'False', Stalled: 'True' }],
  ])('%s', (phase, arrange, expected) => {
    const world = arrange();
    expect(world.phase).toBe(phase);
    expect(conditionsOf(world)).toEqual(expected);
  });

  test('their time changes only when their status does; observedGeneration follows the spec', () => {
    const world = started();
    const before = world.status?.conditions;
    world.pass(MINUTE);
    world.edit(specOf({ cache: 'private' }));
    expect(world.status?.conditions).toEqual(before);
    expect(world.status?.observedGeneration).toBe(2);
    world.ask('rollback');
    world.serve();
    const stalled = world.status?.conditions.find(({ type }) => type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', lastTransitionTime: new Date(world.now).toISOString() });
  });
});
