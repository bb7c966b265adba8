import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { type Claim, conditionsByName, type HeaderCondition } from './claim.ts';
import { type Cell, cellsOf, type Draw, mostCells } from './cohort-cells.ts';
import type { GatewayPart } from './gateway-part.ts';
import { type HeaderAddition, PRIVATE } from './header-additions.ts';
import { idSourceOf } from './id-source.ts';
import { atGateways, guardedBlocks } from './match-blocks.ts';
import type { RouteObject } from './route-object.ts';
import type { RuleRole } from './rule-name.ts';
import { DOCUMENTS, present, type RuleSketch } from './rule-sketch.ts';

/**
 * The rules at the gateway (docs/guides/routes.md): first those whose cohort is claimed, then known visitors by their id, new ones by the request id,
 * which becomes their id, and the rest. Known and new ones once for each cell of visitors: with one release its canary and its stable. A cell that no
 * visitor can be in is left out: canary at cutoff 0, stable at cutoff 4096.
 */
export function gatewayRules(rule: HTTPRoute, route: RouteObject, parts: readonly GatewayPart[]): readonly RuleSketch[] {
  const [first] = parts;
  if (first === undefined) return [];
  return present(claimings(parts).flatMap((claims) => rulesUnder(claims, { rule, route, parts, first })));
}

/** The most groups that the visitors known at a rule may be divided into, whatever the cutoffs are: each has a rule of its own. */
export function mostGroups(parts: readonly GatewayPart[]): number {
  return claimings(parts).reduce((sum, claims) => sum + mostCells(drawsLeft(parts, claims).flatMap((draw) => draw?.offset ?? [])), 0);
}

/** A claim of each release, or none of it. */
type Claiming = readonly (Claim | undefined)[];

/** All combinations, in the order in which they have to be asked: as the releases come, each with its claims before its draw. */
function claimings(parts: readonly GatewayPart[]): readonly Claiming[] {
  return parts.reduce<readonly Claiming[]>(
    (all, { claims }) => all.flatMap((before) => [...claims, undefined].map((claim) => [...before, claim])),
    [[]],
  );
}

function drawsLeft(parts: readonly GatewayPart[], claims: Claiming): readonly (Draw | undefined)[] {
  return parts.map(({ draw }, index) => (claims[index] === undefined ? draw : undefined));
}

interface Weaving {
  readonly rule: HTTPRoute;
  readonly route: RouteObject;
  readonly parts: readonly GatewayPart[];
  readonly first: GatewayPart;
}

/** The rules of requests for which just these claims hold. */
function rulesUnder(claims: Claiming, { rule, route, parts, first }: Weaving): readonly RuleSketch[] {
  const { visitorId } = first.release.spec;
  const source = idSourceOf(first.release);
  const blocks = guardedBlocks(rule, route);
  const draws = drawsLeft(parts, claims);
  const cells = cellsOf(draws);
  const claimed = claims.filter((claim) => claim !== undefined);
  const asked = claimed.flatMap(({ headers }) => headers);
  const additions = unique([...claimed.flatMap((claim) => claim.additions), ...(isPrivate(parts) ? [PRIVATE] : [])]);
  const sketch = (role: RuleRole, drawn: readonly Cohort[], match: RuleSketch['match'], added: readonly HeaderAddition[]): RuleSketch => {
    const cohorts = drawn.map((cohort, index) => claims[index]?.cohort ?? cohort);
    const stamps = parts.flatMap((part, index) => part.stamp(cohorts[index] ?? 'stable'));
    const named = cohorts.map((cohort, index) => ({ role: claims[index] === undefined ? role : ('claimed' as const), cohort }));
    return { parts: named, match, destinations: [{ cohorts, weight: undefined, additions: unique([...stamps, ...added]) }] };
  };
  const matching = (from: readonly HTTPMatchRequest[], alternatives: readonly (readonly HeaderCondition[])[]) =>
    from.flatMap((block) => alternatives.map((conditions) => narrowed(block, [...asked, ...conditions], claimed)));
  const everyone = parts.map((): Cohort => 'stable');
  const rest = sketch('rest', everyone, claimed.length === 0 ? undefined : matching(blocks, [[]]), additions);
  // Where nobody is left to be drawn, it does not matter whose the request is.
  if (claimed.length > 0 && draws.every((draw) => draw === undefined)) return [rest];
  const known = cells.map((cell) => {
    const conditions = patternsOf(cell, (draw) => source.below(draw.cutoff, draw.offset), source.valid).map(conditionOn(source.header));
    return sketch('known', cell.cohorts, matching(blocks, [conditions]), additions);
  });
  // One Set-Cookie is all that a destination can add: who follows a link gets an id with the next page.
  const issues = source.issues && claimed.every((claim) => claim.additions.length === 0);
  const documents = visitorId.issueOn === 'documents' ? DOCUMENTS.map((conditions) => Object.entries(conditions)) : [[]];
  const drawn = cells.map((cell) => {
    const patterns = patternsOf(cell, (draw) => requestIdBelow(draw.cutoff, draw.offset), requestIdValid());
    const match = matching(
      atGateways(blocks, route),
      documents.map((page) => [...page, ...patterns.map(conditionOn('x-request-id'))]),
    );
    return sketch('new', cell.cohorts, match, unique([...first.issue, ...claimed.flatMap((claim) => claim.additions)]));
  });
  return [...known, ...(issues ? drawn : []), rest];
}

function isPrivate(parts: readonly GatewayPart[]): boolean {
  return parts.some(({ draw, release }) => draw !== undefined && release.spec.cache === 'private');
}

function patternsOf(cell: Cell, pattern: (draw: Draw) => string | undefined, valid: string): readonly string[] {
  return cell.below.length === 0 ? [valid] : cell.below.flatMap((draw) => pattern(draw) ?? []);
}

function conditionOn(header: string): (regex: string) => HeaderCondition {
  return (regex) => [header, { regex }];
}

function narrowed(block: HTTPMatchRequest, conditions: readonly HeaderCondition[], claims: readonly Claim[]): HTTPMatchRequest {
  const queries = claims.flatMap(({ queryParams }) => Object.entries(queryParams));
  const headers = { ...block.headers, ...conditionsByName(conditions) };
  return queries.length === 0
    ? { ...block, headers }
    : { ...block, headers, queryParams: { ...block.queryParams, ...Object.fromEntries(queries) } };
}

function unique(additions: readonly HeaderAddition[]): readonly HeaderAddition[] {
  return additions.filter((each, index) => additions.indexOf(each) === index);
}
