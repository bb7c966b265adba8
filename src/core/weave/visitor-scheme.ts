import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { cookieBelow, cookieValid, requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { type HeaderAddition, PRIVATE } from './header-additions.ts';
import { andConditions, atGateways, guardedBlocks, type HeaderConditions, inMesh } from './match-blocks.ts';
import type { SettledPlan, SplitPlan } from './plan.ts';
import type { RouteObject } from './route-object.ts';
import {
  addedAtGateway,
  DOCUMENT_HEADERS,
  DOCUMENTS,
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

/** What rules of both objects are made from; settled is a split with nobody on the canary. */
interface Split {
  readonly release: CanaryRelease;
  readonly splitting: boolean;
  /** The patterns of the canary's visitors and of those left over; undefined where there are none: at cutoff 0, and 4096. */
  readonly cookie: Readonly<Record<Cohort, string | undefined>>;
  readonly requestId: Readonly<Record<Cohort, string | undefined>>;
}

/** `affinity.mode: visitor`: each visitor has an id, whose bucket decides (docs/adr/0001). */
export function visitorScheme(release: CanaryRelease, plan: SplitPlan | SettledPlan, place: Place): Scheme {
  const split = splitOf(release, plan);
  const { propagate, issueOn, cookie } = release.spec.visitorId;
  const baggage = !place.edge && propagate.includes('baggage');
  const stamped = baggage && split.splitting;
  const setCookie: HeaderAddition = {
    direction: 'response',
    name: 'Set-Cookie',
    value: issuingSetCookie(cookie, place.secure),
    join: false,
  };
  const { namespace, name } = release.metadata;
  return {
    versions: plan.kind === 'settled' ? { stable: plan.live, canary: plan.live } : { stable: plan.stable, canary: plan.canary },
    stamped,
    gateway: {
      matchHeaders: ['cookie', 'x-request-id', ...(issueOn === 'documents' ? DOCUMENT_HEADERS : [])],
      adds: addedAtGateway(baggage),
      draws: false,
      sketch: (rule, route) =>
        gatewayRules(rule, route, split, (cohort) => (stamped ? [cohortStamp(namespace, name, cohort)] : []), [setCookie, PRIVATE]),
    },
    hop: { matchHeaders: hopHeaders(release), adds: [], draws: false, sketch: (rule, route) => hopRules(rule, route, split) },
  };
}

function splitOf(release: CanaryRelease, plan: SplitPlan | SettledPlan): Split {
  const { cutoff, offset } = plan.kind === 'split' ? plan : { cutoff: 0, offset: 0 as const };
  const { name } = release.spec.visitorId.cookie;
  const anyLeft = cutoff < BUCKETS;
  return {
    release,
    splitting: plan.kind === 'split',
    cookie: { canary: cookieBelow(name, cutoff, offset), stable: anyLeft ? cookieValid(name) : undefined },
    requestId: { canary: requestIdBelow(cutoff, offset), stable: anyLeft ? requestIdValid() : undefined },
  };
}

/**
 * The rules at the gateway (docs/guides/routes.md): known visitors by their cookie, new ones by the request id, which becomes their
 * id, and the rest. A rule that no visitor can reach is left out: canary at cutoff 0, stable at cutoff 4096.
 */
function gatewayRules(
  rule: HTTPRoute,
  route: RouteObject,
  split: Split,
  stamp: (cohort: Cohort) => readonly HeaderAddition[],
  issue: readonly HeaderAddition[],
): readonly RuleSketch[] {
  const { cache, visitorId } = split.release.spec;
  const blocks = guardedBlocks(rule, route);
  const documents = visitorId.issueOn === 'documents' ? DOCUMENTS : [{}];
  const asked = (regex: string) => documents.map((conditions) => ({ ...conditions, 'x-request-id': { regex } }));
  const marked = cache === 'private' && split.splitting ? [PRIVATE] : [];
  return present([
    ...knownRules(blocks, split, (cohort) => [...stamp(cohort), ...marked]),
    ...newRules(atGateways(blocks, route), split, asked, (cohort) => [...stamp(cohort), ...issue]),
    { ...REST, destinations: REST.destinations.map((each) => ({ ...each, additions: stamp('stable') })) },
  ]);
}

/**
 * The rules of an internal hop: told by baggage, known by the cookie, by the request id where the release says so, and the rest. Without a
 * split one rule is enough. Request ids decide in the mesh only: at a gateway they are fresh at every request.
 */
function hopRules(rule: HTTPRoute, route: RouteObject, split: Split): readonly RuleSketch[] {
  if (!split.splitting) return [REST];
  const { propagate } = split.release.spec.visitorId;
  const blocks = guardedBlocks(rule, route);
  const asked = (regex: string) => [{ 'x-request-id': { regex } }];
  return present([
    ...toldRules(split.release, blocks, split.cookie.canary !== undefined),
    ...(propagate.includes('cookie') ? knownRules(blocks, split) : []),
    ...(propagate.includes('requestId') ? newRules(inMesh(blocks, route), split, asked) : []),
    REST,
  ]);
}

type Additions = (cohort: Cohort) => readonly HeaderAddition[];

const COHORTS: readonly Cohort[] = ['canary', 'stable'];

function knownRules(blocks: readonly HTTPMatchRequest[], { cookie }: Split, additions: Additions = () => []): readonly RuleSketch[] {
  return COHORTS.flatMap((cohort) => {
    const regex = cookie[cohort];
    return regex === undefined ? [] : [sketched('known', cohort, andConditions(blocks, [{ cookie: { regex } }]), additions(cohort))];
  });
}

function newRules(
  blocks: readonly HTTPMatchRequest[],
  { requestId }: Split,
  asked: (regex: string) => readonly HeaderConditions[],
  additions: Additions = () => [],
): readonly RuleSketch[] {
  return COHORTS.flatMap((cohort) => {
    const regex = requestId[cohort];
    return regex === undefined ? [] : [sketched('new', cohort, andConditions(blocks, asked(regex)), additions(cohort))];
  });
}
