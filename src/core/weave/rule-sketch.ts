import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { baggageKey, baggagePattern, type Cohort } from '../visitor/cohort.ts';
import type { GatewayPart } from './gateway-part.ts';
import type { HeaderAddition } from './header-additions.ts';
import { andConditions, type HeaderConditions } from './match-blocks.ts';
import type { RouteObject } from './route-object.ts';
import type { RuledCohort, RuleRole } from './rule-name.ts';

/** One rule of those that a base rule becomes; `match` undefined keeps the base's own. */
export interface RuleSketch {
  /** Of each release that has a part in the rule, in their order. */
  readonly parts: readonly { readonly role: RuleRole; readonly cohort: RuledCohort }[];
  readonly match: readonly HTTPMatchRequest[] | undefined;
  /** What each destination of the base becomes: one, or the two that are drawn between, stable first. */
  readonly destinations: readonly DestinationSketch[];
}

/** What a woven rule makes of a destination of the base: the version it leads to, its share of a draw, what it adds. */
export interface DestinationSketch {
  /** Of each release that has a part in the rule, in their order. */
  readonly cohorts: readonly Cohort[];
  /** Undefined: as the base has it. */
  readonly weight: number | undefined;
  readonly additions: readonly HeaderAddition[];
}

/** How the rules of one object are woven. Everything but `sketch` is fixed by the release, so that what can be woven does not change with its steps. */
export interface ObjectRules {
  /** Header names, lower case, on which woven rules match besides `:path`. */
  readonly matchHeaders: readonly string[];
  /** Names of query parameters on which they match. */
  readonly matchQueries?: readonly string[];
  /** Headers that woven destinations add. */
  readonly adds: readonly AddedHeader[];
  /** Some woven rules have two destinations, drawn between by weight. */
  readonly draws: boolean;
  /** The release's part where several decide about one rule; undefined where it has to decide alone. */
  readonly part?: GatewayPart;
  /** What a base rule becomes where this release alone decides, in order; the last one is the `rest` rule, with the base's own match. */
  sketch(rule: HTTPRoute, route: RouteObject): readonly RuleSketch[];
}

/** A header that woven destinations add. */
export interface AddedHeader {
  readonly direction: 'request' | 'response';
  /** Lower case. */
  readonly name: string;
  /** Cannot be joined with what the base adds under that name: one of the two would be lost. */
  readonly alone: boolean;
}

/** How a release is woven: the object at the gateway, where cohorts are decided, and the one of an internal hop, which obeys. */
export interface Scheme {
  /** Versions of the cohorts; the same one once the release is settled. */
  readonly versions: Readonly<Record<Cohort, Version>>;
  /** The gateway's rules tell later hops the cohort, as baggage. */
  readonly stamped: boolean;
  readonly gateway: ObjectRules;
  readonly hop: ObjectRules;
}

/** Where a release is woven. */
export interface Place {
  /** The routed object itself is the one at the gateway: there is no hop. */
  readonly edge: boolean;
  /** Cookies that do not say themselves whether they are secure, are. */
  readonly secure: boolean;
}

/** What requests of navigating browsers look like; the two are alternatives. */
export const DOCUMENTS: readonly HeaderConditions[] = [{ accept: { regex: '.*text/html.*' } }, { 'sec-fetch-mode': { exact: 'navigate' } }];

/** The headers of `DOCUMENTS`. */
export const DOCUMENT_HEADERS: readonly string[] = DOCUMENTS.flatMap((conditions) => Object.keys(conditions));

/** What no rule before takes: stable. */
export const REST: RuleSketch = sketched('rest', 'stable', undefined);

/** A rule for one cohort. */
export function sketched(
  role: RuleRole,
  cohort: Cohort,
  match: readonly HTTPMatchRequest[] | undefined,
  additions: readonly HeaderAddition[] = [],
): RuleSketch {
  return { parts: [{ role, cohort }], match, destinations: [{ cohorts: [cohort], weight: undefined, additions }] };
}

/** Those that can match anything: a rule whose blocks are all ruled out is none. */
export function present(sketches: readonly (RuleSketch | undefined)[]): readonly RuleSketch[] {
  return sketches.filter((each) => each !== undefined && (each.match === undefined || each.match.length > 0)) as readonly RuleSketch[];
}

/** The rules of a hop that obeys what the gateway stamped; nobody is believed who says canary when there is none (`hasCanary`). */
export function toldRules(release: CanaryRelease, blocks: readonly HTTPMatchRequest[], hasCanary: boolean): readonly RuleSketch[] {
  const { metadata, spec } = release;
  if (!spec.visitorId.propagate.includes('baggage')) return [];
  const key = baggageKey(metadata.namespace, metadata.name);
  const told = (cohort: Cohort) => sketched('told', cohort, andConditions(blocks, [{ baggage: { regex: baggagePattern(key, cohort) } }]));
  return [...(hasCanary ? [told('canary')] : []), told('stable')];
}

/**
 * Headers that rules at a gateway add, whatever decides there: the release's cookie, which replaces what the base adds; `Cache-Control` of the
 * answers that carry it; and, where later hops are told by it, baggage.
 */
export function addedAtGateway(baggage: boolean): readonly AddedHeader[] {
  return [
    { direction: 'response', name: 'set-cookie', alone: true },
    { direction: 'response', name: 'cache-control', alone: false },
    ...(baggage ? [{ direction: 'request' as const, name: 'baggage', alone: false }] : []),
  ];
}

/** Headers that the rules of an internal hop match on. */
export function hopHeaders(release: CanaryRelease): readonly string[] {
  const names = { baggage: 'baggage', cookie: 'cookie', requestId: 'x-request-id' } as const;
  return release.spec.visitorId.propagate.map((way) => names[way]);
}
