import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { MESH_GATEWAY, resolveGateway } from '../istio/names.ts';
import type { HTTPMatchRequest, HTTPRoute, KubeObject } from '../istio/resources.ts';
import { isCatchAll } from '../routing/catch-all.ts';
import { isDelegate, mergedRule } from '../routing/delegates.ts';
import { type GatewayHost, holdersByHost, hostsAtGateways, isInMesh } from './gateway-hosts.ts';
import { PathIndex } from './path-index.ts';
import type { RoutePlan } from './plan.ts';
import { describeRouteObject, isSameObject, type RouteObject } from './route-object.ts';
import { blocksOf, hasSourceConditions } from './rule-blocks.ts';
import { isWiderMatch } from './wider-match.ts';

/** A woven object, and the indexes of its rules that are woven. */
export interface WovenRules {
  readonly route: RouteObject;
  readonly rules: readonly number[];
}

/** What the rules stand among. */
export interface Merging {
  /** All VirtualServices, the oldest first: a gateway merges their rules in that order. */
  readonly objects: readonly RouteObject[];
  readonly gateways: readonly KubeObject[];
  readonly plan: RoutePlan;
}

/** A host at a gateway, or the mesh, where an object is served. */
interface Place {
  /** Full name, or `mesh`. */
  readonly gateway: string;
  readonly host: string | undefined;
  /** The listener's; undefined where it may be any. */
  readonly port: number | undefined;
  /** The objects whose rules are merged before those of this one. */
  readonly older: readonly RouteObject[];
}

/** A match block of a rule as it is served by an object with hosts. */
interface ServedBlock {
  readonly block: HTTPMatchRequest;
  readonly top: RouteObject;
  /** The rule: of the delegate that it comes from, or of `top`. */
  readonly from: RouteObject;
  readonly index: number;
}

/** A block of a rule at one place, and what takes all its requests before it. */
interface Standing {
  readonly rule: number;
  /** The object with hosts by which it is served there. */
  readonly top: RouteObject;
  readonly place: Place;
  readonly taker: ServedBlock | undefined;
}

/**
 * Woven rules whose requests another rule surely takes first: an earlier one of the same object, or, at a gateway, one of an older object with
 * the same host (istio-semantics 1.3 and 1.6). An error where that leaves nothing of the object, unless the plan is settled; else a warning
 * for each rule, and nothing for one of which a match is reached. Requests that only several rules together take are not looked for.
 */
export function unreachedRules(woven: WovenRules, merging: Merging): readonly Diagnostic[] {
  const { route } = woven;
  const standings = topsOf(route).flatMap((top) =>
    placesOf(top, merging).flatMap((place) => standingsAt(place, top, woven, merging.objects)),
  );
  if (standings.length > 0 && standings.every(({ taker }) => taker !== undefined)) return [nobodyReached(route, standings, merging.plan)];
  const byRule = Map.groupBy(standings, ({ rule }) => rule);
  return woven.rules.flatMap((rule) => ruleFindings(route, rule, byRule.get(rule) ?? []));
}

/** The objects with hosts by which this one is served. */
function topsOf(route: RouteObject): readonly RouteObject[] {
  if (!isDelegate(route)) return [route];
  const roots = route.delegations.map(({ root }) => root);
  return roots.filter((root, index) => roots.findIndex((each) => isSameObject(each, root)) === index);
}

function placesOf(top: RouteObject, { objects, gateways }: Merging): readonly Place[] {
  const at = objects.findIndex((each) => isSameObject(each, top));
  const holders = holdersByHost(objects, gateways);
  const olderAt = (mine: GatewayHost): readonly RouteObject[] => {
    const merged = (holders.get(mine.host) ?? []).filter(
      ({ object, place, host }) => place < at && isPublic(object) && isSameServer(mine, host),
    );
    return isPublic(top) ? [...new Set(merged.map(({ object }) => object))] : [];
  };
  const atGateways = hostsAtGateways(top, gateways)
    .filter(({ server }) => server?.redirects !== true)
    .map((mine) => ({ gateway: mine.gateway, host: mine.host, port: mine.server?.port, older: olderAt(mine) }));
  return isInMesh(top) ? [...atGateways, { gateway: MESH_GATEWAY, host: undefined, port: undefined, older: [] }] : atGateways;
}

