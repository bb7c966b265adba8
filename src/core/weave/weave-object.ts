import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HTTPRoute, HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import type { Cohort } from '../visitor/cohort.ts';
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
 * divide its visitors together. Woven rules share parts with the base and with each other: nobody changes them.
 */
export function weaveObject(route: RouteObject, weavings: readonly ObjectWeaving[]): WovenObject {
  const judgements = weavings.map((weaving) => judgeRules(weaving.needs));
  const rules = route.spec.http ?? [];
  const involvedBy = onceForEachSet(weavings);
  const involved = rules.map((_, index) => involvedBy((at) => judgements[at]?.rules[index]?.weavable === true));
  const sketcherOf = sketchersOf(weavings);
  const http = rules.flatMap((rule, index) => weaveRule(rule, route, involved[index] ?? [], sketcherOf));
  return {
    virtualService: { ...route.object, spec: { ...route.spec, ...(route.spec.http === undefined ? {} : { http }) } },
    parts: weavings.map((weaving, at): WovenPart => {
      const { rules: judged = [], diagnostics = [] } = judgements[at] ?? {};
      return {
        woven: involved.flatMap((all, index) => (all.includes(weaving) ? [index] : [])),
        concerned: judged.filter((each) => each.concerned).length,
        groups: weaving.rules.part?.draw === undefined ? 1 : mostGroupsOf(involved, weaving),
        diagnostics: [...diagnostics, ...judged.flatMap((each) => each.diagnostics)],
      };
    }),
  };
}

/** Which of the weavings one rule is woven for, by those that could be: most rules have the same ones, and get the same array. */
function onceForEachSet(weavings: readonly ObjectWeaving[]): (isWeavable: (at: number) => boolean) => readonly ObjectWeaving[] {
  const known = new Map<string, readonly ObjectWeaving[]>();
  return (isWeavable) => {
    const key = weavings.map((_, at) => (isWeavable(at) ? 'x' : '-')).join('');
    const found = known.get(key) ?? compatible(weavings.filter((_, at) => isWeavable(at)));
    known.set(key, found);
    return found;
  };
}

