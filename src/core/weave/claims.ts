import { cookieNameOf, hashed } from '../release/canary-cookie.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { describeVersion } from '../release/version.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { cookieEqual } from '../visitor/patterns.ts';
import type { Claim } from './claim.ts';
import { PRIVATE } from './header-additions.ts';
import type { SplitPlan } from './plan.ts';
import { choosingSetCookie, maxAgeSeconds } from './set-cookie.ts';

/**
 * Who is on a cohort without regard to the bucket, in the order in which it is asked: a link that the visitor follows (`optIn`), the choice that the browser
 * remembers, and what the steps with `match` pick.
 */
export function claimsOf(release: CanaryRelease, plan: SplitPlan, secure: boolean): readonly Claim[] {
  return [...linkClaims(release, plan, secure), ...claimsInside(release, plan)];
}

/** Those of them that a hop behind the gateway can tell by itself: no link is followed there. */
export function claimsInside(release: CanaryRelease, plan: SplitPlan): readonly Claim[] {
  return [...choiceClaims(release, plan), ...pickClaims(release, plan)];
}

/** Headers on which claims may match, whatever the step is. */
export function claimedHeaders({ spec }: CanaryRelease): readonly string[] {
  const picked = spec.steps.flatMap(({ match = [] }) => match.flatMap(({ headers }) => Object.keys(headers)));
  return [...new Set([...picked, ...(spec.optIn === undefined ? [] : ['cookie'])])];
}

const CHOICES: readonly Cohort[] = ['canary', 'stable'];

function linkClaims(release: CanaryRelease, plan: SplitPlan, secure: boolean): readonly Claim[] {
  const { optIn, visitorId } = release.spec;
  if (optIn === undefined) return [];
  const { name } = release.metadata;
  const link = (choice: string, cohort: Cohort, maxAge: number): Claim => {
    const cookie = { name: choiceName(release), value: choiceValue(release, plan, cohort), maxAge };
    return {
      headers: [],
      queryParams: { [optIn.parameter]: { exact: `${name}:${choice}` } },
      cohort,
      additions: [
        { direction: 'response', name: 'Set-Cookie', value: choosingSetCookie(cookie, visitorId.cookie, secure), join: false },
        PRIVATE,
      ],
    };
  };
  return [...CHOICES.map((cohort) => link(cohort, cohort, maxAgeSeconds(optIn.maxAge))), link('auto', 'stable', -1)];
}

function choiceClaims(release: CanaryRelease, plan: SplitPlan): readonly Claim[] {
  if (release.spec.optIn === undefined) return [];
  return CHOICES.map((cohort) => {
    const regex = cookieEqual(choiceName(release), choiceValue(release, plan, cohort));
    return { headers: [['cookie', { regex }]], queryParams: {}, cohort, additions: [] };
  });
}

function pickClaims({ spec }: CanaryRelease, { picking }: SplitPlan): readonly Claim[] {
  const steps = spec.steps.filter(({ match }) => match !== undefined).slice(0, picking);
  return steps.flatMap(({ match = [] }) =>
    match.map(({ headers }): Claim => ({ headers: Object.entries(headers), queryParams: {}, cohort: 'canary', additions: [] })),
  );
}

function choiceName({ metadata }: CanaryRelease): string {
  return cookieNameOf('perch-opt', metadata);
}

/** Another one for each release of the service, so that nobody is on a canary because of an earlier one. */
function choiceValue({ metadata, spec }: CanaryRelease, { canary, started = 0 }: SplitPlan, cohort: Cohort): string {
  const count = typeof spec.revision === 'number' ? spec.revision : started;
  return hashed(cohort, `${metadata.namespace}/${metadata.name} ${describeVersion(canary)} ${count}`);
}
