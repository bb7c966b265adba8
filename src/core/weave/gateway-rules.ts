import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { cookieBelow, cookieValid, requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { type Cell, cellsOf, type Draw } from './cohort-cells.ts';
import type { GatewayPart } from './gateway-part.ts';
import { type HeaderAddition, PRIVATE } from './header-additions.ts';
import { andConditions, atGateways, guardedBlocks, type HeaderConditions } from './match-blocks.ts';
import type { RouteObject } from './route-object.ts';
import { DOCUMENTS, present, type RuleSketch } from './rule-sketch.ts';

/**
 * The rules at the gateway (docs/guides/routes.md): known visitors by their cookie, new ones by the request id, which becomes their
 * id, and the rest. Each but the last once for each cell of visitors: with one release its canary and its stable. A cell that no visitor can
 * be in is left out: canary at cutoff 0, stable at cutoff 4096.
 */
export function gatewayRules(rule: HTTPRoute, route: RouteObject, parts: readonly GatewayPart[]): readonly RuleSketch[] {
  const [first] = parts;
  if (first === undefined) return [];
  const { visitorId } = first.release.spec;
  const { name } = visitorId.cookie;
  const blocks = guardedBlocks(rule, route);
  const documents = visitorId.issueOn === 'documents' ? DOCUMENTS : [{}];
  const isPrivate = parts.some(({ draw, release }) => draw !== undefined && release.spec.cache === 'private');
  const cells = cellsOf(parts.map(({ draw }) => draw));
  const stamps = (cohorts: readonly Cohort[]) => parts.flatMap((part, index) => part.stamp(cohorts[index] ?? 'stable'));
  const knownBy = (cell: Cell) =>
    allOf(
      'cookie',
      below(cell, (draw) => cookieBelow(name, draw.cutoff, draw.offset), cookieValid(name)),
    );
  const drawnBy = (cell: Cell) =>
    allOf(
      'x-request-id',
      below(cell, (draw) => requestIdBelow(draw.cutoff, draw.offset), requestIdValid()),
    );
  const marked = isPrivate ? [PRIVATE] : [];
  const everyone = parts.map((): Cohort => 'stable');
  return present([
    ...cells.map((cell) => sketchOf('known', cell.cohorts, andConditions(blocks, [knownBy(cell)]), [...stamps(cell.cohorts), ...marked])),
    ...cells.map((cell) => {
      const asked = documents.map((conditions) => ({ ...conditions, ...drawnBy(cell) }));
      return sketchOf('new', cell.cohorts, andConditions(atGateways(blocks, route), asked), [...stamps(cell.cohorts), ...first.issue]);
    }),
    sketchOf('rest', everyone, undefined, stamps(everyone)),
  ]);
}

function below(cell: Cell, pattern: (draw: Draw) => string | undefined, valid: string): readonly string[] {
  return cell.below.length === 0 ? [valid] : cell.below.flatMap((draw) => pattern(draw) ?? []);
}

/**
 * One header that has to match several patterns. A map of conditions holds one per name; Envoy compares names without regard to case
 * (`LowerCaseString`), and Istio passes them on as they are written, so each further condition has one more capital: `cookie`, `Cookie`, `COokie`.
 */
function allOf(name: string, regexes: readonly string[]): HeaderConditions {
  return Object.fromEntries(regexes.map((regex, index) => [withCapitals(name, index), { regex }]));
}

/** The name with so many of its first letters as capitals. */
function withCapitals(name: string, count: number): string {
  let left = count;
  return name.replaceAll(/[a-z]/g, (letter) => (left-- > 0 ? letter.toUpperCase() : letter));
}

function sketchOf(
  role: RuleSketch['role'],
  cohorts: readonly Cohort[],
  match: readonly HTTPMatchRequest[] | undefined,
  additions: readonly HeaderAddition[],
): RuleSketch {
  return { role, cohorts, match, destinations: [{ cohorts, weight: undefined, additions }] };
}