/** Others are merged before those, or are not seen by the gateway. */
function isPublic({ spec: { exportTo = [] } }: RouteObject): boolean {
  return exportTo.length === 0 || exportTo.includes('*');
}

/** Of what a Gateway that is not there will have nothing is known. */
function isSameServer(mine: GatewayHost, theirs: GatewayHost): boolean {
  const isKnown = mine.server !== undefined && mine.server.index === theirs.server?.index;
  return isKnown && mine.gateway === theirs.gateway && mine.host === theirs.host;
}

function standingsAt(place: Place, top: RouteObject, { route, rules }: WovenRules, objects: readonly RouteObject[]): Standing[] {
  const older = place.older.flatMap((object) => untilCatchAll(servedBlocks(object, place, route, objects)));
  const own = servedBlocks(top, place, route, objects);
  const all = [...older, ...own];
  const paths = new PathIndex(all.map(({ block }) => block));
  const woven = new Set(rules);
  return own.flatMap(({ block, from, index }, at): Standing[] => {
    if (!woven.has(index) || !isSameObject(from, route)) return [];
    // Catch-alls are sorted last; in their own object Istio emits nothing behind them.
    const comesFirst = (position: number, other: HTTPMatchRequest): boolean =>
      position < older.length ? !isCatchAll(other) || isCatchAll(block) : position < older.length + at;
    const takes = (position: number): boolean => {
      const other = all[position]?.block;
      return other !== undefined && comesFirst(position, other) && isSurelyServed(other, block, place) && isWiderMatch(other, block);
    };
    const taker = paths.asWideAs(block).find(takes);
    return [{ rule: index, top, place, taker: taker === undefined ? undefined : all[taker] }];
  });
}

/** The blocks that the object serves there, delegates merged in; those whose senders it may not serve are among them. */
function servedBlocks(top: RouteObject, place: Place, route: RouteObject, objects: readonly RouteObject[]): readonly ServedBlock[] {
  // The woven object may be stored otherwise than it is judged.
  const current = (object: RouteObject): RouteObject => (isSameObject(object, route) ? route : object);
  return (current(top).spec.http ?? []).flatMap((rule, index): ServedBlock[] => {
    const served = (each: HTTPRoute | undefined, from: RouteObject, at: number): ServedBlock[] =>
      (each === undefined ? [] : blocksOf(each))
        .filter((block) => isServed(block, top, place))
        .map((block) => ({ block, top, from, index: at }));
    if (rule.delegate === undefined) return served(rule, top, index);
    const { name, namespace } = rule.delegate;
    const target = { name, namespace: namespace || top.namespace };
    const delegate = objects.find((each) => isDelegate(each) && each.name === name && each.namespace === target.namespace);
    if (delegate === undefined) return [];
    return (current(delegate).spec.http ?? []).flatMap((inner, at) =>
      served(mergedRule({ rule, namespace: top.namespace }, { rule: inner, namespace: delegate.namespace }), delegate, at),
    );
  });
}

function untilCatchAll(blocks: readonly ServedBlock[]): readonly ServedBlock[] {
  const last = blocks.findIndex(({ block }) => isCatchAll(block));
  return last < 0 ? blocks : blocks.slice(0, last + 1);
}

function isServed({ port, gateways = [] }: HTTPMatchRequest, { namespace }: RouteObject, place: Place): boolean {
  if (port && place.port !== undefined && port !== place.port) return false;
  return gateways.length === 0 || gateways.some((name) => resolveGateway(name, namespace) === place.gateway);
}

