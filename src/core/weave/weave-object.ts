import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HTTPRoute, HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { deepCopy } from './deep-copy.ts';
import type { GatewayPart } from './gateway-part.ts';
import { gatewayRules, mostGroups } from './gateway-rules.ts';
import { PRIVATE, withAdditions } from './header-additions.ts';
import { atVersion, type ReleasedService } from './released-destination.ts';
import type { RouteObject } from './route-object.ts';
import { type BaseDestination, wovenRuleName } from './rule-name.ts';
import type { ObjectRules, RuleSketch, Scheme } from './rule-sketch.ts';
import { judgeRules, type WeavingNeeds } from './weavable.ts';

/** How one release is woven into an object. */
export interface ObjectWeaving {
  readonly release: { readonly namespace: string; readonly name: string };
  readonly scheme: Pick<Scheme, 'versions' | 'stamped'>;
  readonly rules: Pick<ObjectRules, 'sketch' | 'part'>;
  /** Destinations move to the cohort's version; undefined: they stay, with a stamp on the request or without. */
  readonly moves: ReleasedService | undefined;
  readonly needs: WeavingNeeds;
}

/** What a release came to in an object. */
export interface WovenPart {
  /** Indexes of the base rules that were woven. */
  readonly woven: readonly number[];
  /** Count of the base rules that concern the release. */
  readonly concerned: number;
  /** The most groups that the visitors known at one of its rules may be divided into, whatever the cutoffs; 1 where the release divides nobody. */
  readonly groups: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** An object with releases woven in, and what was found on the way, of each of them in the order in which they came. */
export interface WovenObject {
  readonly virtualService: KubeObject;
  readonly parts: readonly WovenPart[];
}

/**
 * Weaves every rule that can be woven; the others stay where they are, as they are. Where several releases have to do with a rule, they
 * divide its visitors together. The result shares nothing with the base.
 */
export function weaveObject(route: RouteObject, weavings: readonly ObjectWeaving[]): WovenObject {
  const judgements = weavings.map((weaving) => judgeRules(weaving.needs));
  const rules = route.spec.http ?? [];
  const involved = rules.map((_, index) => compatible(weavings.filter((__, at) => judgements[at]?.rules[index]?.weavable === true)));
  const http = rules.flatMap((rule, index) => weaveRule(rule, route, involved[index] ?? []));
  return {
    virtualService: deepCopy({ ...route.object, spec: { ...route.spec, ...(route.spec.http === undefined ? {} : { http }) } }),
    parts: weavings.map((weaving, at): WovenPart => {
      const { rules: judged = [], diagnostics = [] } = judgements[at] ?? {};
      return {
        woven: involved.flatMap((all, index) => (all.includes(weaving) ? [index] : [])),
        concerned: judged.filter((each) => each.concerned).length,
        groups:
          weaving.rules.part?.draw === undefined ? 1 : Math.max(1, ...involved.filter((all) => all.includes(weaving)).map(groupsAmong)),
        diagnostics: [...diagnostics, ...judged.flatMap((each) => each.diagnostics)],
      };
    }),
  };
}

function groupsAmong(weavings: readonly ObjectWeaving[]): number {
  return mostGroups(weavings.flatMap(({ rules }) => rules.part ?? []));
}

/** Those that one rule can be woven for at once: the first one, and, where that shares, all others that do. Only one may move destinations. */
function compatible(weavings: readonly ObjectWeaving[]): readonly ObjectWeaving[] {
  const [first] = weavings;
  if (first?.rules.part === undefined) return first === undefined ? [] : [first];
  const mover = weavings.find((each) => each.moves !== undefined);
  return weavings.filter((each) => each.rules.part !== undefined && (each.moves === undefined || each === mover));
}

function weaveRule(rule: HTTPRoute, route: RouteObject, weavings: readonly ObjectWeaving[]): readonly HTTPRoute[] {
  const deciding = withoutIdle(weavings);
  const parts = deciding.flatMap(({ rules }): GatewayPart[] => (rules.part === undefined ? [] : [rules.part]));
  const [first] = deciding;
  if (first === undefined) return [rule];
  const sketches = deciding.length === 1 ? first.rules.sketch(rule, route) : gatewayRules(rule, route, parts);
  return sketches.map((sketch) => wovenRule(rule, route, deciding, sketch));
}

/** Where another release issues ids, one that neither moves nor tells anything has nothing to add. */
function withoutIdle(weavings: readonly ObjectWeaving[]): readonly ObjectWeaving[] {
  const busy = weavings.filter(({ moves, scheme }) => moves !== undefined || scheme.stamped);
  return busy.length === 0 ? weavings.slice(0, 1) : busy;
}

function wovenRule(rule: HTTPRoute, route: RouteObject, weavings: readonly ObjectWeaving[], sketch: RuleSketch): HTTPRoute {
  const { parts, match, destinations } = sketch;
  const name = weavings.reduce<string | undefined>((baseName, weaving, index) => {
    const { namespace, name: release } = weaving.release;
    const { role = 'rest', cohort = 'stable' } = parts[index] ?? {};
    const base = baseDestination(rule, route, weaving, cohort === 'drawn');
    // One of them takes it out again.
    const isMarked =
      index === 0 && role === 'rest' && destinations.some(({ additions }) => cohort !== 'drawn' && additions.includes(PRIVATE));
    return wovenRuleName({ namespace, release, role, cohort, base: isMarked ? { ...base, marked: true } : base, baseName });
  }, rule.name);
  const targets = destinations.flatMap(({ cohorts: decided, weight, additions }) =>
    (rule.route ?? []).map((target) => {
      const moved = weavings.reduce((at, { moves, scheme }, index) => {
        return moves === undefined ? at : movedTo(at, route, moves, scheme.versions[decided[index] ?? 'stable']);
      }, target);
      return withAdditions(weight === undefined ? moved : { ...moved, weight }, additions);
    }),
  );
  return withFields(rule, name ?? '', match, targets);
}

function movedTo(target: HTTPRouteDestination, route: RouteObject, service: ReleasedService, version: Version): HTTPRouteDestination {
  return { ...target, destination: atVersion(target.destination, route.namespace, service, version) };
}

/** What un-weaving has to know of the base: host and port only where the rest rule lost them, and the weight where a draw replaced it. */
function baseDestination(rule: HTTPRoute, route: RouteObject, { moves, scheme }: ObjectWeaving, isDrawn: boolean): BaseDestination {
  const [target] = rule.route ?? [];
  if (moves === undefined || target === undefined) return { kind: 'kept', stamped: scheme.stamped };
  const { destination, weight } = target;
  const rest = atVersion(destination, route.namespace, moves, scheme.versions.stable);
  const same = rest.host === destination.host && rest.port?.number === destination.port?.number;
  const address = same ? undefined : { host: destination.host, port: destination.port?.number };
  const moved = { kind: 'moved' as const, subset: destination.subset, address };
  return isDrawn && weight !== undefined ? { ...moved, weight } : moved;
}

/** The rule with these fields in place of its own, in its order of keys; every other field is kept. */
function withFields(
  rule: HTTPRoute,
  name: string,
  match: HTTPRoute['match'] | undefined,
  route: readonly HTTPRouteDestination[],
): HTTPRoute {
  const named = rule.name === undefined ? { name, ...rule, route } : { ...rule, name, route };
  if (match === undefined) return named;
  if (rule.match !== undefined) return { ...named, match };
  const { name: _, ...rest } = named;
  return { name, match, ...rest };
}
