import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { conditionsByName } from './claim.ts';
import { claimedHeaders, claimsInside, claimsOf } from './claims.ts';
import type { GatewayPart } from './gateway-part.ts';
import { gatewayRules } from './gateway-rules.ts';
import { type HeaderAddition, PRIVATE } from './header-additions.ts';
import { idSourceOf } from './id-source.ts';
import { andConditions, guardedBlocks, type HeaderConditions, inMesh } from './match-blocks.ts';
import type { SettledPlan, SplitPlan } from './plan.ts';
import type { RouteObject } from './route-object.ts';
import {
  addedAtGateway,
  DOCUMENT_HEADERS,
  hopHeaders,
  type Place,
  present,
  REST,
  type RuleSketch,
  type Scheme,
  sketched,
  toldRules,
} from './rule-sketch.ts';
import { issuingSetCookie } from './set-cookie.ts';
import { cohortStamp } from './unweave.ts';

/** `affinity.mode: visitor`: each visitor has an id, whose bucket decides (docs/adr/0001). */
export function visitorScheme(release: CanaryRelease, plan: SplitPlan | SettledPlan, place: Place): Scheme {
  const { propagate, issueOn, cookie } = release.spec.visitorId;
  const baggage = !place.edge && propagate.includes('baggage');
  const stamped = baggage && plan.kind === 'split';
  const setCookie: HeaderAddition = {
    direction: 'response',
    name: 'Set-Cookie',
    value: issuingSetCookie(cookie, place.secure),
    join: false,
  };
  const { namespace, name } = release.metadata;
  const source = idSourceOf(release);
  const issuingHeaders = ['x-request-id', ...(issueOn === 'documents' ? DOCUMENT_HEADERS : [])];
  const part: GatewayPart = {
    release,
    draw: plan.kind === 'split' ? { cutoff: plan.cutoff, offset: plan.offset } : undefined,
    claims: plan.kind === 'split' ? claimsOf(release, plan, place.secure) : [],
    stamp: (cohort) => (stamped ? [cohortStamp(namespace, name, cohort)] : []),
    issue: [setCookie, PRIVATE],
  };
  return {
    versions: plan.kind === 'settled' ? { stable: plan.live, canary: plan.live } : { stable: plan.stable, canary: plan.canary },
    stamped,
    gateway: {
      matchHeaders: [source.header, ...(source.issues ? issuingHeaders : []), ...claimedHeaders(release)],
      matchQueries: release.spec.optIn === undefined ? [] : [release.spec.optIn.parameter],
      adds: addedAtGateway(baggage),
      draws: false,
      part,
      sketch: gatewayRules([part]),
    },
    hop: {
      matchHeaders: [...hopHeaders(release).map((name) => (name === 'cookie' ? source.header : name)), ...claimedHeaders(release)],
      adds: [],
      draws: false,
      sketch: (rule, route) => hopRules(rule, route, release, plan),
    },
  };
}

/**
 * The rules of an internal hop: told by baggage, known by the cookie, by the request id where the release says so, and the rest. Without a
 * split one rule is enough. Request ids decide in the mesh only: at a gateway they are fresh at every request.
 */
function hopRules(rule: HTTPRoute, route: RouteObject, release: CanaryRelease, plan: SplitPlan | SettledPlan): readonly RuleSketch[] {
  if (plan.kind === 'settled') return [REST];
  const { cutoff, offset } = plan;
  const { propagate } = release.spec.visitorId;
  const source = idSourceOf(release);
  const anyLeft = cutoff < BUCKETS;
  const blocks = guardedBlocks(rule, route);
  const known = { canary: source.below(cutoff, offset), stable: anyLeft ? source.valid : undefined };
  const asked = { canary: requestIdBelow(cutoff, offset), stable: anyLeft ? requestIdValid() : undefined };
  const hasCanary = known.canary !== undefined || claimsOf(release, plan, false).some(({ cohort }) => cohort === 'canary');
  return present([
    ...toldRules(release, blocks, hasCanary),
    ...claimsInside(release, plan).map(({ headers, cohort }) =>
      sketched('claimed', cohort, andConditions(blocks, [conditionsByName(headers)])),
    ),
    ...(propagate.includes('cookie') ? cohortRules('known', blocks, known, (regex) => ({ [source.header]: { regex } })) : []),
    ...(propagate.includes('requestId')
      ? cohortRules('new', inMesh(blocks, route), asked, (regex) => ({ 'x-request-id': { regex } }))
      : []),
    REST,
  ]);
}

const COHORTS: readonly Cohort[] = ['canary', 'stable'];

/** A rule for each cohort that has a pattern: none where nobody is in it, at cutoff 0 and 4096. */
function cohortRules(
  role: 'known' | 'new',
  blocks: readonly HTTPMatchRequest[],
  patterns: Readonly<Record<Cohort, string | undefined>>,
  conditions: (regex: string) => HeaderConditions,
): readonly RuleSketch[] {
  return COHORTS.flatMap((cohort) => {
    const regex = patterns[cohort];
    return regex === undefined ? [] : [sketched(role, cohort, andConditions(blocks, [conditions(regex)]))];
  });
}
