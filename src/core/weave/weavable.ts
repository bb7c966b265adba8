import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HeaderOperations, HTTPRoute } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { isCatchAll } from '../routing/catch-all.ts';
import { carriedConditions, headersOf, servedThrough } from './delegation.ts';
import type { Sharing } from './gateway-hosts.ts';
import { spelledKey } from './header-additions.ts';
import { guardOf } from './match-blocks.ts';
import { type ReleasedService, type Standing, standingOf } from './released-destination.ts';
import { rootObstacles } from './root-obstacles.ts';
import { type Delegation, describeRouteObject, type RouteObject } from './route-object.ts';
import { blocksOf, hasSourceConditions } from './rule-blocks.ts';
import { RULE_FINDINGS, type RuleFinding } from './rule-findings.ts';
import type { AddedHeader } from './rule-sketch.ts';

/** How an object is woven, as far as it decides which of its rules can be. */
export interface WeavingNeeds {
  readonly route: RouteObject;
  /** Destinations move to a version: only rules that lead to this service are woven. Undefined: every rule that routes, destinations kept. */
  readonly moves: { readonly service: ReleasedService; readonly versions: readonly Version[] } | undefined;
  /** Header names, lower case, on which woven rules match besides `:path`. */
  readonly matchHeaders: readonly string[];
  /** Names of query parameters on which they match. */
  readonly matchQueries?: readonly string[];
  /** Headers that woven destinations add. */
  readonly adds: readonly AddedHeader[];
  /** Woven rules draw between two destinations by weight. */
  readonly draws: boolean;
  /** Other VirtualServices that a gateway merges with this one. */
  readonly sharing: readonly Sharing[];
  /** Some woven rules are limited to the gateways, or to the mesh, in an object that both serve. */
  readonly limits: boolean;
  /** Ids are issued here. */
  readonly issues: boolean;
}

