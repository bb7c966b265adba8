import { admittedServerHost, intersectHosts } from '../istio/names.ts';
import type { Gateway, GatewayServer } from '../istio/resources.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { EffectiveService } from './effective-services.ts';
import type { RouteLists } from './route-lists.ts';
import { fullName } from './route-objects.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** One ingress listener: the Gateway servers that share a port and address. */
export interface IngressListener {
  readonly port: number;
  readonly bind: string | undefined;
  readonly servers: readonly { readonly gateway: Gateway; readonly server: GatewayServer }[];
}

/** The listeners that Gateways declare, in order of creation. */
export function ingressListeners(gateways: readonly Gateway[]): readonly IngressListener[] {
  const servers = gateways.flatMap((gateway) => gateway.spec.servers.map((server) => ({ gateway, server })));
  return [...Map.groupBy(servers, ({ server }) => JSON.stringify([server.port.number, server.bind || undefined])).values()].flatMap(
    (group) => {
      const [first] = group;
      return first === undefined ? [] : [{ port: first.server.port.number, bind: first.server.bind || undefined, servers: group }];
    },
  );
}

/**
 * The virtual hosts of an ingress listener (istio-semantics 1.3): VirtualServices bound to one of its gateways, on the hosts that both name.
 * Routes of one host are joined in order of creation, those that take everything last.
 */
export function ingressHosts(
  listener: IngressListener,
  services: readonly EffectiveService[],
  compile: (service: EffectiveService, gateway: string) => readonly CompiledRoute[],
  lists: RouteLists,
): VirtualHosts {
  const hosts = new Map<string, (readonly CompiledRoute[])[]>();
  for (const { gateway, server } of listener.servers) {
    const gatewayName = fullName(gateway);
    for (const service of services) {
      if (!service.gateways.includes(gatewayName)) continue;
      const shared = sharedHosts(service, gateway, server);
      if (shared.length === 0) continue;
      const routes = compile(service, gatewayName);
      // Rules that are all for other ports leave the host to less specific ones.
      if (routes.length === 0) continue;
      for (const host of shared) {
        const parts = hosts.get(host);
        if (parts === undefined) hosts.set(host, [routes]);
        else parts.push(routes);
      }
    }
  }
  return new VirtualHosts([...hosts].map(([host, parts]) => [host, lists.joined(parts)]));
}

const shared = new WeakMap<EffectiveService, WeakMap<GatewayServer, readonly string[]>>();

/** The hosts that both name. Found once for each two, which nobody changes. */
function sharedHosts(service: EffectiveService, gateway: Gateway, server: GatewayServer): readonly string[] {
  const found = shared.get(service) ?? new WeakMap<GatewayServer, readonly string[]>();
  shared.set(service, found);
  const known = found.get(server);
  if (known !== undefined) return known;
  const admitted = server.hosts.flatMap(
    (host) => admittedServerHost(host, gateway.metadata.namespace ?? 'default', service.namespace) ?? [],
  );
  const hosts = intersectHosts(admitted, service.hosts);
  found.set(server, hosts);
  return hosts;
}
