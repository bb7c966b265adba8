import { resolveHost } from '../../src/core/istio/names.ts';
import type {
  Destination,
  HeaderMatch,
  HeaderOperations,
  Headers,
  HTTPMatchRequest,
  HTTPRedirect,
  HTTPRewrite,
  HTTPRoute,
  HTTPRouteDestination,
  StringMatch,
  VirtualService,
} from '../../src/core/istio/resources.ts';
import type { EnvoyRoute } from './static-config.ts';

/** Where rules are translated for: istiod leaves out what other proxies serve. */
export interface TranslationScope {
  /** `namespace/name` as in the rules, whose names are resolved; undefined: no match is left out for its gateways. */
  readonly gateway?: string;
  /** Declared port; undefined: no match is left out for its port. */
  readonly port?: number;
  /** Namespace in which short hosts of destinations resolve. */
  readonly namespace: string;
}

/**
 * What istiod makes of a VirtualService's http rules (istio pilot/pkg/networking/core/route, TranslateRoute), for the fields that the
 * suites use. Whatever else a rule has is refused: a test must not lose it silently. It is our own translation, so it shows that Perch's
 * gateway and Envoy agree on these routes; that istiod writes the same ones is shown elsewhere.
 */
export function envoyRoutes(service: VirtualService): readonly EnvoyRoute[] {
  return translateRules(service.spec.http ?? [], { namespace: service.metadata.namespace ?? 'default' });
}

/** The Envoy routes of rules, in order: one for each match block. What follows one that takes every request is left out. */
export function translateRules(rules: readonly HTTPRoute[], scope: TranslationScope): readonly EnvoyRoute[] {
  const routes: EnvoyRoute[] = [];
  for (const rule of rules) {
    const blocks = rule.match === undefined || rule.match.length === 0 ? [{}] : rule.match;
    for (const match of blocks) {
      if (!isServed(match, scope)) continue;
      const route = envoyRoute(rule, match, scope.namespace);
      routes.push(route);
      if (takesEverything(route)) return routes;
    }
  }
  return routes;
}

/** Whether a route has no condition but a path that every request has (istio route.go IsCatchAllRoute). */
export function takesEverything({ match }: EnvoyRoute): boolean {
  const { prefix, safe_regex, headers, query_parameters } = match as {
    readonly prefix?: string;
    readonly safe_regex?: { readonly regex: string };
    readonly headers?: readonly object[];
    readonly query_parameters?: readonly object[];
  };
  return (prefix === '/' || safe_regex?.regex === '.*') && headers?.length === 0 && query_parameters?.length === 0;
}

/** Envoy's name for the cluster of a destination. */
export function clusterName(destination: Destination, namespace: string): string {
  return `outbound|${destination.port?.number ?? ''}|${destination.subset ?? ''}|${resolveHost(destination.host, namespace)}`;
}

function isServed(match: HTTPMatchRequest, { gateway, port }: TranslationScope): boolean {
  if (port !== undefined && match.port !== undefined && match.port !== port) return false;
  const { gateways = [] } = match;
  return gateway === undefined || gateways.length === 0 || gateways.includes(gateway);
}