/** Whether a base rule is woven, and everything that is to be said about it. */
export interface RuleJudgement {
  readonly weavable: boolean;
  /** Leads to the service, woven or not. */
  readonly concerned: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** What is to be said about an object and its rules. */
export interface ObjectJudgement {
  readonly rules: readonly RuleJudgement[];
  /** Obstacles in the roots of a delegate: they are in the way of all its rules. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Judges all rules of an object's base. */
export function judgeRules(needs: WeavingNeeds): ObjectJudgement {
  const rules = (needs.route.spec.http ?? []).map((rule, index) => judgeRule(rule, index, needs));
  const obstacles = rules.some((rule) => rule.weavable) ? rootObstacles(needs) : [];
  if (obstacles.length === 0) return { rules, diagnostics: [] };
  return { rules: rules.map((rule) => ({ ...rule, weavable: false })), diagnostics: obstacles };
}

/** Judges one rule of the base: a rule that leads elsewhere is silently left alone; of one that is concerned every obstacle is told. */
function judgeRule(rule: HTTPRoute, index: number, needs: WeavingNeeds): RuleJudgement {
  const path = `spec.http[${index}]`;
  const say = (entry: RuleFinding, below = ''): Diagnostic => ({
    ...entry,
    object: describeRouteObject(needs.route),
    path: path + below,
  });
  const left = (diagnostics: readonly Diagnostic[], concerned: boolean): RuleJudgement => ({ weavable: false, concerned, diagnostics });

  if (rule.delegate !== undefined) {
    return left([say(RULE_FINDINGS.delegates(rule.delegate, needs.route, needs.moves !== undefined), '.delegate')], true);
  }
  if (rule.redirect !== undefined || rule.directResponse !== undefined) {
    return left([say(RULE_FINDINGS.answered, rule.redirect === undefined ? '.directResponse' : '.redirect')], false);
  }
  const targets = rule.route ?? [];
  const standings = targets.map((target) => standing(target.destination, needs));
  if (standings.every((each) => each === 'elsewhere')) return left([], false);
  if (targets.length > 1 && needs.moves !== undefined) return left([say(RULE_FINDINGS.weighted, '.route')], true);
  if (targets.length > 1 && needs.draws) return left([say(RULE_FINDINGS.drawnAlready, '.route')], true);
  if (standings.every((each) => each === 'pinned')) return left([say(RULE_FINDINGS.pinned, '.route[0].destination.subset')], true);

  const obstacles = [
    ...headerConflicts(rule, needs).map(({ block, name }) => say(RULE_FINDINGS.headerConflict(name), `.match[${block}].headers`)),
    ...queryConflicts(rule, needs).map(({ block, name }) => say(RULE_FINDINGS.queryConflict(name), `.match[${block}].queryParams`)),
    ...replacedAdditions(rule, needs).map((target) => say(RULE_FINDINGS.replaced, `.route[${target}].headers.response.add`)),
    ...undoneAdditions(rule, needs).map((at) => atOperation(at, RULE_FINDINGS.undone(at.name, needs.draws), say)),
    ...reorderedOperations(rule, needs).map((at) => atOperation(at, RULE_FINDINGS.reordered(at.name), say)),
    ...overtakingBlocks(rule, needs).map(({ block, sharing }) =>
      say(RULE_FINDINGS.overtaking(sharing), rule.match === undefined ? '' : `.match[${block}]`),
    ),
    ...mergeObstacles(rule, needs).map((entry) => say(entry, rule.match === undefined ? '' : '.match')),
  ];
  if (obstacles.length > 0) return left(obstacles, true);
  const notes = unissuedBlocks(rule, needs).map((block) =>
    say(needs.draws ? RULE_FINDINGS.notDrawn : RULE_FINDINGS.notIssued, `.match[${block}]`),
  );
  return { weavable: true, concerned: true, diagnostics: notes };
}

function standing(destination: Parameters<typeof standingOf>[0], needs: WeavingNeeds): Standing {
  const { moves, route } = needs;
  return moves === undefined ? 'released' : standingOf(destination, route.namespace, moves.service, moves.versions);
}

/** Where a rule's header operations stand: in the rule, or, inherited, in a rule of a root. */
interface OperationPlace {
  readonly name: string;
  readonly below: string;
  readonly from: Delegation | undefined;
}

function atOperation(
  { below, from }: OperationPlace,
  entry: RuleFinding,
  say: (entry: RuleFinding, below: string) => Diagnostic,
): Diagnostic {
  if (from === undefined) return say(entry, below);
  return { ...entry, object: describeRouteObject(from.root), path: `spec.http[${from.index}]${below}` };
}

/** What Istio's merge of root and delegate would do to the rules that this one becomes, and not to the rule itself. */
function mergeObstacles(rule: HTTPRoute, { route, limits }: WeavingNeeds): RuleFinding[] {
  const found: RuleFinding[] = [];
  if ((rule.match ?? []).length === 0 && carriedConditions(route) === undefined) found.push(RULE_FINDINGS.unrepeatable);
  // A root drops a rule one of whose matches fits nowhere; woven without the matches that cannot be limited it would come back.
  const isCut = limits && blocksOf(rule).some((block) => hasSourceConditions(block) || (block.gateways ?? []).length > 0);
  const excluding = isCut ? route.delegations.find((each) => servedThrough(each, rule, route) === undefined) : undefined;
  if (excluding !== undefined) found.push(RULE_FINDINGS.excluded(excluding));
  return found;
}

/** A block holds one matcher per header in `headers`; `withoutHeaders` is a map of its own and does not conflict. */
function headerConflicts(rule: HTTPRoute, needs: WeavingNeeds): { readonly block: number; readonly name: string }[] {
  return blocksOf(rule).flatMap((block, index) => {
    if (block.headers === undefined) return [];
    const needed = [...needs.matchHeaders, ...Object.keys(guardOf(block, needs.route))];
    return Object.keys(block.headers)
      .filter((name) => needed.includes(name.toLowerCase()))
      .map((name) => ({ block: index, name }));
  });
}

/** As with headers: one matcher per parameter. */
function queryConflicts(rule: HTTPRoute, { matchQueries = [] }: WeavingNeeds): { readonly block: number; readonly name: string }[] {
  return blocksOf(rule).flatMap((block, index) =>
    Object.keys(block.queryParams ?? {})
      .filter((name) => matchQueries.includes(name))
      .map((name) => ({ block: index, name })),
  );
}

function replacedAdditions(rule: HTTPRoute, needs: WeavingNeeds): number[] {
  const alone = needs.adds.filter((addition) => addition.alone);
  return (rule.route ?? []).flatMap((target, index) =>
    alone.some(({ direction, name }) => spelledKey(target.headers?.[direction]?.add, name) !== undefined) ? [index] : [],
  );
}

/** With several destinations, as drawing has them, Envoy applies the rule's operations after the destination's (istio-semantics 1.10). */
function undoneAdditions(rule: HTTPRoute, needs: WeavingNeeds): OperationPlace[] {
  if ((rule.route ?? []).length < 2 && !needs.draws) return [];
  return headersOf(rule, needs.route).flatMap(({ headers, from }) =>
    needs.adds.flatMap(({ direction, name }) =>
      touches(headers[direction], name) ? [{ name, below: `.headers.${direction}`, from }] : [],
    ),
  );
}

/** A rule and its one destination may name the same header; drawing, which makes two of it, would turn the order of the two round. */
function reorderedOperations(rule: HTTPRoute, needs: WeavingNeeds): OperationPlace[] {
  if (!needs.draws) return [];
  const [target] = rule.route ?? [];
  return headersOf(rule, needs.route).flatMap(({ headers, from }) =>
    (['request', 'response'] as const).flatMap((direction) => {
      const operations = headers[direction];
      const own = [...Object.keys(operations?.set ?? {}), ...Object.keys(operations?.add ?? {}), ...(operations?.remove ?? [])];
      const { set, add } = target?.headers?.[direction] ?? {};
      return [...new Set(own.map((name) => name.toLowerCase()))]
        .filter((name) => spelledKey(set, name) !== undefined || spelledKey(add, name) !== undefined)
        .map((name) => ({ name, below: `.headers.${direction}`, from }));
    }),
  );
}

function touches(operations: HeaderOperations | undefined, name: string): boolean {
  return spelledKey(operations?.set, name) !== undefined || (operations?.remove ?? []).some((each) => each.toLowerCase() === name);
}

function overtakingBlocks(rule: HTTPRoute, { route, sharing }: WeavingNeeds): { readonly block: number; readonly sharing: Sharing }[] {
  return blocksOf(rule).flatMap((block, index) => {
    const overtaken = sharing.find(({ through }) => {
      if (through === undefined) return isCatchAll(block);
      if (servedThrough(through, rule, route) === undefined) return false;
      const served = servedThrough(through, { ...rule, match: rule.match === undefined ? [] : [block] }, route);
      return served !== undefined && blocksOf(served).some(isCatchAll);
    });
    return overtaken === undefined ? [] : [{ block: index, sharing: overtaken }];
  });
}

function unissuedBlocks(rule: HTTPRoute, needs: WeavingNeeds): number[] {
  if (!needs.issues || !needs.limits) return [];
  return blocksOf(rule).flatMap((block, index) => (hasSourceConditions(block) && (block.gateways ?? []).length === 0 ? [index] : []));
}
