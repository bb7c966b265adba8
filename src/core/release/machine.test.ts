import { describe, expect, test } from 'vitest';
import { cutoffOf } from '../visitor/bucket.ts';
import { MINUTE, ReleaseWorld, rolledBack, specOf, started, subset, succeeded, without } from './release-world.cases.ts';

const v1 = subset('v1');
const v2 = subset('v2');
const v3 = subset('v3');

describe('a release from beginning to end', () => {
  test('each hold begins when its routes are served; manual holds wait for a promotion; the canary ends as the live version', () => {
    const world = new ReleaseWorld();
    world.look();
    expect(world.place).toBe('Progressing 10 %');
    expect(world.routes).toEqual({ kind: 'split', stable: v1, canary: v2, cutoff: cutoffOf(10), offset: world.status?.offset, started: 1 });
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

  test('the draw is fixed at the start: another cohort in the spec does not redraw visitors', () => {
    const world = started(specOf({ cohort: 1 }));
    const { offset } = world.status ?? {};
    world.edit(specOf({ cohort: 2 }));
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
    expect(world.status?.step).toBe(-1);
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

  test('the same pair once more, with its old stable named, is such a mistake too; without it there is nothing to release', () => {
    const world = succeeded();
    world.edit(specOf({ revision: 2 }));
    expect(world.place).toBe('Pending 0 %');
    expect(world.status?.step).toBe(-1);
    expect(world.message).toBe('waiting: spec.stable is v1, but v2 is live: write v2, or leave spec.stable out');
    world.edit(without(specOf({ revision: 2 }), 'stable'));
    expect(world.place).toBe('Succeeded 100 %');
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

  test.each([
    ['routes cannot be woven', (world: ReleaseWorld) => (world.problems = ['no VirtualService reviews'])],
    ['the canary has no endpoints either', (world: ReleaseWorld) => world.ready.set('v2', false)],
    ['nothing is known of the canary', (world: ReleaseWorld) => world.ready.set('v2', undefined)],
    ['nothing is known of stable', (world: ReleaseWorld) => world.ready.set('v1', undefined)],
  ])('but not while %s: then it waits', (_, arrange) => {
    const world = new ReleaseWorld();
    world.ready.set('v1', false);
    arrange(world);
    world.look();
    expect([world.status?.stableLostSince, world.wakeAt]).toEqual([undefined, undefined]);
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Pending 0 %');
  });

  test('nor where another version is live: it stays, whatever stable has', () => {
    const world = rolledBack();
    world.ready.set('v1', false);
    world.edit(specOf({ canary: v3 }));
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Pending 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
  });

  test('a stable that was there in between has its whole grace again', () => {
    const world = new ReleaseWorld();
    world.ready.set('v1', false);
    world.look();
    world.pass(20_000);
    world.ready.set('v2', undefined);
    world.setReady('v1', true);
    world.ready.set('v2', true);
    world.setReady('v1', false);
    world.pass(29_999);
    expect(world.place).toBe('Pending 0 %');
    world.pass(1);
    expect(world.place).toBe('Succeeded 100 %');
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

describe('the spec changes during a release', () => {
  test('a new canary that waited for the end of a release is looked at before it starts: the old pair says nothing about it', () => {
    const world = started();
    world.ready.set('v3', false);
    world.ask('rollback');
    world.edit(specOf({ canary: v3 }));
    expect(world.message).toContain('; then v3 starts');
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

  test('also while the release is paused, and a weight that is gone leaves the release where it is', () => {
    const world = started(ramp(10, 50, 100));
    world.pass(10 * MINUTE);
    world.serve();
    world.ask('pause');
    world.edit(ramp(50, 100));
    expect([world.place, world.status?.step]).toEqual(['Paused 50 %', 0]);
    world.edit(ramp(1, 2, 50, 100));
    expect([world.place, world.status?.step]).toEqual(['Paused 50 %', 2]);
    world.edit(ramp(60, 100));
    expect([world.place, world.status?.step]).toEqual(['Paused 50 %', 2]);
  });

  test('a step that goes while it is paused, and was never served, has no hold to keep', () => {
    const world = new ReleaseWorld(ramp(10, 100));
    world.look();
    world.ask('pause');
    world.edit(ramp(60, 100));
    world.serve();
    expect(world.place).toBe('Paused 10 %');
    expect(world.status?.stepStartedAt).toBe('2026-11-22T10:00:00.000Z');
    expect(world.status?.holdRemainingMs).toBeUndefined();
  });

  test('a step that picks and is taken out leads to the first weight, wherever it stood', () => {
    const match = [{ headers: { 'x-team': { exact: 'qa' } } }];
    const pick = { weight: 0, match, hold: '1m' as const };
    const picking = started(specOf({ steps: [pick, pick, ...ramp(10, 100).steps] }));
    picking.pass(MINUTE);
    picking.serve();
    expect([picking.place, picking.status?.step]).toEqual(['Progressing 0 %', 1]);
    picking.edit(ramp(100));
    expect([picking.place, picking.status?.step]).toEqual(['Progressing 100 %', 0]);
    const replaced = started(specOf({ steps: [pick, ...ramp(100).steps] }));
    replaced.edit(ramp(10, 100));
    expect([replaced.place, replaced.status?.step]).toEqual(['Progressing 10 %', 0]);
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

test('a step that picks is told as one, not as 0 %', () => {
  const steps = [{ weight: 0, match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: 'manual' }, ...specOf().steps];
  const world = new ReleaseWorld(specOf({ steps }));
  world.look();
  world.serve();
  const place = 'step 1 (those picked by header x-team)';
  expect(world.events.map(({ message }) => message).slice(-2)).toEqual([`${place} is served`, `manual hold at ${place}: promote to go on`]);
  world.ask('promote');
  expect(world.status?.lastRequest?.message).toBe(`promoted from ${place} to 10 %`);
  expect(world.routes).toMatchObject({ kind: 'split', cutoff: cutoffOf(10) });
});
