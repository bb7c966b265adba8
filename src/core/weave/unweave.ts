import type { Destination, HTTPRoute, HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { baggageKey, baggageMember, type Cohort } from '../visitor/cohort.ts';
import { deepCopy } from './deep-copy.ts';
import { type HeaderAddition, PRIVATE, spelledKey, withoutAddition } from './header-additions.ts';
import { atVersion, type ReleasedService } from './released-destination.ts';
import { routeObject } from './route-object.ts';
import { type BaseDestination, type ParsedRuleName, parseWovenRuleName, wovenRuleNames } from './rule-name.ts';

/** Where un-weaving points the destinations of a release. */
export interface LiveVersion {
  readonly release: { readonly namespace: string; readonly name: string };
  readonly service: ReleasedService;
  readonly version: Version;
}

/** The baggage member that tells later hops the cohort, added to requests. */
export function cohortStamp(namespace: string, release: string, cohort: Cohort): HeaderAddition {
  return { direction: 'request', name: 'baggage', value: baggageMember(baggageKey(namespace, release), cohort), join: true };
}

const woven = new WeakMap<KubeObject, readonly string[]>();

/** Names of the releases woven into an object, as `namespace/name`, each once. Read once for each object, which nobody may change. */
export function wovenReleases(object: KubeObject): readonly string[] {
  const known = woven.get(object) ?? readReleases(object);
  woven.set(object, known);
  return known;
}

function readReleases(object: KubeObject): readonly string[] {
  const names = rulesOf(object).flatMap((rule) => wovenRuleNames(rule.name));
  return [...new Set(names.map(({ namespace, release }) => `${namespace}/${release}`))];
}

/** Whether any release is woven into the object. */
export function isWoven(object: KubeObject): boolean {
  return wovenReleases(object).length > 0;
}

/**
 * The base of a served object: each base rule back from its `rest` rule, all other woven rules gone, everything else as it is. With `live`,
 * that release's destinations point at the live version instead of where the base had them.
 */
export function unweave(served: KubeObject, live?: LiveVersion): KubeObject {
  return deepCopy(withoutReleases(served, live));
}

const bases = new WeakMap<KubeObject, KubeObject>();

/** The base of a served object for who only reads it: of one that is not woven the object itself, of others made once for each. */
export function readBase(served: KubeObject): KubeObject {
  const known = bases.get(served) ?? withoutReleases(served, undefined);
  bases.set(served, known);
  return known;
}

function withoutReleases(served: KubeObject, live: LiveVersion | undefined): KubeObject {
  const { namespace } = routeObject(served, live?.service.namespace ?? 'default');
  let base = served;
  // Of several releases the last one woven stands outermost in the names.
  while (isWoven(base)) base = withoutOutermost(base, namespace, live);
  return base;
}

function withoutOutermost(served: KubeObject, namespace: string, live: LiveVersion | undefined): KubeObject {
  const http = rulesOf(served).flatMap((rule) => {
    const name = parseWovenRuleName(rule.name);
    if (name === undefined) return [rule];
    return name.role === 'rest' ? [baseRule(rule, name, namespace, live)] : [];
  });
  return { ...served, spec: { ...(served.spec as object), http } };
}

function rulesOf(object: KubeObject): readonly HTTPRoute[] {
  return routeObject(object, '').spec.http ?? [];
}

function baseRule(rule: HTTPRoute, name: ParsedRuleName, namespace: string, live: LiveVersion | undefined): HTTPRoute {
  const targets = name.cohort === 'drawn' ? undrawn(rule.route ?? [], name.base) : (rule.route ?? []);
  const route = targets.map((each) => {
    const target = name.base.marked === true ? withoutAddition(each, PRIVATE) : each;
    if (name.base.kind === 'kept') {
      return name.base.stamped ? withoutAddition(target, cohortStamp(name.namespace, name.release, 'stable')) : target;
    }
    const destination = baseDestination(target.destination, name.base);
    const isLive = live?.release.namespace === name.namespace && live.release.name === name.release;
    return { ...target, destination: isLive ? atVersion(destination, namespace, live.service, live.version) : destination };
  });
  const { name: _, ...unnamed } = rule;
  return name.baseName === undefined ? { ...unnamed, route } : { ...rule, name: name.baseName, route };
}

/**
 * The base's one destination out of the two that are drawn between: the first, with the base's weight. The canary's answers are private to
 * one visitor always; where the first adds no less to Cache-Control, it was made so, too.
 */
function undrawn([stable, canary]: readonly HTTPRouteDestination[], base: BaseDestination): readonly HTTPRouteDestination[] {
  if (stable === undefined) return [];
  const { weight: _, ...unweighted } = additionOf(stable) === additionOf(canary) ? withoutAddition(stable, PRIVATE) : stable;
  return [base.kind === 'moved' && base.weight !== undefined ? { ...unweighted, weight: base.weight } : unweighted];
}

function additionOf(target: HTTPRouteDestination | undefined): string | undefined {
  const add = target?.headers?.[PRIVATE.direction]?.add;
  const key = spelledKey(add, PRIVATE.name);
  return key === undefined ? undefined : add?.[key];
}

function baseDestination(woven: Destination, base: Extract<ParsedRuleName['base'], { kind: 'moved' }>): Destination {
  const { subset: _, port, ...rest } = woven;
  const destination: Destination = base.subset === undefined ? rest : { ...rest, subset: base.subset };
  if (base.address === undefined) return port === undefined ? destination : { ...destination, port };
  const { host, port: number } = base.address;
  return number === undefined ? { ...destination, host } : { ...destination, host, port: { ...port, number } };
}
