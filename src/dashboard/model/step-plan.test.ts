import { describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../../core/release/release-event.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import type { Release } from './release.ts';
import { endOfRun, eventsOfRun, planSteps, stairsOf, stairsToCome } from './step-plan.ts';

/** Seconds after the start, in ms since the epoch. */
const at = (seconds: number): number => Date.parse('2026-11-30T12:00:00.000Z') + seconds * 1000;
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

function release(status: Partial<ReleaseStatus>, holds: readonly string[] = ['30s', '30s', '1m', 'manual']): Release {
  return {
    metadata: { name: 'reviews', namespace: 'default', generation: 1, creationTimestamp: iso(-60) },
    spec: {
      service: { host: 'reviews' },
      canary: { subset: 'v2' },
      steps: [10, 25, 50, 100].map((weight, index) => ({ weight, hold: holds[index] ?? '30s' })),
    },
    status: {
      phase: 'Progressing',
      message: '',
      step: 1,
      weight: 25,
      started: 1,
      startedAt: iso(0),
      stepStartedAt: iso(31),
      holdUntil: iso(61),
      observedGeneration: 1,
      history: [],
      conditions: [],
      ...status,
    },
  };
}

const event = (seconds: number, reason: RecordedEvent['reason'], facts: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id: seconds + 100,
  at: iso(seconds),
  type: 'Normal',
  reason,
  message: '',
  ...facts,
});
const BEGUN = [
  event(0, 'Started'),
  event(0, 'StepStarted', { step: 0, weight: 10 }),
  event(1, 'StepConfirmed', { step: 0, weight: 10 }),
  event(31, 'StepStarted', { step: 1, weight: 25 }),
  event(32, 'StepConfirmed', { step: 1, weight: 25 }),
];

describe('events of a release', () => {
  test('are those since it started, the oldest first', () => {
    const earlier = event(-30, 'Succeeded');
    expect(eventsOfRun(release({}), [...BEGUN.toReversed(), earlier])).toEqual(BEGUN);
  });

  test('of Kubernetes say in words which step it was; where they are gone the status says where it stands', () => {
    const told = [
      event(31, 'StepStarted', { message: 'step 2 of 4: 25 %' }),
      event(0, 'StepStarted', { message: 'step 1 of 4: 10 % by ada' }),
    ];
    expect(stairsOf(eventsOfRun(release({}), told))).toEqual([
      { at: at(0), weight: 10 },
      { at: at(31), weight: 25 },
    ]);
    expect(stairsOf(eventsOfRun(release({}), []))).toEqual([{ at: at(31), weight: 25 }]);
    expect(eventsOfRun(release({ phase: 'Succeeded' }), [])).toEqual([]);
  });
});

describe('steps', () => {
  test('that were have their times, those to come are expected up to the first that nobody knows', () => {
    const plan = planSteps(release({}), BEGUN);
    expect(plan).toMatchObject([
      { what: '10 %', state: 'past', from: at(0), until: at(31) },
      { what: '25 %', state: 'current', from: at(31), until: at(61), confirmedAt: at(32) },
      { what: '50 %', state: 'next', from: at(61), until: at(121) },
      { what: '100 %', state: 'next', from: at(121) },
    ]);
    expect(plan[3]).not.toHaveProperty('until');
    expect(stairsToCome(plan)).toEqual([
      { at: at(61), weight: 50 },
      { at: at(121), weight: 100 },
    ]);
  });

  test('after a manual hold, or while paused or suspended, come nobody knows when', () => {
    for (const status of [{ phase: 'Paused' }, { suspended: true }] as const) {
      const { holdUntil: _, ...rest } = release(status).status as ReleaseStatus;
      const plan = planSteps({ ...release({}), status: rest }, BEGUN);
      expect(stairsToCome(plan)).toEqual([]);
      expect(plan.map(({ state }) => state)).toEqual(['past', 'current', 'next', 'next']);
    }
  });

  test('that a promotion went past are said to be so', () => {
    const run = [...BEGUN, event(40, 'StepStarted', { step: 3, weight: 100 })];
    const plan = planSteps(release({ step: 3, weight: 100 }), run);
    expect(plan.map(({ state }) => state)).toEqual(['past', 'past', 'passed over', 'current']);
  });

  test('end with a rollback, and the stairs go down', () => {
    const run = [...BEGUN, event(45, 'RollingBack'), event(46, 'RolledBack')];
    const plan = planSteps(release({ phase: 'RolledBack', step: 1 }), run);
    expect(plan).toMatchObject([{ state: 'past' }, { state: 'past', from: at(31), until: at(45) }, { state: 'next' }, { state: 'next' }]);
    expect(stairsOf(run).at(-1)).toEqual({ at: at(45), weight: 0 });
    expect(endOfRun(run)).toBe(at(46));
  });

  test('end with success', () => {
    const run = [...BEGUN, event(45, 'Completing'), event(46, 'Succeeded')];
    expect(planSteps(release({ phase: 'Succeeded' }), run).map(({ state }) => state)).toEqual([
      'past',
      'past',
      'passed over',
      'passed over',
    ]);
    expect(stairsOf(run).map(({ weight }) => weight)).toEqual([10, 25, 100]);
  });
});
