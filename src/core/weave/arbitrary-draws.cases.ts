import fc from 'fast-check';
import type { CanaryCookie } from '../release/canary-cookie.ts';
import { FORMS } from './arbitrary-inputs.cases.ts';
import { releaseOf } from './fixtures.cases.ts';
import type { RoutePlan } from './plan.ts';
import type { WeaveInput } from './weave-virtual-service.ts';

/** The arbitrary releases of `web` in `affinity.mode: canaryOnly`, and in both modes. */

/** Cookies of such releases. */
export const cookies: fc.Arbitrary<CanaryCookie> = fc.constantFrom(
  { name: 'perch-web', value: 'v2-5c1f0e9b', maxAge: 21_600 },
  { name: 'n'.repeat(32), value: '-'.repeat(32), maxAge: 1 },
);
const weights = fc.constantFrom(0.1, 10, 33.3, 50, 99.9, 100);

/** The same release, drawn by weight instead of by bucket. */
export function inCanaryOnly(inputs: fc.Arbitrary<WeaveInput>): fc.Arbitrary<WeaveInput> {
  return fc.tuple(inputs, weights, cookies).map(([input, weight, cookie]) => {
    const { visitorId, ...spec } = input.release.spec;
    const { issueAt, propagate } = visitorId;
    const ways = propagate.filter((way) => way !== 'requestId');
    const release = releaseOf({
      ...spec,
      affinity: { mode: 'canaryOnly' },
      visitorId: { ...(issueAt === undefined ? {} : { issueAt }), propagate: ways },
    });
    return { ...input, release, plan: drawn(input.plan, weight, cookie) };
  });
}

function drawn(plan: RoutePlan, weight: number, cookie: CanaryCookie): RoutePlan {
  if (plan.kind === 'settled') return { ...plan, expires: cookie };
  const { stable, canary } = plan;
  return { kind: 'draw', stable, canary, weight, cookie };
}

/** Every form in both modes, and how many of 400 are woven at least: a draw meets more obstacles. */
export const SHAPES: typeof FORMS = [
  ...FORMS,
  ...FORMS.map(([form, inputs, woven]) => [`${form}, canaryOnly`, inCanaryOnly(inputs), woven * 0.8] as const),
];
