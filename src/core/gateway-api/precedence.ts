import type { HttpRouteMatch, ValueMatch } from './http-route.ts';

/**
 * What decides which of several matches takes a request (Gateway API, HTTPRouteRule.matches): the path first, then whether there is a method, then how many
 * headers, then how many query parameters are asked for. What the specification leaves open, paths that are regexes, is as Istio has it: after the others,
 * longer ones first (istio pilot/pkg/config/kube/gateway sortHTTPRoutes).
 */
export interface Precedence {
  /** Exact 3, prefix 2, regex 1. */
  readonly rank: number;
  /** Characters of the path. */
  readonly length: number;
  readonly method: boolean;
  readonly headers: number;
  readonly queries: number;
}

const RANKS = { Exact: 3, PathPrefix: 2, RegularExpression: 1 } as const;

/** Where a match stands. */
export function precedenceOf(match: HttpRouteMatch): Precedence {
  const { type, value } = pathOf(match);
  const { headers = [], queryParams = [] } = match;
  return {
    rank: RANKS[type],
    length: value.length,
    method: match.method !== undefined,
    headers: headers.length,
    queries: queryParams.length,
  };
}

/** Below 0 where the left one comes first, above 0 where the right one does; of equals the older route, then the earlier rule comes first. */
export function comparePrecedence(left: Precedence, right: Precedence): number {
  return (
    right.rank - left.rank ||
    right.length - left.length ||
    Number(right.method) - Number(left.method) ||
    right.headers - left.headers ||
    right.queries - left.queries
  );
}

/** Matches that may take one request and differ in nothing that comes before headers have the same contest: only among them may more headers change who is first. */
export function contestOf(match: HttpRouteMatch): string {
  const { type, value } = pathOf(match);
  return JSON.stringify([type, type === 'RegularExpression' ? value.length : value, match.method !== undefined]);
}

/** A trailing slash of a prefix says nothing. */
function pathOf({ path = {} }: HttpRouteMatch): { readonly type: keyof typeof RANKS; readonly value: string } {
  const { type = 'PathPrefix', value = '/' } = path;
  return { type, value: type === 'PathPrefix' && value.length > 1 ? value.replace(/\/$/, '') : value };
}

/**
 * Whether no request can be taken by both: they ask for other methods, or for other values of one query parameter. Headers tell nothing: of several lines of
 * one name each may match.
 */
export function excludeEachOther(left: HttpRouteMatch, right: HttpRouteMatch): boolean {
  if (left.method !== undefined && right.method !== undefined && left.method !== right.method) return true;
  return exactQueries(left).some((one) => exactQueries(right).some(({ name, value }) => name === one.name && value !== one.value));
}

function exactQueries({ queryParams = [] }: HttpRouteMatch): readonly ValueMatch[] {
  return queryParams.filter(({ type = 'Exact' }) => type === 'Exact');
}
