import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type HttpRouteMatch, type HttpRouteRule, httpRouteOf, matchesOf, rulesOf } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import type { SettledPlan, SplitPlan } from '../weave/plan.ts';
import { type ReleasedService, serviceOf } from '../weave/released-destination.ts';
import { atVersion, takingBackends, withBackend } from './backend.ts';
import { withHeaders } from './backend-headers.ts';
import { HTTP_ROUTE_LIMITS, noBackend, tooLarge } from './http-route-findings.ts';
import { judgeHttpRules } from './judge-http-rules.ts';
import { withNeutral } from './neutral-headers.ts';
import type { PlacedMatch } from './padding.ts';
import { type HttpRuleName, httpRuleName } from './rule-name.ts';
import type { HttpRuleSketch, HttpScheme } from './rule-sketches.ts';

/** What one object is to a release. */
export interface HttpObjectWeaving {
  readonly release: CanaryRelease;
  readonly plan: SplitPlan | SettledPlan;
  /** The rules that a base rule becomes under a plan. */
  readonly schemeAt: (plan: SplitPlan | SettledPlan) => HttpScheme;
  /** Backends go to the versions; otherwise they stay as they are, and ids are issued only. */
  readonly moves: boolean;
  /** Versions at which backends of the base are released. */
  readonly versions: readonly Version[];
  /** All HTTPRoutes; the object may be among them. */
  readonly siblings: readonly KubeObject[];
}

/** An object with a release, and what is to be said about it. */
export interface WovenHttpObject {
  readonly object: KubeObject;
  /** How many rules are woven. */
  readonly woven: number;
  /** Whether any rule leads to the service, woven or not. */
  readonly isConcerned: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Weaves a release into the rules of one base. */
export function weaveHttpObject(route: KubeObject, weaving: HttpObjectWeaving): WovenHttpObject {
  const { release, plan, schemeAt, moves, versions, siblings } = weaving;
  const scheme = schemeAt(plan);
  const { woven, placed, isConcerned, diagnostics } = judgeHttpRules({ release, route, scheme, moves, versions, siblings });
  const rules = rulesOf(route);
  const weaver = { release, route, scheme, moves, placed, service: serviceOf(release) };
  const made = (by: Weaver) =>
    rules.flatMap((rule, index) => (woven.includes(index) ? wovenRules(rule, index, by) : [besideRule(rule, index, by)]));
  const next = made(weaver);
  // The same rules at a cutoff at which all of them are there: what can be woven does not change with the steps.
  const most = made({ ...weaver, scheme: schemeAt(fullPlan(release)) });
  return {
    object: { ...route, spec: { ...httpRouteOf(route).spec, rules: next } },
    woven: woven.length,
    isConcerned,
    diagnostics: [
      ...diagnostics,
      ...(moves
        ? versionFindings(
            woven.map((index) => rules[index] ?? {}),
            weaver,
          )
        : []),
      ...limitFindings(route, next, most),
    ],
  };
}

interface Weaver {
  readonly release: CanaryRelease;
  readonly route: KubeObject;
  readonly scheme: HttpScheme;
  readonly moves: boolean;
  readonly placed: readonly PlacedMatch[];
  readonly service: ReleasedService;
}

function wovenRules(rule: HttpRouteRule, index: number, weaver: Weaver): readonly HttpRouteRule[] {
  return weaver.scheme.sketches.flatMap((sketch) => {
    if (sketch.conditions === undefined) return [restRule(rule, index, sketch, weaver)];
    // Gateway API takes a rewrite of a prefix with one match only.
    const parts = rewritesPrefix(rule) ? sketch.conditions.map((each) => [each]) : [sketch.conditions];
    return parts.map((conditions, part) => sketchedRule(rule, index, { ...sketch, conditions }, part, weaver));
  });
}

function sketchedRule(rule: HttpRouteRule, index: number, sketch: HttpRuleSketch, part: number, weaver: Weaver): HttpRouteRule {
  const { conditions = [[]], role, cohort } = sketch;
  const matches = conditions.flatMap((added) =>
    matchesOf(rule).map((match): HttpRouteMatch => {
      const narrowed = { ...match, headers: [...(match.headers ?? []), ...added] };
      return withNeutral(narrowed, weaver.scheme.raise - added.length) ?? narrowed;
    }),
  );
  return { ...movedRule(rule, sketch, weaver), name: httpRuleName({ ...nameOf(weaver, index), role, cohort, part }), matches };
}

/** What no rule before takes: the base rule itself, at the stable version. */
function restRule(rule: HttpRouteRule, index: number, sketch: HttpRuleSketch, weaver: Weaver): HttpRouteRule {
  const [ref] = takingBackends(rule);
  const base = ref === undefined || !weaver.moves ? {} : { base: { name: ref.name, port: ref.port } };
  const marked = sketch.additions.some(({ direction }) => direction === 'response') ? { marked: true } : {};
  const stamped = sketch.additions.some(({ direction }) => direction === 'request') ? { stamped: true } : {};
  const name = httpRuleName({ ...nameOf(weaver, index), role: 'rest', ...base, ...marked, ...stamped, ...baseNameOf(rule) });
  return { ...movedRule(padded(rule, index, weaver) ?? rule, sketch, weaver), name };
}

/** A rule that is not woven; where the release's would overtake it, with conditions that always hold. */
function besideRule(rule: HttpRouteRule, index: number, weaver: Weaver): HttpRouteRule {
  const moved = padded(rule, index, weaver);
  if (moved === undefined) return rule;
  return { ...moved, name: httpRuleName({ ...nameOf(weaver, index), role: 'beside', ...baseNameOf(rule) }) };
}

/** Undefined where no match of the rule has to be raised. */
function padded(rule: HttpRouteRule, index: number, { placed }: Weaver): HttpRouteRule | undefined {
  const own = placed.filter((each) => each.rule === index && each.padding > 0);
  if (own.length === 0) return undefined;
  const paddingAt = (at: number) => own.find((each) => each.at === at)?.padding ?? 0;
  return { ...rule, matches: matchesOf(rule).map((match, at) => withNeutral(match, paddingAt(at)) ?? match) };
}

function movedRule(rule: HttpRouteRule, { cohort, additions }: HttpRuleSketch, { route, scheme, moves, service }: Weaver): HttpRouteRule {
  const { namespace = 'default' } = route.metadata;
  return takingBackends(rule).reduce((each, ref) => {
    const moved = moves ? (atVersion(ref, namespace, service, scheme.versions[cohort]) ?? ref) : ref;
    return withBackend(each, ref, withHeaders(moved, additions));
  }, rule);
}

function nameOf({ release: { metadata } }: Weaver, index: number): Omit<HttpRuleName, 'role'> {
  return { namespace: metadata.namespace, release: metadata.name, cohort: 'stable', index, part: 0 };
}

function baseNameOf({ name }: HttpRouteRule): Pick<HttpRuleName, 'baseName'> {
  return name === undefined ? {} : { baseName: name };
}

/** Whether a filter replaces the prefix that the rule matches: its rules may have one match each. */
function rewritesPrefix({ filters = [], backendRefs = [] }: HttpRouteRule): boolean {
  return [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])].some(
    ({ urlRewrite }) => urlRewrite?.path?.type === 'ReplacePrefixMatch',
  );
}

