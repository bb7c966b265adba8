import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { BUCKETS, type Offset } from '../visitor/bucket.ts';
import { baggageKey, baggagePattern, type Cohort } from '../visitor/cohort.ts';
import { cookieBelow, cookieValid, requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { andConditions, atGateways, guardedBlocks, type HeaderConditions, inMesh } from './match-blocks.ts';
import type { RoutePlan } from './plan.ts';
import type { RouteObject } from './route-object.ts';
import type { RuleRole } from './rule-name.ts';

/** A plan as one shape: settled is a split with nobody on the canary. */
export interface Split {
  readonly splitting: boolean;
  readonly stable: Version;
  readonly canary: Version;
  /** 0..4096. */
  readonly cutoff: number;
  readonly offset: Offset;
}

/** What a base rule becomes, in order; `match` undefined keeps the base's own. */
export interface RuleSketch {
  readonly role: RuleRole;
  readonly cohort: Cohort;
  readonly match: readonly HTTPMatchRequest[] | undefined;
  /** Answers carry the visitor id. */
  readonly issues: boolean;
}

/** What requests of navigating browsers look like; the two are alternatives. */
const DOCUMENTS: readonly HeaderConditions[] = [{ accept: { regex: '.*text/html.*' } }, { 'sec-fetch-mode': { exact: 'navigate' } }];

export function splitOf(plan: RoutePlan): Split {
  if (plan.kind === 'settled') return { splitting: false, stable: plan.live, canary: plan.live, cutoff: 0, offset: 0 };
  return { splitting: true, stable: plan.stable, canary: plan.canary, cutoff: plan.cutoff, offset: plan.offset };
}

/** Headers that the rules at the gateway match on: fixed by the release, so that what can be woven does not change with its steps. */
export function issuingHeaders(release: CanaryRelease): readonly string[] {
  const documents = release.spec.visitorId.issueOn === 'documents' ? DOCUMENTS.flatMap((conditions) => Object.keys(conditions)) : [];
  return ['cookie', 'x-request-id', ...documents];
}

/** Headers that the rules of an internal hop match on. */
export function obeyingHeaders(release: CanaryRelease): readonly string[] {
  const names = { baggage: 'baggage', cookie: 'cookie', requestId: 'x-request-id' } as const;
  return release.spec.visitorId.propagate.map((way) => names[way]);
}

/**
 * The rules at the gateway (DESIGN section 2, rules 1 to 5): known visitors by their cookie, new ones by the request id, which becomes their
 * id, and the rest. A rule that no visitor can reach is left out: canary at cutoff 0, stable at cutoff 4096.
 */
export function issuingRules(rule: HTTPRoute, route: RouteObject, release: CanaryRelease, split: Split): readonly RuleSketch[] {
  const { cookie, issueOn } = release.spec.visitorId;
  const blocks = guardedBlocks(rule, route);
  const issuing = atGateways(blocks, route);
  const documents = issueOn === 'documents' ? DOCUMENTS : [{}];
  const asksFor = (regex: string) => documents.map((conditions) => ({ ...conditions, 'x-request-id': { regex } }));
  return present([
    ...knownRules(blocks, cookie.name, split),
    sketch('new', 'canary', issuing, asksFor, requestIdBelow(split.cutoff, split.offset), true),
    sketch('new', 'stable', issuing, asksFor, stableAt(split, requestIdValid()), true),
    REST,
  ]);
}

/**
 * The rules of an internal hop: told by baggage, known by the cookie, by the request id where the release says so, and the rest. Without a
 * split one rule is enough. Request ids decide in the mesh only: at a gateway they are fresh at every request.
 */
export function obeyingRules(rule: HTTPRoute, route: RouteObject, release: CanaryRelease, split: Split): readonly RuleSketch[] {
  if (!split.splitting) return [REST];
  const { cookie, propagate } = release.spec.visitorId;
  const key = baggageKey(release.metadata.namespace, release.metadata.name);
  const blocks = guardedBlocks(rule, route);
  const asBaggage = (regex: string) => [{ baggage: { regex } }];
  const asRequestId = (regex: string) => [{ 'x-request-id': { regex } }];
  const hop = inMesh(blocks, route);
  return present([
    ...(propagate.includes('baggage')
      ? [
          sketch('told', 'canary', blocks, asBaggage, split.cutoff > 0 ? baggagePattern(key, 'canary') : undefined, false),
          sketch('told', 'stable', blocks, asBaggage, baggagePattern(key, 'stable'), false),
        ]
      : []),
    ...(propagate.includes('cookie') ? knownRules(blocks, cookie.name, split) : []),
    ...(propagate.includes('requestId')
      ? [
          sketch('new', 'canary', hop, asRequestId, requestIdBelow(split.cutoff, split.offset), false),
          sketch('new', 'stable', hop, asRequestId, stableAt(split, requestIdValid()), false),
        ]
      : []),
    REST,
  ]);
}

const REST: RuleSketch = { role: 'rest', cohort: 'stable', match: undefined, issues: false };

function knownRules(blocks: readonly HTTPMatchRequest[], cookieName: string, split: Split): readonly (RuleSketch | undefined)[] {
  const asCookie = (regex: string) => [{ cookie: { regex } }];
  return [
    sketch('known', 'canary', blocks, asCookie, cookieBelow(cookieName, split.cutoff, split.offset), false),
    sketch('known', 'stable', blocks, asCookie, stableAt(split, cookieValid(cookieName)), false),
  ];
}

/** Whom the canary's rule before leaves over: nobody at cutoff 4096. */
function stableAt(split: Split, pattern: string): string | undefined {
  return split.cutoff >= BUCKETS ? undefined : pattern;
}

function sketch(
  role: RuleRole,
  cohort: Cohort,
  blocks: readonly HTTPMatchRequest[],
  conditions: (regex: string) => readonly HeaderConditions[],
  regex: string | undefined,
  issues: boolean,
): RuleSketch | undefined {
  if (regex === undefined || blocks.length === 0) return undefined;
  return { role, cohort, match: andConditions(blocks, conditions(regex)), issues };
}

function present(sketches: readonly (RuleSketch | undefined)[]): readonly RuleSketch[] {
  return sketches.filter((each) => each !== undefined);
}
