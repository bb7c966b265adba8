import { describe, expect, test } from 'vitest';
import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import { headlineOf } from './headline.ts';
import type { Release } from './release.ts';

const NOW = Date.parse('2026-11-30T12:00:00.000Z');

const FIGURES = {
  visitors: { total: 413, canary: 102 },
  assigned: { total: 0, canary: 0 },
  share: 24.64,
  chance: [20.8, 29.2],
  moved: { toCanary: 62, back: 0 },
  requests: { stable: 3120, canary: 1021 },
  errors: { stable: 0, canary: 0 },
} as const;
const VISITORS: ExposureSummary = {
  counts: 'visitors',
  since: '2026-11-30T11:59:00.000Z',
  weight: 25,
  sampled: false,
  sampleRate: 1,
  ...FIGURES,
  real: FIGURES,
  synthetic: { ...FIGURES, visitors: { total: 0, canary: 0 } },
};

function release(status: Partial<ReleaseStatus> | undefined, others: Partial<Release> = {}): Release {
  return {
    metadata: { name: 'reviews', namespace: 'default', generation: 1, creationTimestamp: '2026-11-30T11:00:00.000Z' },
    spec: {
      service: { host: 'reviews' },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      steps: [10, 25, 50, 100].map((weight) => ({ weight, hold: '30s' })),
    },
    ...(status === undefined
      ? {}
      : {
          status: {
            phase: 'Progressing',
            message: 'step 2 of 4: 25 % of visitors on v2, held until 12:00:18',
            step: 1,
            weight: 25,
            started: 1,
            stable: { subset: 'v1' },
            canary: { subset: 'v2' },
            stepStartedAt: '2026-11-30T11:59:48.000Z',
            observedGeneration: 1,
            history: [],
            conditions: [],
            ...status,
          },
        }),
    ...others,
  };
}

const textOf = (of: Release): string => {
  const { lead, rest } = headlineOf(of, NOW);
  return [lead, ...rest].join(' ');
};

describe('the headline', () => {
  test('says who sees the canary, what failed, and what comes next', () => {
    expect(headlineOf(release({ holdUntil: '2026-11-30T12:00:18.000Z' }, { exposure: VISITORS }), NOW)).toEqual({
      tone: 'calm',
      phase: 'Progressing',
      lead: 'reviews v2 is seen by 24.6 % of visitors.',
      rest: ['No errors in 4,141 answers.', 'Next: 50 % in 18 s.'],
    });
  });

  test('gives both versions’ rates of errors, and judges nothing', () => {
    const exposure = { ...VISITORS, errors: { stable: 1, canary: 21 } };
    expect(textOf(release({}, { exposure }))).toContain('Errors: 0.03 % of v1’s answers, 2.1 % of v2’s.');
  });

  test.each<[string, Partial<ReleaseStatus> | undefined, string]>([
    ['unseen', undefined, 'reviews v2 was applied; nothing has looked at it yet.'],
    [
      'Pending',
      { phase: 'Pending', message: 'waiting: subset v2 has no endpoints' },
      'reviews v2 has not started. Waiting: subset v2 has no endpoints.',
    ],
    [
      'unconfirmed',
      { stepStartedAt: undefined } as never,
      'reviews v2 is for 25 % of visitors, as its routes say: nothing here counts them. Its routes are being changed.',
    ],
    ['a manual hold', { phase: 'Paused', pausedBy: 'hold' }, 'It waits until somebody promotes it to 50 %.'],
    ['paused', { phase: 'Paused', pausedBy: 'request', holdRemainingMs: 12_000 }, 'It is paused with 12 s of its hold left.'],
    ['the last step', { step: 3, weight: 100, holdUntil: '2026-11-30T12:00:18.000Z' }, 'Next: v2 becomes the live version in 18 s.'],
    ['Completing', { phase: 'Completing' }, 'Everyone goes to reviews v2.'],
    ['Succeeded', { phase: 'Succeeded' }, 'reviews v2 is the live version: everyone is on it.'],
    ['RollingBack', { phase: 'RollingBack' }, 'reviews v2 is being rolled back: everyone goes back to v1.'],
    [
      'RolledBack',
      { phase: 'RolledBack', rollback: { weight: 25, reason: 'requested', by: 'Ann' } },
      'reviews v2 was rolled back from 25 %: requested by Ann. Everyone is on v1.',
    ],
    ['Superseded', { phase: 'Superseded' }, 'reviews v2 is superseded: everyone goes back to v1, then the next release starts.'],
  ])('%s', (_, status, sentence) => {
    expect(textOf(release(status))).toContain(sentence);
  });

  test('is attention where something holds the release up, and says what', () => {
    const blocked = release({ holdUntil: '2026-11-30T11:59:50.000Z', message: 'its hold is over; not widened: v2 has no ready endpoint' });
    expect(headlineOf(blocked, NOW)).toMatchObject({
      tone: 'attention',
      rest: ['Its hold is over; not widened: v2 has no ready endpoint.'],
    });
  });

  test('is harm where a version has no ready endpoints while visitors are on it', () => {
    expect(headlineOf(release({ canaryLostSince: '2026-11-30T11:59:50.000Z' }), NOW).tone).toBe('harm');
  });

  test('counts requests, not visitors, in mode canaryOnly', () => {
    const exposure: ExposureSummary = {
      counts: 'requests',
      since: VISITORS.since,
      weight: 25,
      requests: { stable: 300, canary: 100 },
      errors: { stable: 0, canary: 0 },
      real: FIGURES,
      synthetic: FIGURES,
    };
    expect(textOf(release({}, { exposure }))).toContain(
      'reviews v2 answers 25.0 % of requests. How many visitors see it cannot be known in mode canaryOnly.',
    );
  });

  test('a first step that picks by header says whom', () => {
    const first = release({ step: 0, weight: 0 });
    const steps = [{ match: [{ headers: { 'x-team': { exact: 'shop' } } }], hold: 'manual' }, ...first.spec.steps];
    expect(textOf({ ...first, spec: { ...first.spec, steps } })).toContain('reviews v2 is for those picked by header x-team.');
  });

  test('a release that is being deleted says so', () => {
    const { metadata } = release(undefined);
    expect(textOf(release({}, { metadata: { ...metadata, deletionTimestamp: VISITORS.since } }))).toContain('It is being deleted.');
  });
});
