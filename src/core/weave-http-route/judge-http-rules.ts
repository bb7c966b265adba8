import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import {
  type BackendRef,
  describeHttpRoute,
  type HttpRouteMatch,
  type HttpRouteRule,
  matchesOf,
  rulesOf,
} from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { serviceOf } from '../weave/released-destination.ts';
import { isReleased, takingBackends } from './backend.ts';
import { headersAdded, writesAnswerHeader } from './backend-headers.ts';
import { HTTP_ROUTE_LIMITS, HTTP_RULE_FINDINGS } from './http-route-findings.ts';
import { isNeutral, withNeutral } from './neutral-headers.ts';
import { overtaking, type PlacedMatch, placeMatches } from './padding.ts';
import { rivalsOf } from './rivals.ts';
import { httpRuleName, LONGEST_NAME } from './rule-name.ts';
import type { HttpScheme } from './rule-sketches.ts';

/** Whose rules are judged. */
interface JudgedRoute {
  readonly release: CanaryRelease;
  /** The base. */
  readonly route: KubeObject;
  readonly scheme: HttpScheme;
  /** Backends at a version are released; otherwise ids are issued only, whatever a rule leads to. */
  readonly moves: boolean;
  /** The versions at which backends of the base are released. */
  readonly versions: readonly Version[];
  readonly siblings: readonly KubeObject[];
}

