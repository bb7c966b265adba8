import { expect, test } from 'vitest';
import type { RoutePlan } from '../weave/plan.ts';
import { samePlan } from './route-plan.ts';

const [v1, v2] = [{ subset: 'v1' }, { subset: 'v2' }];
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
