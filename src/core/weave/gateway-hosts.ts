import { admittedServerHost, boundGateways, intersectHosts, MESH_GATEWAY, resolveGateway, resolveHost } from '../istio/names.ts';
import type { GatewayServer, GatewaySpec, KubeObject } from '../istio/resources.ts';
import { isSameObject, type RouteObject } from './route-object.ts';

/** A host that a VirtualService serves at a gateway; `server` is undefined where the Gateway object is not known. */
interface GatewayHost {
  readonly gateway: string;
  readonly host: string;
  readonly server: Server | undefined;
}

interface Server {
  readonly port: number;
  readonly tls: boolean;
  /** Answers every request with a redirect to https, so it serves no route. */
  readonly redirects: boolean;
  readonly selector: Readonly<Record<string, string>>;
}

/** Names as in `spec.gateways` that are not the mesh: empty for an object that only sidecars serve. */
export function ownGateways(route: RouteObject): readonly string[] {
  return (route.spec.gateways ?? []).filter((name) => name !== MESH_GATEWAY);
}

/** Whether sidecars serve the object: it names `mesh`, or no gateway at all. */
export function isInMesh(route: RouteObject): boolean {
  return boundGateways(route.spec.gateways, route.namespace).includes(MESH_GATEWAY);
}

/** Whether every server that hands the object's routes to browsers is HTTPS: what `secure: auto` asks. Unknown gateways count as not. */
export function isServedOverTls(route: RouteObject, gateways: readonly KubeObject[]): boolean {
  const serving = hostsAtGateways(route, gateways).filter((host) => host.server?.redirects !== true);
  return serving.length > 0 && serving.every((host) => host.server?.tls === true);
}

/**
 * The first of `others` (but the object itself) whose routes a gateway merges with those of `route`: the same virtual host of the same gateway,
 * or of another one that may select the same proxies and has a plain HTTP server on the same port (istio gateway.go buildGatewayHTTPRouteConfig).
 */
export function findSharing(route: RouteObject, others: readonly RouteObject[], gateways: readonly KubeObject[]): RouteObject | undefined {
  const own = hostsAtGateways(route, gateways);
  return others.find((other) => {
    if (isSameObject(route, other) || (other.spec.http ?? []).length === 0) return false;
    return hostsAtGateways(other, gateways).some((theirs) => own.some((mine) => isMerged(mine, theirs)));
  });
}

function hostsAtGateways(route: RouteObject, gateways: readonly KubeObject[]): GatewayHost[] {
  const hosts = (route.spec.hosts ?? []).map((host) => resolveHost(host, route.namespace));
  return ownGateways(route).flatMap((name): GatewayHost[] => {
    const gateway = resolveGateway(name, route.namespace);
    const object = gateways.find(
      (candidate) => `${candidate.metadata.namespace ?? route.namespace}/${candidate.metadata.name}` === gateway,
    );
    if (object === undefined) return hosts.map((host) => ({ gateway, host: host.toLowerCase(), server: undefined }));
    const spec = object.spec as GatewaySpec;
    return (spec.servers ?? []).flatMap((server) => {
      const admitted = server.hosts.flatMap((host) => {
        const seen = admittedServerHost(host, object.metadata.namespace ?? route.namespace, route.namespace);
        return seen === undefined ? [] : [resolveHost(seen, route.namespace)];
      });
      const read = readServer(server, spec.selector ?? {});
      return intersectHosts(admitted, hosts).map((host) => ({ gateway, host, server: read }));
    });
  });
}

function readServer(server: GatewayServer & { readonly tls?: { readonly httpsRedirect?: boolean } }, selector: Server['selector']): Server {
  const protocol = server.port.protocol.toUpperCase();
  return {
    port: server.port.number,
    tls: protocol === 'HTTPS' || protocol === 'TLS',
    redirects: server.tls?.httpsRedirect === true,
    selector,
  };
}

function isMerged(mine: GatewayHost, other: GatewayHost): boolean {
  if (mine.host !== other.host) return false;
  if (mine.server === undefined || other.server === undefined) return mine.gateway === other.gateway;
  if (mine.server.port !== other.server.port) return false;
  if (mine.gateway === other.gateway) return true;
  return !mine.server.tls && !other.server.tls && mayOverlap(mine.server.selector, other.server.selector);
}

/** Two selectors can select one pod unless they ask the same label for different values. */
function mayOverlap(left: Server['selector'], right: Server['selector']): boolean {
  return Object.entries(left).every(([label, value]) => right[label] === undefined || right[label] === value);
}