function versionFindings(woven: readonly HttpRouteRule[], { route, release, scheme: { versions } }: Weaver): readonly Diagnostic[] {
  const { namespace = 'default' } = route.metadata;
  const [ref] = woven.flatMap(takingBackends);
  if (ref === undefined) return [];
  return [...new Set([versions.canary, versions.stable])]
    .filter((version) => atVersion(ref, namespace, serviceOf(release), version) === undefined)
    .map((version) => noBackend(route, version, release));
}

function fullPlan({ spec: { stable, canary } }: CanaryRelease): SplitPlan {
  return { kind: 'split', stable: stable ?? canary, canary, cutoff: 1, offset: 0 };
}

function limitFindings(route: KubeObject, now: readonly HttpRouteRule[], most: readonly HttpRouteRule[]): readonly Diagnostic[] {
  const rules = Math.max(now.length, most.length);
  const counts = [now, most].flatMap((all) => all.map(({ matches = [] }) => matches.length));
  const sums = [now, most].map((all) => all.reduce((sum, { matches = [] }) => sum + matches.length, 0));
  const limits = [
    ['rules', rules, HTTP_ROUTE_LIMITS.rules],
    ['matches in a rule', Math.max(...counts), HTTP_ROUTE_LIMITS.matchesOfRule],
    ['matches', Math.max(...sums), HTTP_ROUTE_LIMITS.matches],
  ] as const;
  return limits.flatMap(([what, found, allowed]) => (found > allowed ? [tooLarge(route, what, found, allowed)] : []));
}
