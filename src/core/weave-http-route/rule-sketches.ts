import type { ValueMatch } from '../gateway-api/http-route.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { issuingRoute } from '../release/route-form.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import { baggageKey, baggagePattern, type Cohort } from '../visitor/cohort.ts';
import { requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { type HeaderAddition, PRIVATE } from '../weave/header-additions.ts';
import { idSourceOf } from '../weave/id-source.ts';
import type { SettledPlan, SplitPlan } from '../weave/plan.ts';
import { DOCUMENTS } from '../weave/rule-sketch.ts';
import { issuingSetCookie } from '../weave/set-cookie.ts';
import { cohortStamp } from '../weave/unweave.ts';
import type { HttpRuleRole } from './rule-name.ts';

/** One of the rules that a base rule becomes, but for what it takes from that. */
export interface HttpRuleSketch {
  readonly role: HttpRuleRole;
  readonly cohort: Cohort;
  /** What is added to each match, in alternatives; undefined: nothing. */
  readonly conditions: readonly (readonly ValueMatch[])[] | undefined;
  /** Headers of requests and answers. */
  readonly additions: readonly HeaderAddition[];
}

/** How a release is woven into an HTTPRoute. */
export interface HttpScheme {
  readonly versions: Readonly<Record<Cohort, Version>>;
  /** In order; the last one is the rest. */
  readonly sketches: readonly HttpRuleSketch[];
  /** Header conditions that every rule of the release but the rest has more than the base match: fewer are made up with neutral ones. */
  readonly raise: number;
  /** New visitors are issued an id. */
  readonly issues: boolean;
  /** So many headers the rules add, whatever the cutoff is. */
  readonly adds: Readonly<Record<HeaderAddition['direction'], number>>;
  /** Header names, in lower case, that the rules match on, whatever the cutoff is. */
  readonly matchHeaders: readonly string[];
}

/**
 * The rules of `affinity.mode: visitor` at a gateway (docs/adr/0001), as in a VirtualService: known visitors by their id, new ones by the request id, which becomes
 * their id, and the rest. `tells`: a hop behind it obeys, so that requests are stamped with their cohort.
 */
export function httpGatewayScheme(release: CanaryRelease, plan: SplitPlan | SettledPlan, tells: boolean): HttpScheme {
  const { metadata, spec } = release;
  const { visitorId, cache } = spec;
  const source = idSourceOf(release);
  const isSplit = plan.kind === 'split';
  const isPrivate = isSplit && cache === 'private';
  const anyLeft = !isSplit || plan.cutoff < BUCKETS;
  const issue: readonly HeaderAddition[] = [
    { direction: 'response', name: 'Set-Cookie', value: issuingSetCookie(visitorId.cookie, visitorId.cookie.secure === true), join: false },
    PRIVATE,
  ];
  const kept = isPrivate ? [PRIVATE] : [];
  const pages = visitorId.issueOn === 'documents' ? PAGES : [[]];
  const isStamped = tells && isSplit && visitorId.propagate.includes('baggage');
  const stamp = (cohort: Cohort) => (isStamped ? [cohortStamp(metadata.namespace, metadata.name, cohort)] : []);
  const known = isSplit ? source.below(plan.cutoff, plan.offset) : undefined;
  const asked = isSplit ? requestIdBelow(plan.cutoff, plan.offset) : undefined;
  const rule = (
    role: HttpRuleRole,
    cohort: Cohort,
    regex: string | undefined,
    header: string,
    alternatives: readonly (readonly ValueMatch[])[],
    added: readonly HeaderAddition[],
  ): readonly HttpRuleSketch[] => {
    if (regex === undefined) return [];
    const conditions = alternatives.map((each) => [...each, matching(header, regex)]);
    return [{ role, cohort, conditions, additions: [...stamp(cohort), ...added] }];
  };
  const isTold = isSplit || source.issues;
  return {
    versions: isSplit ? { stable: plan.stable, canary: plan.canary } : { stable: plan.live, canary: plan.live },
    sketches: [
      ...rule('known', 'canary', known, source.header, [[]], kept),
      ...rule('known', 'stable', isTold && anyLeft ? source.valid : undefined, source.header, [[]], kept),
      ...rule('new', 'canary', source.issues ? asked : undefined, REQUEST_ID, pages, issue),
      ...rule('new', 'stable', source.issues && anyLeft ? requestIdValid() : undefined, REQUEST_ID, pages, issue),
      { role: 'rest', cohort: 'stable', conditions: undefined, additions: [...stamp('stable'), ...kept] },
    ],
    issues: source.issues,
    adds: { request: tells && visitorId.propagate.includes('baggage') ? 1 : 0, response: issue.length },
    raise: source.issues && visitorId.issueOn === 'documents' ? 2 : 1,
    matchHeaders: source.issues ? [source.header, REQUEST_ID, ...PAGES.flat().map(({ name }) => name)] : [source.header],
  };
}

/**
 * The rules in the mesh: what the edge stamped, then known visitors by their id, then, where the release says so, new ones by the request id, which the edge made
 * their id; no id is issued there. Without a split one rule is enough.
 */
export function httpHopScheme(release: CanaryRelease, plan: SplitPlan | SettledPlan): HttpScheme {
  const { metadata, spec } = release;
  const { propagate } = spec.visitorId;
  const source = idSourceOf(release);
  const isTold = issuingRoute(release) !== undefined && propagate.includes('baggage');
  const asks = {
    told: isTold ? ['baggage'] : [],
    known: propagate.includes('cookie') ? [source.header] : [],
    new: propagate.includes('requestId') ? [REQUEST_ID] : [],
  };
  const rest: HttpRuleSketch = { role: 'rest', cohort: 'stable', conditions: undefined, additions: [] };
  const common = { raise: 1, issues: false, adds: { request: 0, response: 0 }, matchHeaders: Object.values(asks).flat() };
  if (plan.kind === 'settled') return { ...common, versions: { stable: plan.live, canary: plan.live }, sketches: [rest] };
  const { cutoff, offset, stable, canary } = plan;
  const anyLeft = cutoff < BUCKETS;
  const key = baggageKey(metadata.namespace, metadata.name);
  const known = source.below(cutoff, offset);
  const patterns = {
    // Nobody is believed who says canary when there is none.
    told: { canary: known === undefined ? undefined : baggagePattern(key, 'canary'), stable: baggagePattern(key, 'stable') },
    known: { canary: known, stable: anyLeft ? source.valid : undefined },
    new: { canary: requestIdBelow(cutoff, offset), stable: anyLeft ? requestIdValid() : undefined },
  };
  const sketches = (['told', 'known', 'new'] as const).flatMap((role) =>
    asks[role].flatMap((header) =>
      (['canary', 'stable'] as const).flatMap((cohort): HttpRuleSketch[] => {
        const regex = patterns[role][cohort];
        return regex === undefined ? [] : [{ role, cohort, conditions: [[matching(header, regex)]], additions: [] }];
      }),
    ),
  );
  return { ...common, versions: { stable, canary }, sketches: [...sketches, rest] };
}

const REQUEST_ID = 'x-request-id';

function matching(name: string, regex: string): ValueMatch {
  return { name, type: 'RegularExpression', value: regex };
}

/** What requests for pages look like, in alternatives. */
const PAGES: readonly (readonly ValueMatch[])[] = DOCUMENTS.map((conditions) =>
  Object.entries(conditions).map(([name, match]): ValueMatch => {
    if ('regex' in match) return matching(name, match.regex);
    return { name, type: 'Exact', value: 'exact' in match ? match.exact : '' };
  }),
);
