import { parseDuration } from '../istio/duration.ts';
import type { Destination, HTTPMatchRequest, HTTPRoute, HTTPRouteDestination } from '../istio/resources.ts';
import { decodeBase64 } from './base64.ts';
import { byteText } from './byte-text.ts';
import { isCatchAll } from './catch-all.ts';
import type { Condition, ConditionPool } from './conditions.ts';
import type { HeaderEdits } from './header-edits.ts';
import { authorityOf, singleLevel, twoLevels } from './header-levels.ts';
import { compileRedirect } from './redirect.ts';
import { compilePathRewrite, type PathRewrite } from './rewrite-path.ts';
import type { RoutedRequest } from './routed-request.ts';
import type { Cluster, Selection } from './selection.ts';
import type { ClientKind, Service } from './service.ts';

/** What a matched route answers. `random` in [0, 1). */
type Action = (request: RoutedRequest, random: number) => Selection;

/** One match block of a rule, as one Envoy route. */
export interface CompiledRoute {
  readonly conditions: readonly Condition[];
  /** What the path of every request that matches begins with; empty where it may be any. */
  readonly pathStart: string;
  /** Takes every request: gateways sort such routes last. */
  readonly isCatchAll: boolean;
  readonly answer: Action;
  /** For people; made when it is asked for. */
  readonly origin: RouteOrigin;
}

/** Where a route comes from. */
export interface RouteOrigin {
  /** `namespace/name` of the VirtualService; undefined: straight to a service. */
  readonly object: string | undefined;
  /** Index of the rule, once delegates are merged in, and of its match block. */
  readonly place: number;
  readonly block: number;
  readonly rule: HTTPRoute;
  /** The destinations that may be drawn: how often, 0 to 1, and a `random` that draws it. One where nothing is drawn. */
  readonly draws: readonly { readonly share: number; readonly random: number }[];
}

/** Where rules are compiled for: filters are decided here, once (istio-semantics 1.6). */
export interface RouteScope {
  /** `namespace/name` of the VirtualService; undefined: straight to a service. */
  readonly object: string | undefined;
  readonly client: ClientKind;
  /** `namespace/name`, or `mesh`. */
  readonly gateway: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Of the hosts that rules lead to, as they are written there, those that are declared. */
  readonly services: ReadonlyMap<string, Service>;
  readonly pool: ConditionPool;
}

/** A destination that does not exist, and the port that was looked for. */
export interface UnknownDestination {
  readonly destination: Destination;
  readonly port: number;
}

/** What comes of a VirtualService in a scope. */
export interface CompiledRules {
  readonly routes: readonly CompiledRoute[];
  readonly unknown: readonly UnknownDestination[];
}

/** The Envoy routes of a VirtualService's rules, whose names are resolved; whatever follows one that takes everything is left out. */
export function compileRules(rules: readonly HTTPRoute[], scope: RouteScope): CompiledRules {
  const routes: CompiledRoute[] = [];
  const unknown: UnknownDestination[] = [];
  for (const [place, rule] of rules.entries()) {
    const blocks = rule.match?.length ? rule.match : [{}];
    let isReported = false;
    for (const [block, match] of blocks.entries()) {
      if (!isFor(match, scope)) continue;
      if (!isReported) unknown.push(...unknownDestinations(rule, scope));
      isReported = true;
      const route = new RouteOfRule(rule, match, scope, place, block);
      routes.push(route);
      if (route.isCatchAll) return { routes, unknown };
    }
  }
  return { routes, unknown };
}

/** The route of a service that no VirtualService is about. */
export function defaultRoute(host: string, scope: RouteScope): CompiledRoute {
  return new RouteOfRule({ route: [{ destination: { host, port: { number: scope.port } } }] }, {}, scope);
}

function isFor(match: HTTPMatchRequest, { port, gateway }: RouteScope): boolean {
  if (match.port && match.port !== port) return false;
  return !match.gateways?.length || match.gateways.includes(gateway);
}

