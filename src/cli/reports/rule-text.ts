import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, HTTPRouteDestination, StringMatch } from '../../core/istio/resources.ts';
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