function refuseOthers(what: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${what} has fields that this translation does not know: ${unknown.join(', ')}`);
}

function envoyRoute(rule: HTTPRoute, match: HTTPMatchRequest, namespace: string): EnvoyRoute {
  refuseOthers(`rule ${rule.name}`, rule, ['name', 'match', 'route', 'redirect', 'directResponse', 'rewrite', 'timeout', 'headers']);
  const destinations = (rule.route ?? []).length > 1 ? (rule.route ?? []).filter(({ weight }) => (weight ?? 0) > 0) : (rule.route ?? []);
  const single = rule.route?.length === 1 ? destinations[0] : undefined;
  return {
    ...(rule.name === undefined ? {} : { name: rule.name }),
    match: envoyMatch(match),
    ...action(rule, destinations, single, namespace),
    ...headerEdits([rule.headers, single?.headers]),
  };
}

function action(
  rule: HTTPRoute,
  destinations: readonly HTTPRouteDestination[],
  single: HTTPRouteDestination | undefined,
  namespace: string,
): Pick<EnvoyRoute, 'route' | 'redirect' | 'direct_response'> {
  if (rule.redirect !== undefined) return { redirect: envoyRedirect(rule.redirect) };
  if (rule.directResponse !== undefined) {
    refuseOthers('directResponse', rule.directResponse, ['status', 'body']);
    const { status, body } = rule.directResponse;
    return { direct_response: { status, ...(body?.string === undefined ? {} : { body: { inline_string: body.string } }) } };
  }
  if (destinations.length === 0) throw new Error(`rule ${rule.name} has no destination`);
  const clusters = single === undefined ? weighted(destinations, namespace) : { cluster: clusterName(single.destination, namespace) };
  // istiod turns Envoy's own limit of 15 s off.
  return { route: { ...clusters, timeout: rule.timeout ?? '0s', ...envoyRewrite(rule.rewrite), ...hostRewrite(rule, single) } };
}

function weighted(destinations: readonly HTTPRouteDestination[], namespace: string): object {
  const clusters = destinations.map(({ destination, weight, headers }) => ({
    name: clusterName(destination, namespace),
    weight: weight ?? 0,
    ...headerEdits([headers]),
  }));
  return { weighted_clusters: { clusters } };
}

function envoyRewrite(rewrite: HTTPRewrite | undefined): object {
  if (rewrite === undefined) return {};
  refuseOthers('rewrite', rewrite, ['uri', 'authority', 'uriRegexRewrite']);
  const { uri, uriRegexRewrite } = rewrite;
  if (uri !== undefined) return { prefix_rewrite: uri };
  if (uriRegexRewrite === undefined) return {};
  return { regex_rewrite: { pattern: { regex: uriRegexRewrite.match }, substitution: uriRegexRewrite.rewrite } };
}

/** A rewrite of the authority, else a Host among the header operations: of the rule, else of its only destination. */
function hostRewrite(rule: HTTPRoute, single: HTTPRouteDestination | undefined): object {
  const literal = rule.rewrite?.authority ?? hostOf(rule.headers) ?? hostOf(single?.headers);
  return literal === undefined ? {} : { host_rewrite_literal: literal };
}

function hostOf(headers: Headers | undefined): string | undefined {
  const operations = [headers?.request?.set, headers?.request?.add].flatMap((map) => Object.entries(map ?? {}));
  return operations.find(([name]) => /^(?:host|:authority)$/i.test(name))?.[1];
}

function envoyRedirect(redirect: HTTPRedirect): object {
  refuseOthers('redirect', redirect, ['uri', 'authority', 'redirectCode']);
  const codes: Readonly<Record<number, string>> = {
    301: 'MOVED_PERMANENTLY',
    302: 'FOUND',
    303: 'SEE_OTHER',
    307: 'TEMPORARY_REDIRECT',
    308: 'PERMANENT_REDIRECT',
  };
  return {
    ...(redirect.uri === undefined ? {} : { path_redirect: redirect.uri }),
    ...(redirect.authority === undefined ? {} : { host_redirect: redirect.authority }),
    response_code: codes[redirect.redirectCode ?? 301],
  };
}

function headerEdits(levels: readonly (Headers | undefined)[]): object {
  const edits = (direction: 'request' | 'response') => {
    const operations = levels.flatMap((level) => level?.[direction] ?? []);
    return {
      [`${direction}_headers_to_add`]: [
        ...operations.flatMap((operation) => additions(operation.set, 'OVERWRITE_IF_EXISTS_OR_ADD')),
        ...operations.flatMap((operation) => additions(operation.add, 'APPEND_IF_EXISTS_OR_ADD')),
      ],
      [`${direction}_headers_to_remove`]: operations.flatMap((operation) => operation.remove ?? []),
    };
  };
  return { ...edits('request'), ...edits('response') };
}

function additions(headers: HeaderOperations['add'], append_action: string): object[] {
  return Object.entries(headers ?? {})
    .filter(([name]) => !name.startsWith(':') && name.toLowerCase() !== 'host')
    .sort(byName)
    .map(([key, value]) => ({ header: { key, value }, append_action }));
}

function envoyMatch(match: HTTPMatchRequest): object {
  refuseOthers('match', match, [
    ...['name', 'uri', 'ignoreUriCase', 'headers', 'withoutHeaders', 'queryParams', 'method', 'authority', 'scheme', 'port', 'gateways'],
  ]);
  // istiod sorts header names, so that `:path` comes before `cookie`: the guard of weaving relies on it.
  const headers = [
    ...sorted(match.headers).map(([name, value]) => headerMatcher(name, value)),
    ...sorted(match.withoutHeaders).map(([name, value]) => ({ ...headerMatcher(name, value), ...absence(value) })),
    ...(['method', 'authority', 'scheme'] as const).flatMap((field) => {
      const value = match[field];
      return value === undefined ? [] : [headerMatcher(`:${field}`, value)];
    }),
  ];
  return {
    ...pathMatcher(match.uri),
    ...(match.ignoreUriCase === true ? { case_sensitive: false } : {}),
    headers,
    query_parameters: sorted(match.queryParams).map(([name, value]) => headerMatcher(name, value)),
  };
}

function sorted(headers: Readonly<Record<string, HeaderMatch>> | undefined): (readonly [string, HeaderMatch])[] {
  return Object.entries(headers ?? {}).sort(byName);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function pathMatcher(uri: StringMatch | undefined): object {
  if (uri === undefined) return { prefix: '/' };
  if ('exact' in uri) return { path: uri.exact };
  return 'prefix' in uri ? { prefix: uri.prefix } : { safe_regex: { regex: uri.regex } };
}

/** Matchers of headers and of query parameters are written alike. */
function headerMatcher(name: string, value: HeaderMatch): object {
  if ('exact' in value) return { name, string_match: { exact: value.exact } };
  if ('prefix' in value) return { name, string_match: { prefix: value.prefix } };
  return 'regex' in value ? { name, string_match: { safe_regex: { regex: value.regex } } } : { name, present_match: true };
}

function absence(value: HeaderMatch): object {
  return Object.keys(value).length === 0 ? { invert_match: true } : { invert_match: true, treat_missing_header_as_empty: true };
}
