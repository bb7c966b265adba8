import { admittedServerHost, boundGateways, intersectHosts, MESH_GATEWAY, resolveGateway, resolveHost } from '../istio/names.ts';
import type { GatewayServer, GatewaySpec, KubeObject } from '../istio/resources.ts';
import { isDelegate } from '../routing/delegates.ts';
import { areSame } from '../routing/kept-results.ts';
import { type Delegation, isSameObject, type RouteObject } from './route-object.ts';
import { blocksOf } from './rule-blocks.ts';

/** A host that a VirtualService serves at a gateway; `server` is undefined where the Gateway object is not known. */
export interface GatewayHost {
  readonly gateway: string;
  readonly host: string;
  readonly server: Server | undefined;
}

interface Server {
  /** Its place in the Gateway. */
  readonly index: number;
  readonly port: number;
  readonly tls: boolean;
  /** Answers every request with a redirect to https, so it serves no route. */
  readonly redirects: boolean;
  readonly selector: Readonly<Record<string, string>>;
}

/**
 * The gateways that serve the object, as its own matches may name them: empty for an object that only sidecars serve. A delegate's are those
 * through which its roots lead here.
 */
export function ownGateways(route: RouteObject): readonly string[] {
  const names = isDelegate(route) ? route.delegations.flatMap(gatewaysOf) : (route.spec.gateways ?? []);
  return [...new Set(names)].filter((name) => name !== MESH_GATEWAY);
}

/** Whether sidecars serve the object: it, or a root that leads here, names `mesh`, or no gateway at all. */
export function isInMesh(route: RouteObject): boolean {
  const names = isDelegate(route) ? route.delegations.flatMap(gatewaysOf) : boundGateways(route.spec.gateways, route.namespace);
  return names.includes(MESH_GATEWAY);
}

/** Whether a delegation leads to its delegate in the mesh. */
export function isLedToInMesh(delegation: Delegation): boolean {
  return gatewaysOf(delegation).includes(MESH_GATEWAY);
}

/** Full names of the gateways, or `mesh`, through which a delegation leads: those of the root, but for what its matches leave out. */
function gatewaysOf({ root, rule }: Delegation): readonly string[] {
  const bound = boundGateways(root.spec.gateways, root.namespace);
  return blocksOf(rule).flatMap(({ gateways = [] }) => {
    if (gateways.length === 0) return bound;
    const admitted = gateways.map((name) => resolveGateway(name, root.namespace));
    return bound.filter((name) => admitted.includes(name));
  });
}

/** Whether every server that hands the object's routes to browsers is HTTPS: what decides about cookies that do not say whether they are secure. Unknown gateways count as not. */
export function isServedOverTls(route: RouteObject, gateways: readonly KubeObject[]): boolean {
  const serving = hostsAtGateways(route, gateways).filter((host) => host.server?.redirects !== true);
  return serving.length > 0 && serving.every((host) => host.server?.tls === true);
}

/** Another object whose routes a gateway merges with those of this one; of a delegate, with what comes `through` that rule of a root. */
export interface Sharing {
  readonly other: RouteObject;
  readonly through: Delegation | undefined;
}

/**
 * Those of `others` whose routes a gateway merges with those of `route`: the same virtual host of the same gateway, or of another one that
 * may select the same proxies and has a plain HTTP server on the same port (istio gateway.go buildGatewayHTTPRouteConfig). Delegates among
 * the others count as what their roots serve; a root does not share with its own delegates, whose rules stand where it delegates.
 */
export function findSharing(route: RouteObject, others: readonly RouteObject[], gateways: readonly KubeObject[]): readonly Sharing[] {
  const places = isDelegate(route) ? route.delegations : [undefined];
  const holders = holdersByHost(others, gateways);
  return places.flatMap((through) => {
    const top = through?.root ?? route;
    const own = through === undefined ? hostsAtGateways(route, gateways) : hostsThrough(through, gateways);
    const merged = own.flatMap((mine) => (holders.get(mine.host) ?? []).filter(({ host }) => isMerged(mine, host)));
    const found = new Map(merged.map(({ place, object }) => [place, object]));
    return [...found]
      .sort(([left], [right]) => left - right)
      .filter(([, other]) => !isSameObject(top, other) && (other.spec.http ?? []).length > 0)
      .map(([, other]) => ({ other, through }));
  });
}

/** An object with hosts of its own. */
export interface HostHolder {
  readonly object: RouteObject;
  /** Its place among the objects that were asked about. */
  readonly place: number;
  readonly host: GatewayHost;
}

