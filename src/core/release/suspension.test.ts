import { describe, expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, rolledBack, specOf, started, subset, succeeded } from './release-world.cases.ts';

const suspended = specOf({ suspend: true });
const reconciling = (world: ReleaseWorld) => world.status?.conditions.find(({ type }) => type === 'Reconciling');

describe('spec.suspend', () => {
  test('stops the hold, and it goes on where it was, to the ms', () => {
    const world = started();
    world.pass(4 * MINUTE + 1);
    world.edit(suspended);
    expect(world.status).toMatchObject({ phase: 'Progressing', weight: 10, suspended: true, holdRemainingMs: 6 * MINUTE - 1 });
    expect(world.status?.holdUntil).toBeUndefined();
    expect(world.wakeAt).toBeUndefined();
    expect(world.message).toBe('step 1 of 3: 10 % of visitors on v2, 5m59s999ms of its hold left; suspended: nothing starts or widens');
    expect(reconciling(world)).toMatchObject({ status: 'True', reason: 'Suspended' });
    world.pass(7 * 24 * 60 * MINUTE);
    world.restart(60 * MINUTE);
    world.serve();
    expect(world.place).toBe('Progressing 10 %');

    world.edit(specOf());
    expect(world.status?.suspended).toBeUndefined();
    expect(world.wakeAt).toBe(world.now + 6 * MINUTE - 1);
    world.pass(6 * MINUTE - 2);
    expect(world.place).toBe('Progressing 10 %');
    world.pass(1);
    expect(world.place).toBe('Progressing 50 %');
    expect(world.events.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Suspended', 'SuspensionEnded']));
  });

  test('a step that is served meanwhile keeps its whole hold', () => {
    const world = new ReleaseWorld();
    world.look();
    world.edit(suspended);
    world.serve();
    world.pass(60 * MINUTE);
    expect(world.status?.holdRemainingMs).toBe(10 * MINUTE);
    world.edit(specOf());
    world.pass(10 * MINUTE - 1);
    expect(world.place).toBe('Progressing 10 %');
  });

  test('what someone paused stays paused, with what was left', () => {
    const world = started();
    world.pass(4 * MINUTE);
    world.ask('pause');
    world.edit(suspended);
    world.edit(specOf());
    expect(world.status).toMatchObject({ phase: 'Paused', pausedBy: 'request', holdRemainingMs: 6 * MINUTE });
    world.edit(suspended);
    world.ask('resume');
    expect(world.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('suspended') });
    world.edit(specOf());
    world.ask('resume');
    expect(world.wakeAt).toBe(world.now + 6 * MINUTE);
  });

  test('one may pause meanwhile', () => {
    const world = started();
    world.pass(4 * MINUTE);
    world.edit(suspended);
    world.ask('pause');
    world.edit(specOf());
    expect(world.status).toMatchObject({ phase: 'Paused', holdRemainingMs: 6 * MINUTE });
  });

  test('promote, resume and retry are refused with the reason', () => {
    const progressing = started();
    progressing.edit(suspended);
    for (const full of [false, true]) {
      progressing.ask('promote', 'ada', full);
      expect(progressing.status?.lastRequest).toMatchObject({
        outcome: 'refused',
        message: 'the release is suspended: take spec.suspend away first',
      });
    }
    const ended = rolledBack();
    ended.edit(suspended);
    ended.ask('retry');
    expect(ended.status?.lastRequest).toMatchObject({ outcome: 'refused', message: expect.stringContaining('spec.suspend') });
    expect([progressing.place, ended.place]).toEqual(['Progressing 10 %', 'RolledBack 0 %']);
  });

  test('a rollback still happens, on request and where the canary is lost', () => {
    const asked = started();
    asked.edit(suspended);
    asked.ask('rollback');
    const lost = started();
    lost.edit(suspended);
    lost.setReady('v2', false);
    expect(lost.wakeAt).toBe(lost.now + 30_000);
    lost.pass(30_000);
    for (const world of [asked, lost]) {
      expect(world.place).toBe('RollingBack 0 %');
      world.serve();
      expect(world.place).toBe('RolledBack 0 %');
    }
  });

  test('nothing starts; what waits says so', () => {
    const first = new ReleaseWorld(suspended);
    first.look();
    expect(first.place).toBe('Pending 0 %');
    expect(first.message).toBe('waiting: spec.suspend is true: nothing starts');
    expect(reconciling(first)).toMatchObject({ status: 'True', reason: 'Suspended' });
    first.edit(specOf());
    expect(first.place).toBe('Progressing 10 %');

    const next = succeeded();
    next.edit(specOf({ suspend: true, stable: subset('v2'), canary: subset('v3') }));
    expect(next.place).toBe('Pending 0 %');
    expect(next.routes).toEqual({ kind: 'settled', live: subset('v2') });
  });

  test('nor is anything superseded: everyone stays until it is taken away', () => {
    const world = started();
    world.edit(specOf({ suspend: true, canary: subset('v3') }));
    expect(world.place).toBe('Progressing 10 %');
    expect(world.message).toContain('superseded by v3 once spec.suspend is taken away');
    world.edit(specOf({ canary: subset('v3') }));
    expect(world.place).toBe('Superseded 0 %');
  });

  test('a step that an edit takes away, or makes manual, moves nobody', () => {
    const world = started();
    world.edit(specOf({ suspend: true, steps: [{ weight: 100, hold: '1m' }] }));
    expect(world.place).toBe('Progressing 10 %');
    world.edit(specOf({ suspend: true, steps: [10, 100].map((weight) => ({ weight, hold: 'manual' as const })) }));
    expect(world.place).toBe('Paused 10 %');
    expect(world.status?.holdRemainingMs).toBeUndefined();
  });

  test('without status, a stable without endpoints is not taken for a release that had succeeded', () => {
    const world = new ReleaseWorld(suspended);
    world.ready.set('v1', false);
    world.look();
    world.pass(60_000);
    expect(world.place).toBe('Pending 0 %');
    world.edit(specOf());
    expect(world.place).toBe('Succeeded 100 %');
  });

  test('where everything is at its end it only says so', () => {
    const world = succeeded();
    world.edit({ ...world.spec, suspend: true });
    expect(world.message).toBe('v2 is the live version; suspended: nothing starts or widens');
    expect(reconciling(world)).toMatchObject({ status: 'False', reason: 'Succeeded' });
  });
});