/** Whether the block is there wherever and for whomever `other` is. */
function isSurelyServed(block: HTTPMatchRequest, other: HTTPMatchRequest, place: Place): boolean {
  const isAtPort = !block.port || place.port !== undefined || block.port === other.port;
  // Istio forgets sources where gateways are named.
  return isAtPort && (!hasSourceConditions(block) || (block.gateways ?? []).length > 0);
}

const OLDER_FIRST = 'at a gateway rules of the older VirtualService come first, however narrow the others are';
const NARROWER_FIRST = 'put the narrower rule first';

function nobodyReached(route: RouteObject, standings: readonly Standing[], plan: RoutePlan): Diagnostic {
  const mine = describeRouteObject(route);
  const takers = [...new Set(standings.flatMap((each) => describeObject(each, route)))];
  const isOld = standings.some(isTakenByOlder);
  const verb = isOld && takers.length === 1 ? 'takes' : 'take';
  const message = `${takers.join(' and ')} ${verb} every request for the woven rules of ${mine} first`;
  return {
    code: 'PERCH2020',
    severity: plan.kind === 'settled' ? 'warning' : 'error',
    message: `${message}: ${isOld ? 'delete what is in the way, or join the two' : NARROWER_FIRST}`,
    object: mine,
    path: 'spec.http',
    hint: isOld ? OLDER_FIRST : 'the release might reach nobody',
  };
}

/** What is to be said about one rule: the places where none of its matches is reached. */
function ruleFindings(route: RouteObject, rule: number, standings: readonly Standing[]): Diagnostic[] {
  const byPlace = [...Map.groupBy(standings, ({ place }) => describePlace(place))];
  const lost = byPlace.filter(([, each]) => each.every(({ taker }) => taker !== undefined));
  const [first] = lost[0]?.[1] ?? [];
  if (first === undefined) return [];
  const what = lost.length === byPlace.length ? 'is never reached' : `is not reached ${lost.map(([place]) => place).join(' and ')}`;
  return [
    {
      code: 'PERCH2020',
      severity: 'warning',
      message: `the rule ${what}: ${describeRule(first, route)} takes its requests first`,
      object: describeRouteObject(route),
      path: `spec.http[${rule}]`,
      hint: isTakenByOlder(first) ? OLDER_FIRST : NARROWER_FIRST,
    },
  ];
}

function isTakenByOlder({ taker, top }: Standing): boolean {
  return taker !== undefined && !isSameObject(taker.top, top);
}

function describePlace({ gateway, host }: Place): string {
  return host === undefined ? 'in the mesh' : `at gateway ${gateway} for ${host}`;
}

/** Of what object the rule is that takes the requests. */
function describeObject(standing: Standing, route: RouteObject): string[] {
  const { taker, top } = standing;
  if (taker === undefined) return [];
  if (isTakenByOlder(standing)) return [`${describeRouteObject(taker.top)}, which is older${thanRoot(top, route)},`];
  return [isSameObject(taker.from, route) ? 'earlier rules of its own' : `earlier rules of ${describeRouteObject(top)}`];
}

/** The rule that takes the requests. */
function describeRule(standing: Standing, route: RouteObject): string {
  const { taker, top } = standing;
  if (taker === undefined) return '';
  const at = `spec.http[${taker.index}]`;
  if (!isTakenByOlder(standing)) return isSameObject(taker.from, route) ? at : `${at} of ${describeRouteObject(taker.from)}`;
  const through = isSameObject(taker.from, taker.top) ? '' : `, through ${describeRouteObject(taker.top)}`;
  return `${at} of ${describeRouteObject(taker.from)}${through}, which is older${thanRoot(top, route)},`;
}

function thanRoot(top: RouteObject, route: RouteObject): string {
  return isSameObject(top, route) ? '' : ` than ${describeRouteObject(top)}`;
}
