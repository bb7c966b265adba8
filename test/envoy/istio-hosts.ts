import { resolveGateway, resolveHost } from '../../src/core/istio/names.ts';
import type { Gateway, HTTPRoute, RoutingObject, ServiceEntry, VirtualService } from '../../src/core/istio/resources.ts';
import { mergedRules } from './istio-delegates.ts';
import { takesEverything, translateRules } from './istio-routes.ts';
import type { EnvoyRoute, EnvoyVirtualHost } from './static-config.ts';

/**
 * The virtual hosts that istiod gives a gateway for a port (istio pilot/pkg/networking/core/gateway.go): VirtualServices of one host
 * joined in order of creation, then of name, with the routes that take everything last.
 */
export function gatewayVirtualHosts(objects: readonly RoutingObject[], port: number): readonly EnvoyVirtualHost[] {
  const services = virtualServices(objects);
  const hosts = new Map<string, EnvoyRoute[]>();
  for (const gateway of objects.filter((object): object is Gateway => object.kind === 'Gateway')) {
    const name = `${gateway.metadata.namespace ?? 'default'}/${gateway.metadata.name}`;
    for (const server of gateway.spec.servers.filter((each) => each.port.number === port)) {
      for (const { service, hosts: own, rules } of services) {
        if (!boundTo(service).includes(name)) continue;
        const routes = translateRules(rules, { gateway: name, port, namespace: namespaceOf(service) });
        const shared = new Set(server.hosts.flatMap((host) => own.flatMap((other) => narrower(host, other) ?? [])));
        if (routes.length > 0) for (const host of shared) hosts.set(host, [...(hosts.get(host) ?? []), ...routes]);
      }
    }
  }
  return [...hosts].map(([host, routes]) => ({
    name: host,
    domains: [host],
    routes: [...routes.filter((route) => !takesEverything(route)), ...routes.filter(takesEverything)],
  }));
}

/**
 * The virtual hosts of a sidecar in namespace `default` for a service port (istio httproute.go BuildSidecarOutboundVirtualHosts): each
 * service under its names, with the routes of the first VirtualService that names it; hosts that nobody declares get 502 (REGISTRY_ONLY).
 */
export function meshVirtualHosts(objects: readonly RoutingObject[], port: number): readonly EnvoyVirtualHost[] {
  const services = virtualServices(objects).filter(({ service }) => boundTo(service).includes('mesh'));
  const declared = objects
    .filter((object): object is ServiceEntry => object.kind === 'ServiceEntry')
    .filter(({ spec }) => spec.ports.some(({ number }) => number === port));
  const named = declared
    .flatMap(({ spec }) => spec.hosts)
    .map((host): EnvoyVirtualHost => {
      const chosen = services
        .filter(({ hosts }) => hosts.includes(host))
        .map(({ service, rules }) => translateRules(rules, { gateway: 'mesh', port, namespace: namespaceOf(service) }))
        .find((routes) => routes.length > 0);
      const routes = chosen ?? translateRules([{ route: [{ destination: { host, port: { number: port } } }] }], { namespace: 'default' });
      return { name: host, domains: serviceDomains(host), routes };
    });
  // One host that is a service here is enough: the others come along.
  const along = services
    .filter(({ hosts }) => named.some(({ name }) => hosts.includes(name)))
    .flatMap(({ service, hosts, rules }) => {
      const routes = translateRules(rules, { gateway: 'mesh', port, namespace: namespaceOf(service) });
      return hosts.filter((host) => !named.some(({ name }) => name === host)).map((host) => ({ name: host, domains: [host], routes }));
    });
  const blocked: EnvoyVirtualHost = {
    name: 'block_all',
    domains: ['*'],
    routes: [{ match: { prefix: '/' }, direct_response: { status: 502 } }],
  };
  return [...named, ...along, blocked];
}

interface Served {
  readonly service: VirtualService;
  readonly hosts: readonly string[];
  readonly rules: readonly HTTPRoute[];
}

/** VirtualServices that have hosts, in istiod's order, with delegates merged in. */
function virtualServices(objects: readonly RoutingObject[]): readonly Served[] {
  const all = objects.filter((object): object is VirtualService => object.kind === 'VirtualService');
  const key = ({ metadata }: VirtualService) =>
    [metadata.creationTimestamp ?? '', metadata.name, metadata.namespace ?? 'default'].join('\n');
  return all
    .filter(({ spec }) => (spec.hosts ?? []).length > 0)
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((service) => ({
      service,
      hosts: (service.spec.hosts ?? []).map((host) => resolveHost(host, namespaceOf(service)).toLowerCase()),
      rules: mergedRules(service, all),
    }));
}

function boundTo(service: VirtualService): readonly string[] {
  const { gateways = [] } = service.spec;
  return gateways.length === 0 ? ['mesh'] : gateways.map((name) => resolveGateway(name, namespaceOf(service)));
}

/** The narrower of two hosts that overlap; a server's namespace part is not known here. */
function narrower(serverHost: string, host: string): string | undefined {
  if (serverHost.includes('/')) throw new Error(`this translation does not know the server host ${serverHost}`);
  const left = serverHost.toLowerCase();
  if (covers(left, host)) return host;
  return covers(host, left) ? left : undefined;
}

function covers(pattern: string, host: string): boolean {
  return (
    pattern === host || pattern === '*' || (pattern.startsWith('*') && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)))
  );
}

/** `shop.default.svc.cluster.local` and its shorter names, as a client in namespace `default` may write it. */
function serviceDomains(host: string): readonly string[] {
  const [, name = '', namespace = ''] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(host) ?? [];
  if (name === '') return [host, `${host}.`];
  return [host, `${host}.`, ...(namespace === 'default' ? [name] : []), `${name}.${namespace}.svc`, `${name}.${namespace}`];
}

function namespaceOf(service: VirtualService): string {
  return service.metadata.namespace ?? 'default';
}