const holders = new WeakMap<
  readonly RouteObject[],
  { readonly gateways: readonly KubeObject[]; readonly byHost: ReadonlyMap<string, readonly HostHolder[]> }
>();

/** Which of the objects gateways serve a host for, by the host. Read once for each array, which nobody may change. */
export function holdersByHost(
  objects: readonly RouteObject[],
  gateways: readonly KubeObject[],
): ReadonlyMap<string, readonly HostHolder[]> {
  const last = holders.get(objects);
  if (last !== undefined && areSame(last.gateways, gateways)) return last.byHost;
  const all = objects.flatMap((object, place) =>
    isDelegate(object) ? [] : hostsAtGateways(object, gateways).map((host): HostHolder => ({ object, place, host })),
  );
  const byHost = Map.groupBy(all, ({ host }) => host.host);
  holders.set(objects, { gateways, byHost });
  return byHost;
}

interface FoundHosts {
  readonly namespace: string;
  readonly gateways: readonly KubeObject[];
  readonly hosts: readonly GatewayHost[];
}

/** Of each object, what was found with the gateways that were asked about last: the same for every release that looks at its neighbours. */
const found = new WeakMap<KubeObject, FoundHosts>();

/** The hosts that gateways serve the object for; of a delegate those of its roots. */
export function hostsAtGateways(route: RouteObject, gateways: readonly KubeObject[]): readonly GatewayHost[] {
  if (isDelegate(route)) return route.delegations.flatMap((each) => hostsThrough(each, gateways));
  const { object, namespace } = route;
  const last = found.get(object);
  if (last?.namespace === namespace && areSame(last.gateways, gateways)) return last.hosts;
  const hosts = hostsOf(route, route.spec.gateways ?? [], gateways);
  found.set(object, { namespace, gateways, hosts });
  return hosts;
}

function hostsThrough(delegation: Delegation, gateways: readonly KubeObject[]): readonly GatewayHost[] {
  return hostsOf(delegation.root, gatewaysOf(delegation), gateways);
}

/** The hosts of an object at those gateways; `names` as the object writes them, or full. */
function hostsOf(route: RouteObject, names: readonly string[], gateways: readonly KubeObject[]): GatewayHost[] {
  const hosts = (route.spec.hosts ?? []).map((host) => resolveHost(host, route.namespace));
  const resolved = new Set(names.map((name) => resolveGateway(name, route.namespace)));
  resolved.delete(MESH_GATEWAY);
  return [...resolved].flatMap((gateway): GatewayHost[] => {
    const object = gateways.find(
      (candidate) => `${candidate.metadata.namespace ?? route.namespace}/${candidate.metadata.name}` === gateway,
    );
    if (object === undefined) return hosts.map((host) => ({ gateway, host: host.toLowerCase(), server: undefined }));
    const spec = object.spec as GatewaySpec;
    return (spec.servers ?? []).flatMap((server, index) => {
      const admitted = server.hosts.flatMap((host) => {
        const seen = admittedServerHost(host, object.metadata.namespace ?? route.namespace, route.namespace);
        return seen === undefined ? [] : [resolveHost(seen, route.namespace)];
      });
      const read = readServer(server, index, spec.selector ?? {});
      return intersectHosts(admitted, hosts).map((host) => ({ gateway, host, server: read }));
    });
  });
}

function readServer(
  server: GatewayServer & { readonly tls?: { readonly httpsRedirect?: boolean } },
  index: number,
  selector: Server['selector'],
): Server {
  const protocol = server.port.protocol.toUpperCase();
  return {
    index,
    port: server.port.number,
    tls: protocol === 'HTTPS' || protocol === 'TLS',
    redirects: server.tls?.httpsRedirect === true,
    selector,
  };
}

/** Of two that have one host. */
function isMerged(mine: GatewayHost, other: GatewayHost): boolean {
  if (mine.server === undefined || other.server === undefined) return mine.gateway === other.gateway;
  if (mine.server.port !== other.server.port) return false;
  if (mine.gateway === other.gateway) return true;
  return !mine.server.tls && !other.server.tls && mayOverlap(mine.server.selector, other.server.selector);
}

/** Two selectors can select one pod unless they ask the same label for different values. */
function mayOverlap(left: Server['selector'], right: Server['selector']): boolean {
  return Object.entries(left).every(([label, value]) => right[label] === undefined || right[label] === value);
}
