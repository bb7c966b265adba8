import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, HTTPRouteDestination, StringMatch } from '../../core/istio/resources.ts';
import type { Cohort } from '../../core/visitor/cohort.ts';
import type { ParsedRuleName } from '../../core/weave/rule-name.ts';
import { takesCookieBack } from '../../core/weave/set-cookie.ts';
import { percent } from './release-text.ts';

/** What a rule matches, in a few words: `/api*, header x-user or GET /`. */
export function matchText({ match }: HTTPRoute): string {
  if (match === undefined || match.length === 0) return 'everything';
  return match.map(blockText).join(' or ');
}

function blockText(block: HTTPMatchRequest): string {
  const { uri, method, authority, scheme, headers, withoutHeaders, queryParams, port, gateways } = block;
  const parts = [
    method === undefined ? '' : stringText(method),
    uri === undefined ? '' : stringText(uri),
    authority === undefined ? '' : `host ${stringText(authority)}`,
    scheme === undefined ? '' : stringText(scheme),
    ...named('header', headers),
    ...named('without header', withoutHeaders),
    ...named('query', queryParams),
    port === undefined ? '' : `port ${port}`,
    gateways === undefined ? '' : `at ${gateways.join(', ')}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

function named(what: string, matches: Readonly<Record<string, HeaderMatch>> | undefined): readonly string[] {
  const names = Object.keys(matches ?? {});
  return names.length === 0 ? [] : [`${what} ${names.join(' and ')}`];
}

/** `/exact`, `/prefix*`, `~regex`. */
function stringText(match: StringMatch): string {
  if ('exact' in match) return match.exact;
  return 'prefix' in match ? `${match.prefix}*` : `~${match.regex}`;
}

/** What a rule does with a request: `web:9080/v1`, `90 % web/v1, 10 % web/v2`, `redirect to /new`. */
export function actionText({ route, redirect, directResponse, delegate }: HTTPRoute): string {
  if (delegate !== undefined) return `delegates to ${delegate.namespace === undefined ? '' : `${delegate.namespace}/`}${delegate.name}`;
  if (redirect !== undefined) return `redirects to ${redirect.authority ?? ''}${redirect.uri ?? redirect.prefixRewrite ?? ''}`;
  if (directResponse !== undefined) return `answers ${directResponse.status}`;
  const targets = route ?? [];
  const [only] = targets;
  if (only !== undefined && targets.length === 1) return destinationText(only);
  // Weights are shares of their sum, whatever that is: a draw by tenths of a percent has thousandths.
  const sum = targets.reduce((total, { weight = 0 }) => total + weight, 0);
  return targets.map((target) => `${percent((100 * (target.weight ?? 0)) / (sum || 1))} ${destinationText(target)}`).join(', ');
}

function destinationText({ destination: { host, port, subset } }: HTTPRouteDestination): string {
  return `${host}${port === undefined ? '' : `:${port.number}`}${subset === undefined ? '' : `/${subset}`}`;
}

/** Whose requests a woven rule takes, among those that the rules before it left; the rule itself tells those whose cookie it takes back. */
export function takenText(names: readonly ParsedRuleName[], rule: HTTPRoute): string {
  const [only] = names;
  if (only === undefined) return 'everyone';
  if (names.length > 1) return sharedText(names);
  const { role, cohort } = only;
  switch (role) {
    case 'known':
      if (takesBack(rule)) return 'holders of the canary’s cookie, taken back';
      return cohort === 'canary' ? 'known visitors of the canary' : 'all other known visitors';
    case 'told':
      return cohort === 'canary' ? 'told by the edge: canary' : 'told by the edge: stable';
    case 'new':
      if (cohort === 'drawn') return 'without the cookie, drawn by weight';
      return cohort === 'canary' ? 'new visitors drawn for the canary' : 'all other new visitors';
    case 'claimed':
      return claimText(cohort === 'canary' ? 'canary' : 'stable', rule);
    case 'rest':
      return 'everyone else';
  }
}

/** Who is not drawn: by a link, by what the browser remembers of one, or by what the release picks. */
function claimText(cohort: Cohort, { match = [] }: HTTPRoute): string {
  const [link] = match.flatMap(({ queryParams = {} }) => Object.entries(queryParams));
  if (link !== undefined) return `who follows ?${link[0]}=${'exact' in link[1] ? link[1].exact : ''}`;
  return match.some(({ headers = {} }) => 'cookie' in headers) ? `who chose ${cohort} by a link` : 'those who are picked';
}

/** Of a rule that several releases divide together. */
function sharedText(names: readonly ParsedRuleName[]): string {
  const role = names.find((each) => each.role !== 'claimed')?.role ?? 'claimed';
  const canaries = names.filter(({ cohort }) => cohort === 'canary').map(({ release }) => release);
  const of = `of the ${canaries.length === 1 ? 'canary' : 'canaries'} of ${canaries.toReversed().join(', ')}`;
  const claimed = names.filter((each) => each.role === 'claimed').map(({ release }) => release);
  const chosen = claimed.length === 0 ? '' : `, picked or chosen in ${claimed.toReversed().join(', ')}`;
  if (role === 'rest' || role === 'claimed') return canaries.length === 0 ? `everyone else${chosen}` : `requests ${of}${chosen}`;
  const who = role === 'known' ? 'known' : 'new';
  return `${canaries.length === 0 ? `all other ${who} visitors` : `${who} visitors ${of}`}${chosen}`;
}

function takesBack({ route = [] }: HTTPRoute): boolean {
  return route.some(({ headers }) => takesCookieBack(headers?.response?.add?.['Set-Cookie'] ?? ''));
}
