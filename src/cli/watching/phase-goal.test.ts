import { describe, expect, test } from 'vitest';
import { PHASES } from '../../core/release/phase.ts';
import type { Phase } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { judgePhase, parsePhase } from './phase-goal.ts';

function releaseIn(phase: Phase, more: { readonly seen?: number; readonly deleted?: true } = {}): ReleaseView {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: {
      name: 'web',
      namespace: 'default',
      generation: 2,
      creationTimestamp: '2026-11-22T12:00:00.000Z',
      ...(more.deleted ? { deletionTimestamp: '2026-11-22T12:01:00.000Z' } : {}),
    },
    spec: { service: { host: 'web', port: 80 }, canary: { subset: 'v2' }, route: { adopt: { virtualService: 'web' } }, steps: [] },
    status: {
      phase,
      message: 'a sentence',
      step: 0,
      weight: 10,
      cutoff: 410,
      offset: 0,
      started: 1,
      observedGeneration: more.seen ?? 2,
      history: [],
      conditions: [],
    },
  };
}

/** For each goal the verdict in each phase: + reached, . still may, ! cannot any more. */
const VERDICTS: Readonly<Record<Phase, string>> = {
  //             Pending Progressing Paused Completing Succeeded RollingBack RolledBack Superseded
  Pending: /*     */ '+...!!!.',
  Progressing: /* */ '.+.++!!.',
  Paused: /*      */ '..+.!!!.',
  Completing: /*  */ '...++!!.',
  Succeeded: /*   */ '....+!!.',
  RollingBack: /* */ '....!++.',
  RolledBack: /*  */ '....!.+.',
  Superseded: /*  */ '....!!!+',
};

describe.each(PHASES)('waiting for %s', (goal) => {
  test.each(PHASES)('in phase %s', (phase) => {
    const kinds = { '+': 'reached', '.': 'waiting', '!': 'failed' } as const;
    const expected = VERDICTS[goal][PHASES.indexOf(phase)] as keyof typeof kinds;
    expect(judgePhase(goal, releaseIn(phase)).kind).toBe(kinds[expected]);
  });
});

test('the end of the release before does not count: its status is of an older spec', () => {
  expect(judgePhase('Succeeded', releaseIn('Succeeded', { seen: 1 })).kind).toBe('waiting');
  expect(judgePhase('Succeeded', releaseIn('RolledBack', { seen: 1 })).kind).toBe('waiting');
});

test('nor does that of a release which another one follows: its pair is not the one that is wanted', () => {
  const former = { stable: { subset: 'v0' }, canary: { subset: 'v1' } };
  for (const phase of PHASES.filter((each) => each !== 'Pending' && each !== 'Superseded')) {
    const view = releaseIn(phase);
    const overtaken = { ...view, status: { ...(view.status ?? expect.fail()), ...former } };
    expect(judgePhase('Succeeded', overtaken).kind, phase).toBe('waiting');
  }
});

test('a release that is being deleted reaches nothing', () => {
  expect(judgePhase('Succeeded', releaseIn('Progressing', { deleted: true }))).toEqual({
    kind: 'failed',
    text: 'not Succeeded, it is being deleted',
  });
});

test('a failure says where it ended, why, and how to go on', () => {
  expect(judgePhase('Succeeded', releaseIn('RolledBack')).text).toBe(
    'RolledBack instead of Succeeded, a sentence; perch retry web starts it once more',
  );
});

test('phases are read in any case; a typing mistake gets a suggestion', () => {
  expect(PHASES.map((phase) => parsePhase(phase.toLowerCase()))).toEqual(PHASES);
  expect(() => parsePhase('suceeded')).toThrow(/no such phase: did you mean succeeded\? \(phases: pending, /);
  expect(() => parsePhase('zz')).toThrow(/no such phase \(phases: pending, /);
});

test('a release that a controller refuses fails the wait at once', () => {
  const view = releaseIn('Pending');
  const refused = {
    type: 'Stalled',
    status: 'True',
    reason: 'Refused',
    message: 'm',
    lastTransitionTime: '2026-11-22T12:00:00.000Z',
  } as const;
  const { status } = view;
  if (status === undefined) throw new Error('there is a status');
  const judged = judgePhase('Succeeded', {
    ...view,
    status: { ...status, message: 'refused: it names another namespace', conditions: [refused] },
  });
  expect(judged).toEqual({ kind: 'failed', text: 'not Succeeded, refused: it names another namespace' });
});
