import { RE2JS } from 're2js';
import {
  type HttpRouteMatch,
  type HttpRouteRule,
  httpRouteOf,
  matchesOf,
  type PathMatch,
  type ValueMatch,
} from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';

/** A request to the one host that all routes of a test serve. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The rule that takes a request, and the route that it is of. */
export interface Taken {
  readonly route: KubeObject;
  readonly rule: HttpRouteRule;
}

interface Candidate extends Taken {
  readonly match: HttpRouteMatch;
  /** Place of the rule in its route. */
  readonly at: number;
}

/**
 * The specification of HTTPRouteRule.matches, read plainly and without regard to how Istio or weaving do it: of all matches that take the request the first by the
 * criteria in their order. Regexes of paths, which it leaves open, come last, longer ones first. Undefined: 404.
 */
export function referenceHttpRoute(routes: readonly KubeObject[], request: HttpRequest): Taken | undefined {
  const candidates = routes.flatMap((route) =>
    (httpRouteOf(route).spec.rules ?? []).flatMap((rule, at) => matchesOf(rule).map((match): Candidate => ({ route, rule, match, at }))),
  );
  const [first] = candidates.filter(({ match }) => takes(match, request)).toSorted(bySpecification);
  return first;
}

const CRITERIA: readonly ((candidate: Candidate) => number)[] = [
  ({ match }) => Number(match.path?.type === 'Exact'),
  ({ match }) => (match.path?.type === 'PathPrefix' ? segments(match.path).join('').length + segments(match.path).length : 0),
  ({ match }) => (match.path?.type === 'RegularExpression' ? (match.path.value ?? '').length : 0),
  ({ match }) => Number(match.method !== undefined),
  ({ match }) => (match.headers ?? []).length,
  ({ match }) => (match.queryParams ?? []).length,
];

function bySpecification(left: Candidate, right: Candidate): number {
  for (const criterion of CRITERIA) {
    const order = criterion(right) - criterion(left);
    if (order !== 0) return order;
  }
  const age = ({ route: { metadata } }: Candidate) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`;
  if (age(left) !== age(right)) return age(left) < age(right) ? -1 : 1;
  return left.at - right.at;
}

function takes(match: HttpRouteMatch, { method, path, query, headers }: HttpRequest): boolean {
  return (
    takesPath(match.path ?? {}, path) &&
    (match.method === undefined || match.method === method) &&
    (match.headers ?? []).every((each) => takesValue(each, headers[each.name.toLowerCase()])) &&
    (match.queryParams ?? []).every((each) => takesValue(each, query[each.name]))
  );
}

function takesPath({ type = 'PathPrefix', value = '/' }: PathMatch, path: string): boolean {
  if (type === 'Exact') return path === value;
  if (type === 'RegularExpression') return compiled(value).matches(path);
  const [wanted, given] = [segments({ value }), segments({ value: path })];
  return wanted.every((segment, index) => segment === given[index]);
}

function segments({ value = '/' }: PathMatch): readonly string[] {
  return value.split('/').filter((segment) => segment !== '');
}

function takesValue({ type = 'Exact', value }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  return type === 'Exact' ? given === value : compiled(value).matches(given);
}

const cache = new Map<string, RE2JS>();

function compiled(regex: string): RE2JS {
  const found = cache.get(regex) ?? RE2JS.compile(regex);
  cache.set(regex, found);
  return found;
}