/** Which rules of a base are woven, and everything that is to be said about the others. */
export interface JudgedRules {
  readonly woven: readonly number[];
  /** Where the matches come to stand. */
  readonly placed: readonly PlacedMatch[];
  /** Whether any rule leads to the service, woven or not. */
  readonly isConcerned: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

type Finding = Omit<Diagnostic, 'object' | 'path'>;

/** Judges all rules of a base: one that leads elsewhere is silently left alone; of one that is concerned every obstacle is told. */
export function judgeHttpRules(judged: JudgedRoute): JudgedRules {
  const rules = rulesOf(judged.route);
  const say = (index: number, finding: Finding, below = ''): Diagnostic => ({
    ...finding,
    object: describeHttpRoute(judged.route),
    path: `spec.rules[${index}]${below}`,
  });
  const verdicts = rules.map((rule) => verdictOf(rule, judged));
  const diagnostics = verdicts.flatMap(({ findings }, index) => findings.map(({ finding, below }) => say(index, finding, below)));
  let woven = verdicts.flatMap(({ kind }, index) => (kind === 'woven' ? [index] : []));
  for (;;) {
    const placed = placeMatches(rules, (index) => woven.includes(index), judged.scheme.raise);
    const obstacle = placeObstacle(placed, judged);
    if (obstacle === undefined) return { woven, placed, isConcerned: verdicts.some(({ kind }) => kind !== 'elsewhere'), diagnostics };
    // What stands in its way may stand in nobody's way without it.
    woven = woven.filter((index) => index !== obstacle.rule);
    diagnostics.push(say(obstacle.rule, obstacle.finding));
  }
}

/** `woven`: nothing in the rule itself is in the way. */
interface Verdict {
  readonly kind: 'woven' | 'left' | 'elsewhere';
  readonly findings: readonly { readonly finding: Finding; readonly below: string }[];
}

function verdictOf(rule: HttpRouteRule, { release, route, scheme, moves, versions }: JudgedRoute): Verdict {
  const { namespace = 'default' } = route.metadata;
  const refs = takingBackends(rule);
  const isConcerned = !moves || refs.some((ref) => isReleased(ref, namespace, serviceOf(release), versions));
  const [ref] = refs;
  if (ref === undefined) {
    const answers = (rule.filters ?? []).some(({ type }) => type === 'RequestRedirect');
    return { kind: 'elsewhere', findings: answers ? [{ finding: HTTP_RULE_FINDINGS.answered, below: '.filters' }] : [] };
  }
  if (!isConcerned) return { kind: 'elsewhere', findings: [] };
  if (moves && refs.length > 1) return { kind: 'left', findings: [{ finding: HTTP_RULE_FINDINGS.weighted, below: '.backendRefs' }] };
  const findings = [
    ...headerObstacles(rule, scheme),
    ...(isReplacing(refs, scheme) ? [{ finding: HTTP_RULE_FINDINGS.replaced, below: '.backendRefs' }] : []),
    ...(refs.some((each) => isFull(each, scheme)) ? [{ finding: HTTP_RULE_FINDINGS.tooManyAdded, below: '.backendRefs' }] : []),
    ...(isNameable(rule, moves ? ref : undefined, release) ? [] : [{ finding: HTTP_RULE_FINDINGS.unnameable, below: '.name' }]),
  ];
  return { kind: findings.length === 0 ? 'woven' : 'left', findings };
}

/** Whether the cookie that is issued would take the place of one that a backend writes. */
function isReplacing(refs: readonly BackendRef[], { issues }: HttpScheme): boolean {
  return issues && refs.some((ref) => writesAnswerHeader(ref, 'Set-Cookie'));
}

/** Whether a filter of the backend has no room for what the release adds. */
function isFull(ref: BackendRef, { adds }: HttpScheme): boolean {
  return (['request', 'response'] as const).some(
    (direction) => adds[direction] > 0 && headersAdded(ref, direction) + adds[direction] > HTTP_ROUTE_LIMITS.added,
  );
}

function headerObstacles(rule: HttpRouteRule, { matchHeaders, raise }: HttpScheme): Verdict['findings'] {
  return matchesOf(rule).flatMap((match, at) => {
    const { headers = [] } = match;
    const below = `.matches[${at}].headers`;
    const conflicts = headers.filter((header) => matchHeaders.includes(header.name.toLowerCase()) || isNeutral(header));
    if (conflicts.length > 0) return conflicts.map(({ name }) => ({ finding: HTTP_RULE_FINDINGS.headerConflict(name), below }));
    if (headers.length + raise > HTTP_ROUTE_LIMITS.headers) return [{ finding: HTTP_RULE_FINDINGS.tooManyHeaders, below }];
    // Of the rules of the release that of known visitors needs most of them: one less than what it is raised by.
    const spare =
      withNeutral(match, raise - 1) === undefined ? headers.filter(({ name }) => /^(?:host|x-forwarded-proto)$/i.test(name)) : [];
    return spare.map(({ name }) => ({ finding: HTTP_RULE_FINDINGS.headerConflict(name), below }));
  });
}

/** Names of rules are bounded; the longest one is that of the rest. */
function isNameable(rule: HttpRouteRule, moved: BackendRef | undefined, { metadata }: CanaryRelease): boolean {
  const { namespace, name: release } = metadata;
  const kept = moved === undefined ? { stamped: true } : { base: { name: moved.name, port: moved.port } };
  const own = { namespace, release, role: 'rest', cohort: 'stable', index: 15, part: 0, ...kept, marked: true } as const;
  return httpRuleName(rule.name === undefined ? own : { ...own, baseName: rule.name }).length <= LONGEST_NAME;
}

/** The first woven rule that would overtake something, and what. */
function placeObstacle(
  placed: readonly PlacedMatch[],
  { route, siblings, scheme: { raise } }: JudgedRoute,
): { readonly rule: number; readonly finding: Finding } | undefined {
  // What has to be raised is raised because of something woven behind it.
  const lastWovenOf = (own: PlacedMatch): number =>
    placed.findLast((each) => each.isWoven && each.contest === own.contest)?.rule ?? own.rule;
  const unpadded = placed.find(({ match, padding }) => padding > 0 && !canBePadded(match, padding));
  if (unpadded !== undefined) return { rule: lastWovenOf(unpadded), finding: HTTP_RULE_FINDINGS.unkeepable(unpadded.rule) };
  for (const rival of rivalsOf(route, siblings)) {
    const met = overtaking(placed, rival, raise);
    if (met !== undefined) {
      const rule = met.own.isWoven ? met.own.rule : lastWovenOf(met.own);
      return { rule, finding: HTTP_RULE_FINDINGS.overtakes(rival.route, met.rule) };
    }
    const catchAll = rival.hasSameHosts ? undefined : placed.find((each) => each.isWoven && isCatchAll(each.match));
    if (catchAll !== undefined) return { rule: catchAll.rule, finding: HTTP_RULE_FINDINGS.besideOtherHosts(rival.route) };
  }
  return undefined;
}

function canBePadded(match: HttpRouteMatch, padding: number): boolean {
  const { headers = [] } = match;
  return headers.length + padding <= HTTP_ROUTE_LIMITS.headers && !headers.some(isNeutral) && withNeutral(match, padding) !== undefined;
}

/** Routes that take everything are sorted last over all objects of a virtual host; woven ones ask for headers, and are not (istio route.go IsCatchAllRoute). */
function isCatchAll({ path = {}, headers = [], queryParams = [], method }: HttpRouteMatch): boolean {
  const { type = 'PathPrefix', value = '/' } = path;
  const takesAll = (type === 'PathPrefix' && value === '/') || (type === 'RegularExpression' && value === '.*');
  return takesAll && headers.length === 0 && queryParams.length === 0 && method === undefined;
}
