import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, specOf, started, subset, without } from './release-world.cases.ts';

const v1 = subset('v1');
const v2 = subset('v2');
const v3 = subset('v3');
const toV3 = specOf({ canary: v3 });

describe('another canary, in the middle of a release', () => {
  test('takes everyone back to stable; the new release starts once the data plane serves that, and not before', () => {
    const world = started();
    world.edit(toV3);
    expect(world.place).toBe('Superseded 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
    expect(world.status).toMatchObject({ liveVersion: v1, cutoff: 0 });
    expect(world.message).toBe('superseded by v3: everyone goes back to v1; waiting for the routes to be served; then v3 starts');
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Superseded 0 %');

    world.serve();
    expect(world.place).toBe('Progressing 10 %');
    expect(world.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
    expect(world.status?.started).toBe(2);
    expect(world.status?.rollback).toBeUndefined();
    expect(world.status?.history).toEqual([
      {
        stable: v1,
        canary: v2,
        startedAt: '2026-11-22T10:00:00.000Z',
        endedAt: '2026-11-22T11:00:00.000Z',
        outcome: 'Superseded',
        reason: 'superseded by v3',
      },
    ]);
    expect(world.events.map(({ reason }) => reason).slice(-4)).toEqual(['Superseding', 'Superseded', 'Started', 'StepStarted']);
  });

  test.each([
    ['a new revision of the same pair', specOf({ revision: 8 }), 'superseded by revision 8', v2],
    ['the live version itself, which releases nothing', without(specOf({ canary: v1 }), 'stable'), 'superseded by v1', v1],
  ])('or %s', (_, spec, reason, wanted) => {
    const world = started();
    world.ask('pause');
    world.edit(spec);
    world.serve();
    expect(world.status?.history[0]).toMatchObject({ outcome: 'Superseded', reason });
    expect(world.status?.canary).toEqual(wanted);
    expect(world.phase).toBe(wanted === v1 ? 'Succeeded' : 'Progressing');
  });

  test('also by another stable, which then waits: the live version is what a release starts from', () => {
    const world = started();
    world.edit(specOf({ stable: v2, canary: v3 }));
    world.serve();
    expect(world.message).toContain('spec.stable is v2, but v1 is live');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
  });

  test('another stable alone is another release; one that is named only later, or no longer, is not', () => {
    const other = started();
    other.edit(specOf({ stable: v3 }));
    expect(other.phase).toBe('Superseded');
    expect(other.message).toMatch(/^superseded by the release from v3: /);
    const unnamed = started();
    unnamed.edit(without(specOf(), 'stable'));
    expect(unnamed.place).toBe('Progressing 10 %');
    const named = new ReleaseWorld(without(specOf(), 'stable'));
    named.baseVersion = v2;
    named.look();
    named.edit(specOf());
    expect(named.place).toBe('Succeeded 100 %');
  });

  test('the last writer wins, and the former pair is a new release when it is asked for again meanwhile', () => {
    const world = started();
    const { offset } = world.status ?? {};
    world.edit(toV3);
    world.edit(specOf());
    expect(world.phase).toBe('Superseded');
    world.serve();
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status).toMatchObject({ canary: v2, started: 2 });
    expect(world.status?.offset).not.toBe(offset);
  });

  test('waits for what it needs with everyone on stable', () => {
    const world = started();
    world.ready.set('v3', false);
    world.edit(toV3);
    world.serve();
    expect(world.place).toBe('Pending 0 %');
    expect(world.message).toBe('waiting: v3 is not ready: no endpoint accepts connections');
    world.setReady('v3', true);
    expect(world.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
  });

  test('stays where it is while stable could not take everyone: nothing widens, and that is said', () => {
    const world = started();
    world.ready.set('v1', false);
    world.edit(toV3);
    world.pass(60 * MINUTE);
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain('superseded by v3 once v1 is ready: no endpoint accepts connections');
    expect(world.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Reconciling', status: 'True', reason: 'StableLost' }));
    world.ask('promote');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('superseded by v3') });
    world.edit(specOf());
    expect(world.place).toBe('Progressing 50 %');

    world.edit(toV3);
    world.setReady('v1', true);
    expect(world.place).toBe('Superseded 0 %');
  });

  test('a release that completes does so first: it is the live version already', () => {
    const world = started(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    world.pass(MINUTE);
    world.edit(without(toV3, 'stable'));
    expect(world.phase).toBe('Completing');
    world.serve();
    expect(world.routes).toMatchObject({ kind: 'split', stable: v2, canary: v3 });
    expect(world.status?.history.map(({ outcome }) => outcome)).toEqual(['Succeeded']);
  });

  test('a rollback goes on to its end, and is what history says', () => {
    const world = started();
    world.ask('rollback');
    world.edit(toV3);
    expect(world.phase).toBe('RollingBack');
    world.serve();
    expect(world.routes).toMatchObject({ kind: 'split', stable: v1, canary: v3 });
    expect(world.status?.history.map(({ outcome }) => outcome)).toEqual(['RolledBack']);
  });

  test('requests are refused meanwhile, a rollback too: everyone goes back already', () => {
    const world = started();
    world.edit(toV3);
    world.ask('rollback');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('goes back already') });
    world.ask('promote', 'ada', true);
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('is superseded') });
    expect(world.place).toBe('Superseded 0 %');
  });

  test('a restart in between changes nothing', () => {
    const world = started();
    world.edit(toV3);
    world.restart(30 * MINUTE);
    expect(world.place).toBe('Superseded 0 %');
    world.serve();
    expect(world.status).toMatchObject({ phase: 'Progressing', canary: v3, started: 2 });
  });

  test('the cookie of a canary that pins its visitors only is still expired, and remembered', () => {
    const canaryOnly = specOf({ affinity: { mode: 'canaryOnly' } });
    const world = started(canaryOnly);
    const cookie = world.status?.canaryCookie;
    expect(cookie).toBeDefined();
    world.ready.set('v3', false);
    world.edit({ ...canaryOnly, canary: v3 });
    expect(world.routes).toEqual({ kind: 'settled', live: v1, expires: cookie });
    world.serve();
    expect(world.phase).toBe('Pending');
    expect(world.routes).toEqual({ kind: 'settled', live: v1, expires: cookie });
    expect(world.status?.history[0]?.canaryCookie).toEqual(cookie);
    world.setReady('v3', true);
    expect(world.routes).toMatchObject({ kind: 'draw', canary: v3 });
    expect(world.status?.canaryCookie).not.toEqual(cookie);
  });

  test('under deletion it goes no further, and stable is what stays', () => {
    const world = new ReleaseWorld();
    world.look();
    world.edit(toV3);
    world.deletion = true;
    world.serve();
    expect(world.phase).toBe('Superseded');
    expect(world.routes).toEqual({ kind: 'settled', live: v1 });
  });
});