/**
 * A route whose conditions and answer are compiled when the first request asks for them: most tables are soon replaced, and most routes of a
 * big one are never asked.
 */
class RouteOfRule implements CompiledRoute {
  readonly pathStart: string;
  readonly isCatchAll: boolean;
  readonly #rule: HTTPRoute;
  readonly #match: HTTPMatchRequest;
  readonly #scope: RouteScope;
  readonly #place: number;
  readonly #block: number;
  #conditions: readonly Condition[] | undefined;
  #answer: Action | undefined;

  constructor(rule: HTTPRoute, match: HTTPMatchRequest, scope: RouteScope, place = 0, block = 0) {
    this.pathStart = pathStart(match);
    this.isCatchAll = isCatchAll(match);
    this.#rule = rule;
    this.#match = match;
    this.#scope = scope;
    this.#place = place;
    this.#block = block;
  }

  get origin(): RouteOrigin {
    return { object: this.#scope.object, place: this.#place, block: this.#block, rule: this.#rule, draws: drawsOf(this.#rule) };
  }

  get conditions(): readonly Condition[] {
    this.#conditions ??= this.#scope.pool.conditionsOf(this.#match);
    return this.#conditions;
  }

  get answer(): Action {
    this.#answer ??= compileAction(this.#rule, this.#match, this.#scope);
    return this.#answer;
  }
}

const NONE: readonly UnknownDestination[] = [];

function unknownDestinations({ redirect, directResponse, route = [] }: HTTPRoute, scope: RouteScope): readonly UnknownDestination[] {
  if (redirect !== undefined || directResponse !== undefined) return NONE;
  let unknown = NONE;
  for (const { destination, weight } of route) {
    if (route.length > 1 && !((weight ?? 0) > 0)) continue;
    const port = portOf(destination, scope);
    if (clusterOf(destination, port, scope) === undefined) unknown = [...unknown, { destination, port }];
  }
  return unknown;
}

function clusterOf({ host, subset }: Destination, port: number, { client, services }: RouteScope): Cluster | undefined {
  return services.get(host)?.cluster(client, port, subset);
}

function pathStart({ uri, ignoreUriCase }: HTTPMatchRequest): string {
  if (uri === undefined || 'regex' in uri || ignoreUriCase === true) return '';
  const text = byteText('exact' in uri ? uri.exact : uri.prefix);
  // Every path begins with a slash.
  return text === '/' ? '' : text;
}

function compileAction(rule: HTTPRoute, match: HTTPMatchRequest, scope: RouteScope): Action {
  if (rule.redirect !== undefined) return redirectAction(rule, rule.redirect, match, scope);
  if (rule.directResponse !== undefined) return directAction(rule, rule.directResponse);
  const destinations = rule.route ?? [];
  const [only] = destinations;
  const rewritePath = compilePathRewrite(rule.rewrite, match);
  if (destinations.length === 1 && only !== undefined) return forwardAction(rule, only, 'single', rewritePath, scope);
  return weightedAction(rule, destinations, rewritePath, scope);
}

function redirectAction(rule: HTTPRoute, redirect: NonNullable<HTTPRoute['redirect']>, match: HTTPMatchRequest, scope: RouteScope): Action {
  const location = compileRedirect(redirect, match, scope.port, scope.isTls);
  const fixed = {
    kind: 'redirect',
    rule: rule.name,
    status: redirect.redirectCode || 301,
    response: singleLevel('response', rule.headers, undefined),
  } as const;
  return (request) => ({ ...fixed, location: location(request) });
}

function directAction(rule: HTTPRoute, direct: NonNullable<HTTPRoute['directResponse']>): Action {
  const selection: Selection = {
    kind: 'direct',
    rule: rule.name,
    status: direct.status,
    body: direct.body?.bytes === undefined ? (direct.body?.string ?? '') : (decodeBase64(direct.body.bytes) ?? ''),
    response: singleLevel('response', rule.headers, undefined),
  };
  return () => selection;
}

/** Destinations share the route by weight / sum; those of weight 0 are as if they were not there, their headers included. */
function weightedAction(
  rule: HTTPRoute,
  destinations: readonly HTTPRouteDestination[],
  rewritePath: PathRewrite | undefined,
  scope: RouteScope,
): Action {
  const live = drawn(destinations);
  const actions = live.map((destination) => forwardAction(rule, destination, 'weighted', rewritePath, scope));
  const ends = endsOf(live);
  const total = ends.at(-1) ?? 0;
  return (request, random) => {
    const at = random * total;
    const index = ends.findIndex((end) => at < end);
    const action = actions[index < 0 ? actions.length - 1 : index];
    if (action === undefined) throw new Error('a rule with several destinations has no weight above 0: it was not validated');
    return action(request, random);
  };
}

function drawn(destinations: readonly HTTPRouteDestination[]): readonly HTTPRouteDestination[] {
  return destinations.filter(({ weight }) => (weight ?? 0) > 0);
}

/** Where the part of each destination ends, in the sum of all weights. */
function endsOf(destinations: readonly HTTPRouteDestination[]): readonly number[] {
  let total = 0;
  return destinations.map(({ weight = 0 }) => {
    total += weight;
    return total;
  });
}

function drawsOf({ redirect, directResponse, route = [] }: HTTPRoute): RouteOrigin['draws'] {
  if (redirect !== undefined || directResponse !== undefined || route.length < 2) return [{ share: 1, random: 0 }];
  const ends = endsOf(drawn(route));
  const total = ends.at(-1) ?? 0;
  return ends.map((end, index) => {
    const begin = ends[index - 1] ?? 0;
    return { share: (end - begin) / total, random: (begin + end) / 2 / total };
  });
}

function forwardAction(
  rule: HTTPRoute,
  each: HTTPRouteDestination,
  mode: 'single' | 'weighted',
  rewritePath: PathRewrite | undefined,
  scope: RouteScope,
): Action {
  const { rule: name, destination, cluster, authority, timeoutMs, request: requestEdits, response } = plan(rule, each, mode, scope);
  return (request) => ({
    kind: 'forward',
    rule: name,
    destination,
    cluster,
    path: rewritePath === undefined ? request.head.path : rewritePath(request),
    authority: authority ?? request.head.authority,
    timeoutMs,
    request: requestEdits,
    response,
  });
}

interface ForwardPlan {
  readonly rule: string | undefined;
  readonly destination: { readonly host: string; readonly subset: string | undefined; readonly port: number };
  readonly cluster: Cluster | undefined;
  readonly authority: string | undefined;
  readonly timeoutMs: number;
  readonly request: HeaderEdits;
  readonly response: HeaderEdits;
}

function plan(rule: HTTPRoute, each: HTTPRouteDestination, mode: 'single' | 'weighted', scope: RouteScope): ForwardPlan {
  const { host, subset } = each.destination;
  const port = portOf(each.destination, scope);
  const cluster = clusterOf(each.destination, port, scope);
  const levels = mode === 'single' ? singleLevel : twoLevels;
  const rewritten = rule.rewrite?.authority;
  return {
    rule: rule.name,
    destination: { host, subset, port },
    cluster,
    authority: rewritten ? byteText(rewritten) : (authorityOf(rule.headers) ?? authorityOf(each.headers)),
    timeoutMs: rule.timeout === undefined ? 0 : (parseDuration(rule.timeout) ?? 0),
    request: levels('request', rule.headers, each.headers),
    response: levels('response', rule.headers, each.headers),
  };
}

function portOf({ host, port }: Destination, scope: RouteScope): number {
  return port?.number || onlyPort(host, scope) || scope.port;
}

function onlyPort(host: string, { services }: RouteScope): number | undefined {
  const ports = services.get(host)?.ports;
  return ports?.size === 1 ? ports.keys().next().value : undefined;
}
