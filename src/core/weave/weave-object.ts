import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HTTPRoute, HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { deepCopy } from './deep-copy.ts';
import { withAdditions } from './header-additions.ts';
import { atVersion, type ReleasedService } from './released-destination.ts';
import type { RouteObject } from './route-object.ts';
import { type BaseDestination, wovenRuleName } from './rule-name.ts';
import type { ObjectRules, RuleSketch, Scheme } from './rule-sketch.ts';
import { judgeRules, type WeavingNeeds } from './weavable.ts';

/** How the rules of one object are woven. */
export interface ObjectWeaving {
  readonly release: { readonly namespace: string; readonly name: string };
  readonly scheme: Pick<Scheme, 'versions' | 'stamped'>;
  readonly rules: Pick<ObjectRules, 'sketch'>;
  /** Destinations move to the cohort's version; undefined: they stay, with a stamp on the request or without. */
  readonly moves: ReleasedService | undefined;
  readonly needs: WeavingNeeds;
}

/** An object with a release woven in, and what was found on the way. */
export interface WovenObject {
  readonly virtualService: KubeObject;
  /** Indexes of the base rules that were woven. */
  readonly woven: readonly number[];
  /** Count of the base rules that concern the release. */
  readonly concerned: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Weaves every rule that can be woven; the others stay where they are, as they are. The result shares nothing with the base. */
export function weaveObject(route: RouteObject, weaving: ObjectWeaving): WovenObject {
  const rules = route.spec.http ?? [];
  const { rules: judgements, diagnostics } = judgeRules(weaving.needs);
  const http = rules.flatMap((rule, index) => (judgements[index]?.weavable === true ? weaveRule(rule, route, weaving) : [rule]));
  return {
    virtualService: deepCopy({ ...route.object, spec: { ...route.spec, ...(route.spec.http === undefined ? {} : { http }) } }),
    woven: judgements.flatMap((judgement, index) => (judgement.weavable ? [index] : [])),
    concerned: judgements.filter((judgement) => judgement.concerned).length,
    diagnostics: [...diagnostics, ...judgements.flatMap((judgement) => judgement.diagnostics)],
  };
}

function weaveRule(rule: HTTPRoute, route: RouteObject, weaving: ObjectWeaving): HTTPRoute[] {
  const { release, scheme, moves } = weaving;
  return weaving.rules.sketch(rule, route).map((sketch) => {
    const { role, cohort, destinations } = sketch;
    const base = baseDestination(rule, route, weaving, sketch);
    const name = wovenRuleName({ namespace: release.namespace, release: release.name, role, cohort, base, baseName: rule.name });
    const targets = destinations.flatMap((destination) =>
      (rule.route ?? []).map((target) => {
        const moved = moves === undefined ? target : movedTo(target, route, moves, scheme.versions[destination.cohort]);
        const { weight, additions } = destination;
        return withAdditions(weight === undefined ? moved : { ...moved, weight }, additions);
      }),
    );
    return withFields(rule, name, sketch.match, targets);
  });
}

function movedTo(target: HTTPRouteDestination, route: RouteObject, service: ReleasedService, version: Version): HTTPRouteDestination {
  return { ...target, destination: atVersion(target.destination, route.namespace, service, version) };
}

/** What un-weaving has to know of the base: host and port only where the rest rule lost them, and the weight where a draw replaced it. */
function baseDestination(rule: HTTPRoute, route: RouteObject, weaving: ObjectWeaving, { cohort }: RuleSketch): BaseDestination {
  const [target] = rule.route ?? [];
  const { moves, scheme } = weaving;
  if (moves === undefined || target === undefined) return { kind: 'kept', stamped: scheme.stamped };
  const { destination, weight } = target;
  const rest = atVersion(destination, route.namespace, moves, scheme.versions.stable);
  const same = rest.host === destination.host && rest.port?.number === destination.port?.number;
  const address = same ? undefined : { host: destination.host, port: destination.port?.number };
  const moved = { kind: 'moved' as const, subset: destination.subset, address };
  return cohort === 'drawn' && weight !== undefined ? { ...moved, weight } : moved;
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
