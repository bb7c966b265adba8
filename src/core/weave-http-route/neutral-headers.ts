import type { HttpRouteMatch, ValueMatch } from '../gateway-api/http-route.ts';

/**
 * Conditions that hold for every request: the more headers a match asks for, the earlier it comes (Gateway API, HTTPRouteRule.matches). Envoy keeps `Host` as
 * `:authority`, which a match on `host` reads, and refuses requests without; it sets `x-forwarded-proto` where nobody has. The pattern is one that nobody else
 * writes: un-weaving knows it by that.
 */
const NEUTRAL_HEADERS: readonly string[] = ['host', 'x-forwarded-proto'];
const ANYTHING = '(?:.*)';

/** The match with so many conditions more that hold always; undefined where it asks for too many of those headers itself. */
export function withNeutral(match: HttpRouteMatch, count: number): HttpRouteMatch | undefined {
  if (count <= 0) return match;
  const { headers = [] } = match;
  const used = headers.map(({ name }) => name.toLowerCase());
  const free = NEUTRAL_HEADERS.filter((name) => !used.includes(name)).slice(0, count);
  if (free.length < count) return undefined;
  return { ...match, headers: [...headers, ...free.map((name): ValueMatch => ({ name, type: 'RegularExpression', value: ANYTHING }))] };
}

/** The match without them. */
export function withoutNeutral(match: HttpRouteMatch): HttpRouteMatch {
  const { headers = [], ...rest } = match;
  const own = headers.filter((header) => !isNeutral(header));
  if (own.length === headers.length) return match;
  return own.length === 0 ? rest : { ...rest, headers: own };
}

/** Whether un-weaving would take a condition for one of ours. */
export function isNeutral({ name, value }: ValueMatch): boolean {
  return value === ANYTHING && NEUTRAL_HEADERS.includes(name);
}