function mostGroupsOf(involved: readonly (readonly ObjectWeaving[])[], weaving: ObjectWeaving): number {
  const sets = [...new Set(involved)].filter((all) => all.includes(weaving));
  return Math.max(1, ...sets.map(groupsAmong));
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

type Sketch = ObjectRules['sketch'];

/** What decides for one of the weavings or several of them together, made once for all rules. */
function sketchersOf(weavings: readonly ObjectWeaving[]): (deciding: readonly ObjectWeaving[]) => Sketch {
  const known = new Map<string, Sketch>();
  return (deciding) => {
    const [first] = deciding;
    if (first !== undefined && deciding.length === 1) return first.rules.sketch;
    const key = deciding.map((each) => weavings.indexOf(each)).join();
    const sketch =
      known.get(key) ?? gatewayRules(deciding.flatMap(({ rules }): GatewayPart[] => (rules.part === undefined ? [] : [rules.part])));
    known.set(key, sketch);
    return sketch;
  };
}

function weaveRule(
  rule: HTTPRoute,
  route: RouteObject,
  weavings: readonly ObjectWeaving[],
  sketcherOf: (deciding: readonly ObjectWeaving[]) => Sketch,
): readonly HTTPRoute[] {
  if (weavings.length === 0) return [rule];
  const deciding = withoutIdle(weavings);
  const base = {
    rule,
    weavings: deciding,
    was: deciding.map((each) => baseDestination(rule, route, each)),
    at: destinationsOf(rule, route, deciding),
  };
  return sketcherOf(deciding)(rule, route).map((sketch) => wovenRule(base, sketch));
}

/** A base rule that is woven, and what all the rules that it becomes have in common. */
interface WovenBase {
  readonly rule: HTTPRoute;
  readonly weavings: readonly ObjectWeaving[];
  /** Of each weaving, what the destination is in the base. */
  readonly was: readonly BaseDestination[];
  /** The base's destinations, at the versions of these cohorts. */
  readonly at: (cohorts: readonly Cohort[]) => readonly HTTPRouteDestination[];
}

function destinationsOf(rule: HTTPRoute, route: RouteObject, weavings: readonly ObjectWeaving[]): WovenBase['at'] {
  const targets = rule.route ?? [];
  // At most one moves destinations.
  const index = weavings.findIndex(({ moves }) => moves !== undefined);
  const { moves, scheme } = weavings[index] ?? {};
  if (moves === undefined || scheme === undefined) return () => targets;
  const moved: Partial<Record<Cohort, readonly HTTPRouteDestination[]>> = {};
  return (cohorts) => {
    const cohort = cohorts[index] ?? 'stable';
    moved[cohort] ??= targets.map((target) => movedTo(target, route, moves, scheme.versions[cohort]));
    return moved[cohort];
  };
}

/** Where another release issues ids, one that neither moves nor tells anything has nothing to add. */
function withoutIdle(weavings: readonly ObjectWeaving[]): readonly ObjectWeaving[] {
  const busy = weavings.filter(({ moves, scheme }) => moves !== undefined || scheme.stamped);
  return busy.length === 0 ? weavings.slice(0, 1) : busy;
}

function wovenRule({ rule, weavings, was, at }: WovenBase, { parts, match, destinations }: RuleSketch): HTTPRoute {
  const isMarked = destinations.length === 1 && destinations[0]?.additions.includes(PRIVATE) === true;
  const name = weavings.reduce<string | undefined>((baseName, { release: { namespace, name: release } }, index) => {
    const { role = 'rest', cohort = 'stable' } = parts[index] ?? {};
    const kept: BaseDestination = was[index] ?? { kind: 'kept', stamped: false };
    const base = cohort === 'drawn' ? drawnFrom(kept, rule.route?.[0]?.weight) : kept;
    // One of them takes the mark out again; of a draw un-weaving sees it by the two destinations.
    const marked = index === 0 && role === 'rest' && isMarked ? ({ marked: true } as const) : {};
    return wovenRuleName({ namespace, release, role, cohort, base: { ...base, ...marked }, baseName });
  }, rule.name);
  const targets = destinations.flatMap(({ cohorts: decided, weight, additions }) =>
    at(decided).map((moved) => withAdditions(weight === undefined ? moved : { ...moved, weight }, additions)),
  );
  return withFields(rule, name ?? '', match, targets);
}

function movedTo(target: HTTPRouteDestination, route: RouteObject, service: ReleasedService, version: Version): HTTPRouteDestination {
  return { ...target, destination: atVersion(target.destination, route.namespace, service, version) };
}

/** What un-weaving has to know of the base: host and port only where the rest rule lost them. */
function baseDestination(rule: HTTPRoute, route: RouteObject, { moves, scheme }: ObjectWeaving): BaseDestination {
  const [target] = rule.route ?? [];
  if (moves === undefined || target === undefined) return { kind: 'kept', stamped: scheme.stamped };
  const { destination } = target;
  const rest = atVersion(destination, route.namespace, moves, scheme.versions.stable);
  const same = rest.host === destination.host && rest.port?.number === destination.port?.number;
  const address = same ? undefined : { host: destination.host, port: destination.port?.number };
  return { kind: 'moved', subset: destination.subset, address };
}

/** The same where a draw replaces the base's weight, if it has one. */
function drawnFrom(base: BaseDestination, weight: number | undefined): BaseDestination {
  return base.kind === 'moved' && weight !== undefined ? { ...base, weight } : base;
}

/** The rule with these fields in place of its own, in its order of keys; every other field is kept. */
function withFields(
  rule: HTTPRoute,
  name: string,
  match: HTTPRoute['match'] | undefined,
  route: readonly HTTPRouteDestination[],
): HTTPRoute {
  if (rule.name !== undefined && rule.match !== undefined && match !== undefined) return { ...rule, name, match, route };
  const named = rule.name === undefined ? { name, ...rule, route } : { ...rule, name, route };
  if (match === undefined) return named;
  if (rule.match !== undefined) return { ...named, match };
  const { name: _, ...rest } = named;
  return { name, match, ...rest };
}
