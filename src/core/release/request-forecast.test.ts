import { describe, expect, test } from 'vitest';
import { Exposure, type ExposureSummary } from '../evidence/exposure.ts';
import { sipKey } from '../evidence/sip-hash.ts';
import { forecastView } from '../view/forecast-view.ts';
import { MINUTE, type ReleaseWorld, rolledBack, specOf, started, succeeded } from './release-world.cases.ts';
import { forecastRequest } from './request-forecast.ts';
import { REQUEST_ACTIONS } from './requests.ts';
import type { RequestAction } from './status.ts';

const EMPTY = new Exposure(sipKey(new Uint8Array(16)));

function seen(total: number, canary: number, sampled = false): ExposureSummary {
  return { ...EMPTY.summary('', 10, 410), visitors: { total, canary }, sampled };
}

function forecast(world: ReleaseWorld, action: RequestAction, exposure?: ExposureSummary, full?: boolean) {
  const { spec, generation, status, deletion, now } = world;
  const release = { namespace: 'default', name: 'reviews', generation, spec };
  return forecastView.parse(
    forecastRequest({ release, status, deletion, exposure, now }, { action, ...(full === undefined ? {} : { full }) }),
  );
}

describe('a forecast of a request', () => {
  test('promotion: of those on stable a part moves, which chance decides', () => {
    // From 10 % (410 of 4096 buckets) to 50 % (2048): 1638 of the 3686 buckets that are on stable.
    expect(forecast(started(), 'promote', seen(1030, 103))).toEqual({
      ...{ action: 'promote', allowed: true },
      sentence: 'Promote to 50 %: about 412 of 1,030 visitors move from v1 to v2 with their next request',
      moves: { visitors: 412, of: 1030, to: 'canary', isEstimate: true },
    });
  });

  test('promotion to the end: everyone who is still on stable', () => {
    expect(forecast(started(), 'promote', seen(1030, 103), true)).toEqual({
      ...{ action: 'promote', full: true, allowed: true },
      sentence: 'Promote to the end: v2 becomes the live version: 927 of 1,030 visitors move from v1 to v2 with their next request',
      moves: { visitors: 927, of: 1030, to: 'canary', isEstimate: false },
    });
    const last = started(specOf({ steps: [{ weight: 100, hold: 'manual' }] }));
    expect(forecast(last, 'promote', seen(9, 9))).toEqual({
      ...{ action: 'promote', allowed: true },
      sentence: 'End the last hold: v2 becomes the live version: nobody moves',
    });
  });

  test('rollback: exactly those on the canary, unless they are counted from a sample', () => {
    expect(forecast(started(), 'rollback', seen(1030, 1))).toEqual({
      ...{ action: 'rollback', allowed: true },
      sentence: 'Roll back to v1: 1 of 1,030 visitors moves from v2 back to v1 with their next request',
      moves: { visitors: 1, of: 1030, to: 'stable', isEstimate: false },
    });
    expect(forecast(started(), 'rollback', seen(400_000, 40_000, true))).toMatchObject({
      sentence: 'Roll back to v1: about 40,000 of 400,000 visitors move from v2 back to v1 with their next request',
      moves: { isEstimate: true },
    });
    expect(forecast(succeeded(), 'rollback', seen(5, 5))).toMatchObject({ allowed: true, moves: { visitors: 5, of: 5, to: 'stable' } });
  });

  test('pause and resume move nobody; the rest of the hold is told', () => {
    const world = started();
    world.pass(2 * MINUTE);
    expect(forecast(world, 'pause', seen(10, 1))).toEqual({
      ...{ action: 'pause', allowed: true },
      sentence: 'Pause at 10 %, and let the hold stand still: nobody moves',
    });
    world.ask('pause');
    world.pass(MINUTE);
    expect(forecast(world, 'resume', seen(10, 1)).sentence).toBe('Resume at 10 %, with 8m of the hold left: nobody moves');
    // A manual hold is ended by either.
    world.ask('promote');
    world.serve();
    expect(world.place).toBe('Paused 50 %');
    expect(forecast(world, 'resume', seen(10, 5)).sentence).toBe(forecast(world, 'promote', seen(10, 5)).sentence);
  });

  test('a retry starts at the first step', () => {
    expect(forecast(rolledBack(), 'retry', seen(1000, 0))).toMatchObject({
      allowed: true,
      sentence: 'Start again at 10 %: about 100 of 1,000 visitors move from v1 to v2 with their next request',
      moves: { visitors: 100, of: 1000, to: 'canary' },
    });
  });

  test('where visitors are not counted, or none came yet, shares are told', () => {
    for (const exposure of [undefined, seen(0, 0)]) {
      expect(forecast(started(), 'promote', exposure)).toEqual({
        ...{ action: 'promote', allowed: true },
        sentence: 'Promote to 50 %: 40 % of visitors move from v1 to v2 with their next request',
      });
      expect(forecast(started(), 'rollback', exposure).sentence).toBe(
        'Roll back to v1: everyone on v2 moves from v2 back to v1 with their next request',
      );
    }
  });

  test('in mode canaryOnly draws are told: visitors cannot be counted', () => {
    const exposure = EMPTY.requestSummary('', 10);
    const world = started(specOf({ affinity: { mode: 'canaryOnly', cookie: { name: 'c', value: 'v2', maxAge: '6h' } } }));
    expect(forecast(world, 'promote', exposure)).toEqual({
      ...{ action: 'promote', allowed: true },
      sentence: 'Promote to 50 %: 50 % of draws lead to v2, and whoever holds its cookie stays',
    });
    expect(forecast(world, 'rollback', exposure).sentence).toContain('everyone on v2 moves');
  });

  test('steps that pick visitors', () => {
    const picked = { weight: 0, match: [{ headers: { 'x-team': { exact: 'a' } } }], hold: 'manual' };
    const world = started(specOf({ steps: [picked, { weight: 10, hold: '1m' }, { weight: 100, hold: '1m' }] }));
    expect(forecast(world, 'promote', seen(1000, 3)).sentence).toBe(
      'Promote to 10 %: about 100 of 1,000 visitors move from v1 to v2 with their next request',
    );
    expect(forecast(world, 'rollback', seen(1000, 3)).sentence).toBe(
      'Roll back to v1: 3 of 1,000 visitors move from v2 back to v1 with their next request',
    );
    world.ask('rollback');
    world.serve();
    expect(forecast(world, 'retry', seen(1000, 0)).sentence).toBe(
      'Start again at step 1 (those picked by header x-team): those picked move from v1 to v2 with their next request',
    );
  });

  test('what is refused comes with the reason', () => {
    expect(forecast(started(), 'resume', seen(10, 1))).toEqual({
      ...{ action: 'resume', allowed: false, sentence: 'Not now: the release is not paused' },
    });
    const suspended = started();
    suspended.edit(specOf({ suspend: true }));
    expect(forecast(suspended, 'promote', seen(10, 1))).toMatchObject({ allowed: false, sentence: expect.stringContaining('suspended') });
    const lost = started();
    lost.endpoints.set('v1', { ready: 0, total: 2 });
    lost.setReady('v1', false);
    expect(forecast(lost, 'rollback', seen(10, 1))).toMatchObject({
      allowed: false,
      sentence: expect.stringContaining('no ready endpoints'),
    });
    const { spec } = started();
    const release = { namespace: 'default', name: 'reviews', generation: 1, spec };
    const unseen = { release, status: undefined, deletion: false, exposure: undefined, now: 0 };
    for (const action of REQUEST_ACTIONS) expect(forecastRequest(unseen, { action })).toMatchObject({ action, allowed: false });
  });

  test('knows nothing of what somebody’s request of any id came to', () => {
    const world = started();
    world.request = { id: 'forecast', action: 'resume', by: 'ada' };
    world.look();
    expect(world.status?.lastRequest).toMatchObject({ id: 'forecast', outcome: 'refused' });
    expect(forecast(world, 'pause', seen(10, 1))).toMatchObject({ allowed: true });
  });

  test('is what happens: in every phase the machine does as forecast, and moves whom it said', () => {
    const asked = (action: RequestAction): ReleaseWorld => {
      const world = started();
      world.ask(action);
      return world;
    };
    const deleted = (): ReleaseWorld => {
      const world = started();
      world.deletion = true;
      return world;
    };
    for (const make of [started, () => asked('pause'), () => asked('rollback'), succeeded, rolledBack, deleted]) {
      for (const action of REQUEST_ACTIONS) {
        const world = make();
        const said = forecast(world, action, seen(4096, 0));
        const cutoff = world.status?.cutoff ?? 0;
        world.ask(action);
        expect([said.allowed, action]).toEqual([world.status?.lastRequest?.outcome === 'done', action]);
        if (said.moves?.to === 'canary') expect(said.moves.visitors).toBeGreaterThan(0);
        if (said.allowed && said.moves === undefined) expect(world.status?.cutoff ?? 0).toBe(cutoff);
      }
    }
  });
});
