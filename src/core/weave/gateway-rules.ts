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

/** What a base rule becomes. */
type Sketcher = (rule: HTTPRoute, route: RouteObject) => readonly RuleSketch[];

/**
 * The rules at the gateway (docs/guides/routes.md): first those whose cohort is claimed, then known visitors by their id, new ones by the request id,
 * which becomes their id, and the rest. Known and new ones once for each cell of visitors: with one release its canary and its stable. A cell that no
 * visitor can be in is left out: canary at cutoff 0, stable at cutoff 4096. Patterns and additions are made once for all rules.
 */
export function gatewayRules(parts: readonly GatewayPart[]): Sketcher {
  const [first] = parts;
  if (first === undefined) return () => [];
  const templates = claimings(parts).flatMap((claims) => templatesUnder(claims, parts, first));
  return (rule, route) => {
    const blocks = guardedBlocks(rule, route);
    const issuing = atGateways(blocks, route);
    return present(
      templates.map(({ parts: decided, destinations, narrowings, issues }) => ({
        parts: decided,
        match: narrowings === undefined ? undefined : narrowed(issues ? issuing : blocks, narrowings),
        destinations,
      })),
    );
  };
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

/** What is added to a block of the base rule's match. */
type Narrowing = Required<Pick<HTTPMatchRequest, 'headers' | 'queryParams'>>;

/** A rule but for what it takes from the base rule. */
interface Template extends Omit<RuleSketch, 'match'> {
  /** Alternatives; undefined: the base rule's own match. */
  readonly narrowings: readonly Narrowing[] | undefined;
  /** Only where ids can be issued. */
  readonly issues: boolean;
}

/** The rules of requests for which just these claims hold. */
function templatesUnder(claims: Claiming, parts: readonly GatewayPart[], first: GatewayPart): readonly Template[] {
  const source = idSourceOf(first.release);
  const draws = drawsLeft(parts, claims);
  const cells = cellsOf(draws);
  const claimed = claims.filter((claim) => claim !== undefined);
  const chosen = claimed.flatMap((claim) => claim.additions);
  const additions = unique([...chosen, ...(isPrivate(parts) ? [PRIVATE] : [])]);
  const template = (
    role: RuleRole,
    drawn: readonly Cohort[],
    narrowings: Template['narrowings'],
    added: readonly HeaderAddition[],
  ): Template => {
    const cohorts = drawn.map((cohort, index) => claims[index]?.cohort ?? cohort);
    const stamps = parts.flatMap((part, index) => part.stamp(cohorts[index] ?? 'stable'));
    return {
      parts: cohorts.map((cohort, index) => ({ role: claims[index] === undefined ? role : ('claimed' as const), cohort })),
      destinations: [{ cohorts, weight: undefined, additions: unique([...stamps, ...added]) }],
      narrowings,
      issues: role === 'new',
    };
  };
  const asking = (...alternatives: readonly (readonly HeaderCondition[])[]) => alternatives.map((each) => narrowingOf(claimed, each));
  const everyone = parts.map((): Cohort => 'stable');
  const rest = template('rest', everyone, claimed.length === 0 ? undefined : asking([]), additions);
  // Where nobody is left to be drawn, it does not matter whose the request is.
  if (claimed.length > 0 && draws.every((draw) => draw === undefined)) return [rest];
  const known = cells.map((cell) => {
    const patterns = patternsOf(cell, (draw) => source.below(draw.cutoff, draw.offset), source.valid);
    return template('known', cell.cohorts, asking(patterns.map(conditionOn(source.header))), additions);
  });
  // One Set-Cookie is all that a destination can add: who follows a link gets an id with the next page.
  if (!source.issues || chosen.length > 0) return [...known, rest];
  const documents = first.release.spec.visitorId.issueOn === 'documents' ? DOCUMENTS.map((page) => Object.entries(page)) : [[]];
  const drawn = cells.map((cell) => {
    const patterns = patternsOf(cell, (draw) => requestIdBelow(draw.cutoff, draw.offset), requestIdValid());
    const asked = patterns.map(conditionOn('x-request-id'));
    return template('new', cell.cohorts, asking(...documents.map((page) => [...page, ...asked])), first.issue);
  });
  return [...known, ...drawn, rest];
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

/** No query parameters: told apart by itself, since it is asked for with every block. */
const NONE: Narrowing['queryParams'] = {};

function narrowingOf(claims: readonly Claim[], conditions: readonly HeaderCondition[]): Narrowing {
  return {
    headers: conditionsByName([...claims.flatMap(({ headers }) => headers), ...conditions]),
    queryParams: claims.some(({ queryParams }) => Object.keys(queryParams).length > 0)
      ? Object.assign({}, ...claims.map(({ queryParams }) => queryParams))
      : NONE,
  };
}

/** Blocks times alternatives, since blocks are alternatives themselves. */
function narrowed(blocks: readonly HTTPMatchRequest[], narrowings: readonly Narrowing[]): readonly HTTPMatchRequest[] {
  const found: HTTPMatchRequest[] = [];
  for (const block of blocks) {
    for (const { headers, queryParams } of narrowings) {
      const match = { ...block, headers: { ...block.headers, ...headers } };
      found.push(queryParams === NONE ? match : { ...match, queryParams: { ...block.queryParams, ...queryParams } });
    }
  }
  return found;
}

function unique(additions: readonly HeaderAddition[]): readonly HeaderAddition[] {
  return additions.filter((each, index) => additions.indexOf(each) === index);
}
