import { expect, test } from 'vitest';
import { offsetOf } from '../visitor/cohort.ts';
import type { RoutePlan } from '../weave/plan.ts';
import { API_VERSION, type CanaryRelease, type CanaryReleaseSpec, KIND } from './canary-release.ts';
import { MINUTE, ReleaseWorld, specOf, succeeded, without } from './release-world.cases.ts';
import { samePlan, trialPlan } from './route-plan.ts';

const [v1, v2, v3] = [{ subset: 'v1' }, { subset: 'v2' }, { subset: 'v3' }];
const cookie = { name: 'c', value: 'x', maxAge: 60 };
const PLANS: readonly (RoutePlan | undefined)[] = [
  undefined,
  { kind: 'settled', live: v1 },
  { kind: 'settled', live: v2 },
  { kind: 'settled', live: v1, expires: cookie },
  { kind: 'settled', live: v1, expires: { ...cookie, value: 'y' } },
  { kind: 'settled', live: v1, expires: { ...cookie, name: 'd' } },
  { kind: 'split', stable: v1, canary: v2, cutoff: 410, offset: 0 },
  { kind: 'split', stable: v1, canary: v2, cutoff: 2048, offset: 0 },
  { kind: 'split', stable: v1, canary: v2, cutoff: 410, offset: 3 },
  { kind: 'split', stable: v2, canary: v1, cutoff: 410, offset: 0 },
  { kind: 'split', stable: v1, canary: v1, cutoff: 410, offset: 0 },
  { kind: 'split', stable: v1, canary: v2, cutoff: 410, offset: 0, started: 2 },
  { kind: 'split', stable: v1, canary: v2, cutoff: 410, offset: 0, picking: 1 },
  { kind: 'draw', stable: v1, canary: v2, weight: 10, cookie },
  { kind: 'draw', stable: v1, canary: v2, weight: 50, cookie },
  { kind: 'draw', stable: v1, canary: v2, weight: 10, cookie: { ...cookie, maxAge: 61 } },
];

test('a plan is the same as its copy, and as no other: what is confirmed of one says nothing of another', () => {
  for (const [index, left] of PLANS.entries()) {
    const same = PLANS.map((right) => samePlan(left, copyOf(right)));
    expect(same).toEqual(PLANS.map((_, other) => other === index));
  }
});

function copyOf(plan: RoutePlan | undefined): RoutePlan | undefined {
  return plan === undefined ? undefined : (JSON.parse(JSON.stringify(plan)) as RoutePlan);
}

test('a step that picks has a plan of its own, also where the next one picks too: what is confirmed of one says nothing of another', () => {
  const match = [{ headers: { 'x-team': { exact: 'qa' } } }];
  const picks = [1, 2].map(() => ({ weight: 0, match, hold: '1m' as const }));
  const world = new ReleaseWorld(specOf({ steps: [...picks, { weight: 100, hold: '1m' }] }));
  world.look();
  expect(world.routes).toMatchObject({ kind: 'split', cutoff: 0, picking: 1 });
  world.serve();
  world.pass(MINUTE);
  expect(world.routes).toMatchObject({ kind: 'split', cutoff: 0, picking: 2 });
  expect(world.status?.stepStartedAt).toBeUndefined();
  world.serve();
  world.pass(MINUTE);
  expect(world.routes).not.toHaveProperty('picking');
});

test('what can be woven is tried, before there is a plan, with the smallest share of visitors', () => {
  const release = (spec: CanaryReleaseSpec): CanaryRelease => ({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'reviews', namespace: 'default' },
    spec,
  });
  const draw = { name: 'reviews', namespace: 'default', cohort: 'auto', revision: 7 } as const;
  const first = release(specOf({ revision: 7 }));
  expect(trialPlan(first, undefined)).toEqual({
    kind: 'split',
    stable: v1,
    canary: v2,
    cutoff: 1,
    offset: offsetOf({ ...draw, started: 0 }),
  });
  const later = release(without(specOf({ canary: v3 }), 'stable'));
  expect(trialPlan(later, succeeded().status)).toEqual({
    kind: 'split',
    stable: v2,
    canary: v3,
    cutoff: 1,
    offset: offsetOf({ name: 'reviews', namespace: 'default', cohort: 'auto', revision: undefined, started: 1 }),
  });
  // Nothing is known of a version before: then there is nobody to divide.
  expect(trialPlan(later, undefined)).toEqual({ kind: 'settled', live: v3 });
  const canaryOnly = release(specOf({ affinity: { mode: 'canaryOnly', cookie: { name: 'c', value: 'x', maxAge: '60s' } } }));
  expect(trialPlan(canaryOnly, undefined)).toEqual({ kind: 'draw', stable: v1, canary: v2, weight: 1, cookie });
});
