import { describe, expect, test } from 'vitest';
import { readinessSpec } from './readiness-spec.ts';
import { MINUTE, ReleaseWorld, rolledBack, specOf, started, subset, succeeded } from './release-world.cases.ts';

/** All that a world told, a line an event: time, where the release stood, ! for a warning, reason, words, who asked. */
function log(world: ReleaseWorld): readonly string[] {
  // What a store keeps of it is the same: nothing is there that JSON leaves out.
  const told = { status: world.status, routes: world.routes ?? null, events: world.events };
  expect(told).toStrictEqual(JSON.parse(JSON.stringify(told)));
  return world.events.map(({ at, type, reason, message, by, step, weight }) => {
    const place = step === undefined ? '-' : `${step} at ${weight} %`;
    return `${at.slice(11, 19)} (${place}) ${type === 'Warning' ? '!' : ''}${reason}: ${message}${by === undefined ? '' : ` <${by}>`}`;
  });
}

const twoSteps = specOf({ steps: [10, 100].map((weight) => ({ weight, hold: '10m' as const })) });

describe('what a release tells', () => {
  test('on its way to the end', () => {
    const world = started();
    world.pass(10 * MINUTE);
    world.serve();
    world.ask('promote', 'bob');
    world.serve();
    world.pass(10 * MINUTE);
    world.serve();
    expect(log(world)).toEqual([
      '10:00:00 (0 at 10 %) Started: release from v1 to v2 starts',
      '10:00:00 (0 at 10 %) StepStarted: step 1 of 3: 10 %',
      '10:00:00 (0 at 10 %) StepConfirmed: 10 % is served',
      '10:10:00 (1 at 50 %) StepStarted: step 2 of 3: 50 %',
      '10:10:00 (1 at 50 %) StepConfirmed: 50 % is served',
      '10:10:00 (1 at 50 %) Paused: manual hold at 50 %: promote to go on',
      '10:10:00 (2 at 100 %) StepStarted: step 3 of 3: 100 % <bob>',
      '10:10:00 (2 at 100 %) StepConfirmed: 100 % is served',
      '10:20:00 (2 at 100 %) Completing: all steps are done: everyone goes to the canary',
      '10:20:00 (2 at 100 %) Succeeded: v2 is the live version',
    ]);
  });

  test('when it is promoted past its steps', () => {
    const world = started();
    world.ask('promote', 'bob', true);
    world.serve();
    expect(log(world)).toEqual([
      '10:00:00 (0 at 10 %) Started: release from v1 to v2 starts',
      '10:00:00 (0 at 10 %) StepStarted: step 1 of 3: 10 %',
      '10:00:00 (0 at 10 %) StepConfirmed: 10 % is served',
      '10:00:00 (2 at 100 %) Completing: promoted to the end from 10 %: everyone goes to the canary <bob>',
      '10:00:00 (2 at 100 %) Succeeded: v2 is the live version',
    ]);
  });

  test('when it is rolled back, tried again, and superseded', () => {
    const world = rolledBack(twoSteps);
    world.ask('retry', 'bob');
    world.serve();
    world.edit({ ...twoSteps, canary: subset('v3') });
    world.serve();
    expect(log(world)).toEqual([
      '10:00:00 (0 at 10 %) Started: release from v1 to v2 starts',
      '10:00:00 (0 at 10 %) StepStarted: step 1 of 2: 10 %',
      '10:00:00 (0 at 10 %) StepConfirmed: 10 % is served',
      '10:00:00 (0 at 0 %) !RollingBack: rolling back to v1 from 10 %: requested <ada>',
      '10:00:00 (0 at 0 %) !RolledBack: everyone is on v1 <ada>',
      '10:00:00 (-) RetryRequested: the release starts again <bob>',
      '10:00:00 (0 at 10 %) Started: release from v1 to v2 starts',
      '10:00:00 (0 at 10 %) StepStarted: step 1 of 2: 10 %',
      '10:00:00 (0 at 10 %) StepConfirmed: 10 % is served',
      '10:00:00 (0 at 0 %) Superseding: superseded by v3: everyone goes back to v1 from 10 %',
      '10:00:00 (-) Superseded: superseded by v3: everyone is on v1',
      '10:00:00 (0 at 10 %) Started: release from v1 to v3 starts',
      '10:00:00 (0 at 10 %) StepStarted: step 1 of 2: 10 %',
    ]);
  });

  test('when endpoints go and come', () => {
    const world = started(specOf({ readiness: readinessSpec.parse({ onCanaryUnavailable: 'pause' }) }));
    world.setReady('v2', false);
    world.pass(30_000);
    world.setReady('v2', true);
    world.ask('resume', 'bob');
    world.setReady('v1', false);
    world.setReady('v1', true);
    world.setReady('v1', false);
    world.setReady('v2', false);
    world.pass(30_000);
    expect(log(world).slice(3)).toEqual([
      '10:00:00 (0 at 10 %) !CanaryLost: v2 has no ready endpoints (no endpoint accepts connections): paused in 30s unless they return',
      '10:00:30 (0 at 10 %) !Paused: paused at 10 %: v2 had no ready endpoints for 30s; visitors on it get errors until they return',
      '10:00:30 (0 at 10 %) CanaryFound: v2 has ready endpoints again',
      '10:00:30 (0 at 10 %) Resumed: resumed at 10 % <bob>',
      '10:00:30 (0 at 10 %) !StableLost: v1 has no ready endpoints: visitors on it get errors, and no rollback is possible until they return (no endpoint accepts connections)',
      '10:00:30 (0 at 10 %) StableFound: v1 has ready endpoints again',
      '10:00:30 (0 at 10 %) !StableLost: v1 has no ready endpoints: visitors on it get errors, and no rollback is possible until they return (no endpoint accepts connections)',
      '10:00:30 (0 at 10 %) !CanaryLost: v2 has no ready endpoints (no endpoint accepts connections): paused in 30s unless they return',
      '10:01:00 (0 at 10 %) !Paused: paused at 10 %: v2 had no ready endpoints for 30s; visitors on it get errors until they return',
      '10:01:00 (0 at 10 %) !NoReadyVersion: step 1 of 3: 10 % of visitors on v2, paused; neither version has ready endpoints: everyone stays where they are',
    ]);
  });

  test('when it is suspended', () => {
    const world = started(twoSteps);
    world.edit({ ...twoSteps, suspend: true });
    world.ask('pause', 'bob');
    world.edit(twoSteps);
    expect(log(world).slice(3)).toEqual([
      '10:00:00 (0 at 10 %) Suspended: suspended: nothing starts, nothing widens',
      '10:00:00 (0 at 10 %) Paused: paused at 10 % <bob>',
      '10:00:00 (0 at 10 %) SuspensionEnded: no longer suspended',
    ]);
  });

  test('nothing of what is only noted for later', () => {
    const suspended = new ReleaseWorld(twoSteps);
    suspended.look();
    suspended.edit({ ...twoSteps, suspend: true });
    suspended.serve();
    suspended.edit({ ...twoSteps, suspend: true, steps: [{ weight: 1, hold: '10m' }, ...twoSteps.steps] });
    expect(suspended.status).toMatchObject({ step: 1, holdRemainingMs: 10 * MINUTE });
    expect(log(suspended).slice(2)).toEqual([
      '10:00:00 (0 at 10 %) Suspended: suspended: nothing starts, nothing widens',
      '10:00:00 (0 at 10 %) StepConfirmed: 10 % is served',
    ]);

    const late = new ReleaseWorld(twoSteps);
    late.ready.set('v1', false);
    late.look();
    late.ready.set('v2', false);
    late.setReady('v1', true);
    expect([late.phase, log(late)]).toEqual(['Pending', []]);

    const takenBack = rolledBack(twoSteps);
    takenBack.ready.set('v3', false);
    const before = takenBack.events.length;
    takenBack.edit({ ...twoSteps, canary: subset('v3') });
    takenBack.edit(twoSteps);
    expect([takenBack.phase, log(takenBack).slice(before)]).toEqual(['RolledBack', []]);
  });

  test('when there is nothing to do', () => {
    const world = new ReleaseWorld();
    world.baseVersion = subset('v2');
    world.look();
    const rebuilt = new ReleaseWorld();
    rebuilt.ready.set('v1', false);
    rebuilt.look();
    rebuilt.pass(30_000);
    const finished = succeeded();
    finished.ask('pause', 'bob');
    expect([log(world), log(rebuilt), log(finished).slice(-1)]).toEqual([
      ['10:00:00 (-) Succeeded: v2 is the live version already: nothing to release'],
      ['10:00:30 (-) Succeeded: only v2 has ready endpoints: it is taken as the live version'],
      [
        '10:01:00 (0 at 100 %) !RequestRefused: pause refused: the release has finished; change spec.canary or spec.revision to start another <bob>',
      ],
    ]);
  });
});
