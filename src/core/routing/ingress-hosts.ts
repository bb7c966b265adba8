import { admittedServerHost, boundGateways, intersectHosts } from '../istio/names.ts';
import type { Gateway, GatewayServer, HTTPRoute, VirtualService } from '../istio/resources.ts';
import type { CompiledRoute } from './compile-route.ts';
import { fullName } from './route-objects.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** A VirtualService with its hosts resolved and its delegates merged in. */
export interface EffectiveService {
  readonly object: VirtualService;
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly rules: readonly HTTPRoute[];
}

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
): VirtualHosts {
  const hosts = new Map<string, CompiledRoute[]>();
  for (const { gateway, server } of listener.servers) {
    const gatewayName = fullName(gateway);
    for (const service of services) {
      if (!boundGateways(service.object.spec.gateways, service.namespace).includes(gatewayName)) continue;
      const admitted = server.hosts.flatMap(
        (host) => admittedServerHost(host, gateway.metadata.namespace ?? 'default', service.namespace) ?? [],
      );
      const shared = intersectHosts(admitted, service.hosts);
      if (shared.length === 0) continue;
      const routes = compile(service, gatewayName);
      // Rules that are all for other ports leave the host to less specific ones.
      if (routes.length === 0) continue;
      for (const host of shared) hosts.set(host, [...(hosts.get(host) ?? []), ...routes]);
    }
  }
  return new VirtualHosts([...hosts].map(([host, routes]) => [host, catchAllsLast(routes)]));
}

function catchAllsLast(routes: readonly CompiledRoute[]): readonly CompiledRoute[] {
  return [...routes.filter(({ isCatchAll }) => !isCatchAll), ...routes.filter(({ isCatchAll }) => isCatchAll)];
}
