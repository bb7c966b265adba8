import { compareSpecificity, hostMatches, isWildcardHost } from '../istio/names.ts';
import type { CompiledRoute } from './compile-route.ts';
import { type Explained, RouteList } from './route-list.ts';
import type { RoutedRequest } from './routed-request.ts';
import type { Selection } from './selection.ts';

const NONE: Selection = { kind: 'none' };

/** The routes of one listener by host. One host is chosen; if none of its routes matches there is no other try (istio-semantics 1.5). */
export class VirtualHosts {
  readonly #exact = new Map<string, RouteList>();
  readonly #wildcards: { readonly pattern: string; readonly routes: RouteList }[] = [];
  readonly #otherwise: Selection;

  /** Hosts in lower case, each once; IPv6 addresses without brackets, which requests have. `otherwise` answers for hosts that are not there. */
  constructor(hosts: Iterable<readonly [string, readonly CompiledRoute[]]>, otherwise: Selection = NONE) {
    for (const [host, routes] of hosts) {
      const list = listOf(routes);
      if (isWildcardHost(host)) this.#wildcards.push({ pattern: host, routes: list });
      else this.#exact.set(host.includes(':') ? `[${host}]` : host, list);
    }
    this.#wildcards.sort((left, right) => compareSpecificity(left.pattern, right.pattern));
    this.#otherwise = otherwise;
  }

  /** The same hosts, some with other routes: those that have the first of two get the second. */
  withRoutes(changes: readonly (readonly [before: readonly CompiledRoute[], after: readonly CompiledRoute[]])[]): VirtualHosts {
    const lists = new Map(changes.map(([before, after]) => [listOf(before), listOf(after)]));
    const next = new VirtualHosts([], this.#otherwise);
    for (const [host, list] of this.#exact) next.#exact.set(host, lists.get(list) ?? list);
    for (const { pattern, routes } of this.#wildcards) next.#wildcards.push({ pattern, routes: lists.get(routes) ?? routes });
    return next;
  }

  select(request: RoutedRequest, random: number): Selection {
    const routes = this.#routesOf(request.head.authority);
    if (routes === undefined) return this.#otherwise;
    return routes.find(request)?.answer(request, random) ?? NONE;
  }

  /** What `select` does, and why; undefined where the host is not there. */
  explain(request: RoutedRequest, most: number): (Explained & { readonly host: string }) | undefined {
    const routes = this.#routesOf(request.head.authority);
    if (routes === undefined) return undefined;
    const host = withoutPort(request.head.authority).toLowerCase();
    const wildcard = this.#wildcards.find((each) => each.routes === routes && (each.pattern === '*' || hostMatches(each.pattern, host)));
    return { ...routes.explain(request, most), host: this.#exact.get(host) === routes ? host : (wildcard?.pattern ?? host) };
  }

  #routesOf(authority: string): RouteList | undefined {
    const [first] = this.#wildcards;
    if (this.#exact.size === 0 && first?.pattern === '*') return first.routes;
    const host = withoutPort(authority).toLowerCase();
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (const { pattern, routes } of this.#wildcards) if (pattern === '*' || hostMatches(pattern, host)) return routes;
    return undefined;
  }
}

/** A service has several names, and the same routes under each of them, from one table to the next. */
const lists = new WeakMap<readonly CompiledRoute[], RouteList>();

function listOf(routes: readonly CompiledRoute[]): RouteList {
  const known = lists.get(routes);
  if (known !== undefined) return known;
  const list = new RouteList(routes);
  lists.set(routes, list);
  return list;
}

/** Whatever follows the last colon goes, numeric or not, as in Envoy; the colons of an IPv6 address in brackets stay. */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 || colon < authority.lastIndexOf(']') ? authority : authority.slice(0, colon);
}
