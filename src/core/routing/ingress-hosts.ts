import { admittedServerHost, intersectHosts } from '../istio/names.ts';
import type { Gateway, GatewayServer } from '../istio/resources.ts';
import { isHttps } from '../istio/server-tls.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { EffectiveService } from './effective-services.ts';
import { fullName } from './route-objects.ts';
import { serverNameOf, type TlsServer, tlsServerOf } from './tls-server.ts';

/** A server of a Gateway. */
export interface PlacedServer {
  /** Unlike that of any other server. */
  readonly name: string;
  readonly gateway: Gateway;
  /** `namespace/name`. */
  readonly gatewayName: string;
  readonly server: GatewayServer;
}

/** One ingress listener: the Gateway servers without TLS that share a port and address; or one with TLS, which has routes of its own. */
export interface IngressListener {
  /** Unlike that of any other listener. */
  readonly name: string;
  readonly port: number;
  readonly bind: string | undefined;
  readonly servers: readonly PlacedServer[];
  readonly tls: TlsServer | undefined;
}

/** A server that is left out because of an older one at the same port. */
export interface RivalServer {
  readonly placed: PlacedServer;
  readonly by: PlacedServer;
  /** The host that both have with TLS; undefined: one of them has TLS, the other has not. */
  readonly host: string | undefined;
}

/**
 * The listeners that Gateways declare, in order of creation. Where servers cannot share a port the older one has it (istio MergeGateways):
 * those with and without TLS, and two with TLS that have one host.
 */
export function ingressListeners(gateways: readonly Gateway[]): {
  readonly listeners: readonly IngressListener[];
  readonly rivals: readonly RivalServer[];
} {
  const servers = gateways.flatMap((gateway) => {
    const gatewayName = fullName(gateway);
    return gateway.spec.servers.map((server, index): PlacedServer => ({ name: `${gatewayName} ${index}`, gateway, gatewayName, server }));
  });
  const byAddress = Map.groupBy(servers, ({ server }) => JSON.stringify([server.port.number, server.bind || undefined]));
  const rivals: RivalServer[] = [];
  const listeners = [...byAddress].flatMap(([name, group]): IngressListener[] => {
    const [first] = group;
    if (first === undefined) return [];
    const address = { port: first.server.port.number, bind: first.server.bind || undefined };
    const ofOtherKind = group.filter(({ server }) => isHttps(server) !== isHttps(first.server));
    rivals.push(...ofOtherKind.map((placed) => ({ placed, by: first, host: undefined })));
    if (!isHttps(first.server)) return [{ name, ...address, servers: group.filter(({ server }) => !isHttps(server)), tls: undefined }];
    const holders = new Map<string, PlacedServer>();
    return group.flatMap((placed) => {
      const { server } = placed;
      if (!isHttps(server)) return [];
      const names = server.hosts.map(serverNameOf);
      const taken = names.find((each) => holders.has(each));
      const by = taken === undefined ? undefined : holders.get(taken);
      if (by !== undefined) {
        rivals.push({ placed, by, host: taken });
        return [];
      }
      for (const each of names) holders.set(each, placed);
      const tls = tlsServerOf(`Gateway ${placed.gatewayName}, server ${server.port.name}`, server.hosts, server.tls ?? {});
      return [{ name: `${name} ${placed.name}`, ...address, servers: [placed], tls }];
    });
  });
  return { listeners, rivals };
}

/** What a server without TLS answers that sends its clients to one with TLS; the Host stays, its port included (measured with Envoy 1.40). */
const HTTPS_REDIRECT: readonly CompiledRoute[] = [
  {
    conditions: [],
    pathStart: '',
    isCatchAll: true,
    answer: ({ head }) => ({
      kind: 'redirect',
      rule: undefined,
      status: 301,
      location: `https://${head.authority}${head.path}`,
      response: [],
    }),
    origin: { object: undefined, place: 0, block: 0, rule: { redirect: { scheme: 'https' } }, draws: [{ share: 1, random: 0 }] },
  },
];
const REDIRECTING: readonly (readonly CompiledRoute[])[] = [HTTPS_REDIRECT];

/**
 * Has the hosts of servers with `httpsRedirect` do nothing else, those without routes, too (istio gateway.go: `require_tls: ALL`). `parts`:
 * by host, the routes of each VirtualService.
 */
export function redirectToHttps(
  servers: readonly PlacedServer[],
  parts: Map<string, readonly (readonly CompiledRoute[])[]>,
  servedHosts: (server: PlacedServer) => Iterable<string>,
): void {
  for (const placed of servers) {
    const { tls, hosts } = placed.server;
    if (tls?.httpsRedirect !== true) continue;
    for (const host of [...hosts.map(serverNameOf), ...servedHosts(placed)]) parts.set(host, REDIRECTING);
  }
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
