import { admittedServerHost, intersectHosts } from '../istio/names.ts';
import type { Gateway, GatewayServer } from '../istio/resources.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { EffectiveService } from './effective-services.ts';
import { fullName } from './route-objects.ts';

/** A server of a Gateway. */
export interface PlacedServer {
  /** Unlike that of any other server. */
  readonly name: string;
  readonly gateway: Gateway;
  /** `namespace/name`. */
  readonly gatewayName: string;
  readonly server: GatewayServer;
}

/** One ingress listener: the Gateway servers that share a port and address. */
export interface IngressListener {
  /** Unlike that of any other listener. */
  readonly name: string;
  readonly port: number;
  readonly bind: string | undefined;
  readonly servers: readonly PlacedServer[];
}

/** The listeners that Gateways declare, in order of creation. */
export function ingressListeners(gateways: readonly Gateway[]): readonly IngressListener[] {
  const servers = gateways.flatMap((gateway) => {
    const gatewayName = fullName(gateway);
    return gateway.spec.servers.map((server, index): PlacedServer => ({ name: `${gatewayName} ${index}`, gateway, gatewayName, server }));
  });
  const byAddress = Map.groupBy(servers, ({ server }) => JSON.stringify([server.port.number, server.bind || undefined]));
  return [...byAddress].flatMap(([name, group]) => {
    const [first] = group;
    return first === undefined ? [] : [{ name, port: first.server.port.number, bind: first.server.bind || undefined, servers: group }];
  });
}

/** The hosts under which a server has the routes of a VirtualService: those that both name (istio-semantics 1.3). */
export function sharedHosts({ gateway, server }: PlacedServer, service: EffectiveService): readonly string[] {
  const namespace = gateway.metadata.namespace ?? DEFAULT_NAMESPACE;
  const admitted = server.hosts.flatMap((host) => admittedServerHost(host, namespace, service.namespace) ?? []);
  return intersectHosts(admitted, service.hosts);
}

/** Routes of one host at a gateway, joined in order of creation, those that take everything last. */
export function joinRoutes(parts: readonly (readonly CompiledRoute[])[]): readonly CompiledRoute[] {
  const routes = parts.flat();
  return [...routes.filter(({ isCatchAll }) => !isCatchAll), ...routes.filter(({ isCatchAll }) => isCatchAll)];
}
