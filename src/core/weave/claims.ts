import type { CanaryRelease } from '../release/canary-release.ts';
import { parseDuration } from '../release/durations.ts';
import { describeVersion } from '../release/version.ts';
import { type Cohort, fnv1a32 } from '../visitor/cohort.ts';
import { cookieEqual } from '../visitor/patterns.ts';
import type { Claim } from './claim.ts';
import { PRIVATE } from './header-additions.ts';
import type { SplitPlan } from './plan.ts';
import { choosingSetCookie } from './set-cookie.ts';

/** Longest name of the cookie that remembers a choice, as for the canary's in mode canaryOnly: its pattern stays within an RE2 program of 100. */
const LONGEST = 32;
const HASH_DIGITS = 8;

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
  const seconds = Math.max(1, Math.round((parseDuration(optIn.maxAge) ?? 0) / 1000));
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
  return [...CHOICES.map((cohort) => link(cohort, cohort, seconds)), link('auto', 'stable', -1)];
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

/** `perch-opt-reviews`; a long name is cut and followed by a hash, as in the baggage key. */
function choiceName({ metadata: { namespace, name } }: CanaryRelease): string {
  const plain = `perch-opt-${name}`;
  if (plain.length <= LONGEST) return plain;
  return `${plain.slice(0, LONGEST - HASH_DIGITS - 1)}-${hash(`${namespace}/${name}`)}`;
}

/** Another one for each release of the service, so that nobody is on a canary because of an earlier one. */
function choiceValue({ metadata, spec }: CanaryRelease, { canary, started = 0 }: SplitPlan, cohort: Cohort): string {
  const count = typeof spec.revision === 'number' ? spec.revision : started;
  return `${cohort}-${hash(`${metadata.namespace}/${metadata.name} ${describeVersion(canary)} ${count}`)}`;
}

function hash(text: string): string {
  return fnv1a32(text).toString(16).padStart(HASH_DIGITS, '0');
}
