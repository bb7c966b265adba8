import { resolveHost } from '../../src/core/istio/names.ts';
import type {
  Destination,
  HeaderMatch,
  HeaderOperations,
  HTTPMatchRequest,
  HTTPRoute,
  HTTPRouteDestination,
  StringMatch,
  VirtualService,
} from '../../src/core/istio/resources.ts';
import type { EnvoyRoute } from './static-config.ts';

/**
 * What istiod makes of a VirtualService's http rules at a gateway (istio pilot/pkg/networking/core/route, TranslateRoute),
 * for the fields that weaving writes. Whatever else a rule has is refused: a test must not lose it silently.
 */
export function envoyRoutes(service: VirtualService): readonly EnvoyRoute[] {
  const namespace = service.metadata.namespace ?? 'default';
  return (service.spec.http ?? []).flatMap((rule) => (rule.match ?? [{}]).map((match) => envoyRoute(rule, match, namespace)));
}

/** Envoy's name for the cluster of a destination. */
export function clusterName(destination: Destination, namespace: string): string {
  return `outbound|${destination.port?.number ?? ''}|${destination.subset ?? ''}|${resolveHost(destination.host, namespace)}`;
}

function refuseOthers(what: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${what} has fields that this translation does not know: ${unknown.join(', ')}`);
}

function envoyRoute(rule: HTTPRoute, match: HTTPMatchRequest, namespace: string): EnvoyRoute {
  refuseOthers(`rule ${rule.name}`, rule, ['name', 'match', 'route', 'headers']);
  const destinations = rule.route ?? [];
  const [single] = destinations;
  if (single === undefined) throw new Error(`rule ${rule.name} has no destination`);
  const levels = [rule.headers, ...(destinations.length === 1 ? [single.headers] : [])];
  return {
    ...(rule.name === undefined ? {} : { name: rule.name }),
    match: envoyMatch(match),
    route: destinations.length === 1 ? { cluster: clusterName(single.destination, namespace) } : weighted(destinations, namespace),
    ...headerEdits(levels),
  };
}

function weighted(destinations: readonly HTTPRouteDestination[], namespace: string): object {
  const clusters = destinations.map(({ destination, weight, headers }) => ({
    name: clusterName(destination, namespace),
    weight: weight ?? 0,
    ...headerEdits([headers]),
  }));
  return { weighted_clusters: { clusters } };
}

function headerEdits(levels: readonly ({ request?: HeaderOperations; response?: HeaderOperations } | undefined)[]): object {
  const edits = (direction: 'request' | 'response') => {
    const operations = levels.flatMap((level) => level?.[direction] ?? []);
    return {
      [`${direction}_headers_to_add`]: operations.flatMap((operation) => [
        ...additions(operation.set, 'OVERWRITE_IF_EXISTS_OR_ADD'),
        ...additions(operation.add, 'APPEND_IF_EXISTS_OR_ADD'),
      ]),
      [`${direction}_headers_to_remove`]: operations.flatMap((operation) => operation.remove ?? []),
    };
  };
  return { ...edits('request'), ...edits('response') };
}

function additions(headers: Readonly<Record<string, string>> | undefined, append_action: string): object[] {
  return Object.entries(headers ?? {}).map(([key, value]) => ({ header: { key, value }, append_action }));
}

function envoyMatch(match: HTTPMatchRequest): object {
  refuseOthers('match', match, ['name', 'uri', 'headers', 'withoutHeaders', 'method', 'authority', 'scheme']);
  // istiod sorts header names, so that `:path` comes before `cookie`: the guard of weaving relies on it.
  const headers = [
    ...sorted(match.headers).map(([name, value]) => headerMatcher(name, value)),
    ...sorted(match.withoutHeaders).map(([name, value]) => ({ ...headerMatcher(name, value), ...absence(value) })),
    ...(['method', 'authority', 'scheme'] as const).flatMap((field) => {
      const value = match[field];
      return value === undefined ? [] : [headerMatcher(`:${field}`, value)];
    }),
  ];
  return { ...pathMatcher(match.uri), headers };
}

function sorted(headers: Readonly<Record<string, HeaderMatch>> | undefined): (readonly [string, HeaderMatch])[] {
  return Object.entries(headers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function pathMatcher(uri: StringMatch | undefined): object {
  if (uri === undefined) return { prefix: '/' };
  if ('exact' in uri) return { path: uri.exact };
  return 'prefix' in uri ? { prefix: uri.prefix } : { safe_regex: { regex: uri.regex } };
}

function headerMatcher(name: string, value: HeaderMatch): object {
  if ('exact' in value) return { name, string_match: { exact: value.exact } };
  if ('prefix' in value) return { name, string_match: { prefix: value.prefix } };
  return 'regex' in value ? { name, string_match: { safe_regex: { regex: value.regex } } } : { name, present_match: true };
}

function absence(value: HeaderMatch): object {
  return Object.keys(value).length === 0 ? { invert_match: true } : { invert_match: true, treat_missing_header_as_empty: true };
}
