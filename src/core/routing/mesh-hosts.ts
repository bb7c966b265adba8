import { compareSpecificity, hostMatches, isWildcardHost, MESH_GATEWAY, splitServiceHost } from '../istio/names.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { EffectiveService } from './effective-services.ts';
import type { RouteList } from './route-list.ts';
import type { RouteLists } from './route-lists.ts';
import { CLIENT_NAMESPACE, type Service } from './services.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** On this port VirtualServices count even where none of their hosts is a service. */
const HTTP_PORT = 80;

/** A VirtualService that clients in the mesh may get. */
interface Candidate {
  readonly service: EffectiveService;
  readonly routes: readonly CompiledRoute[];
  /** Its place among all, the oldest first. */
  readonly position: number;
}

/** What compiling the mesh asks for. */
export interface MeshCompiler {
  routes(service: EffectiveService): readonly CompiledRoute[];
  /** One route, straight to the service's endpoints. */
  defaultRoutes(service: Service): readonly CompiledRoute[];
  /** Told where a host of a VirtualService is served by an older one. */
  onShadowed(service: EffectiveService, host: string, by: EffectiveService): void;
}

/**
 * The virtual hosts of the mesh listener of a port (istio-semantics 1.4): each service that has the port, under its aliases, with the
 * routes of the first VirtualService about it, else straight to its endpoints; and other hosts of those VirtualServices.
 * Any other host is blocked.
 */
export function meshHosts(
  port: number,
  all: readonly Service[],
  services: readonly EffectiveService[],
  compiler: MeshCompiler,
  lists: RouteLists,
): VirtualHosts {
  const here = all.filter((service) => service.ports.has(port));
  const names = new Set(here.map(({ host }) => host));
  const isHere = (pattern: string): boolean =>
    names.has(pattern.toLowerCase()) || (isWildcardHost(pattern) && here.some(({ host }) => covers(pattern, host)));
  const candidates = services
    .filter(({ gateways }) => gateways.includes(MESH_GATEWAY))
    .filter(({ hosts }) => port === HTTP_PORT || hosts.some(isHere))
    .map((service, position): Candidate => ({ service, routes: compiler.routes(service), position }))
    // Rules that are all for other ports leave the host to the next one.
    .filter(({ routes }) => routes.length > 0);
  const candidatesFor = candidatesByHost(candidates);

  const hosts = new Map<string, RouteList>();
  const put = (domain: string, routes: readonly CompiledRoute[]): void => {
    if (!hosts.has(domain)) hosts.set(domain, lists.plain(routes));
  };
  for (const service of here) {
    const about = candidatesFor(service.host).flatMap((candidate) => {
      const [best] = candidate.service.hosts.filter((host) => covers(host, service.host)).sort(compareSpecificity);
      return best === undefined ? [] : [{ ...candidate, best }];
    });
    const [chosen] = about.toSorted((left, right) => compareSpecificity(left.best, right.best));
    const routes = chosen?.routes ?? compiler.defaultRoutes(service);
    for (const domain of domainsOf(service.host)) put(domain, routes);
    for (const other of about) {
      if (chosen !== undefined && other !== chosen && other.best === chosen.best && other.service !== chosen.service) {
        compiler.onShadowed(other.service, other.best, chosen.service);
      }
    }
  }
  for (const { service, routes } of candidates) {
    for (const host of service.hosts) if (!isHere(host)) put(host.toLowerCase(), routes);
  }
  return new VirtualHosts(hosts, { kind: 'blocked' });
}

/** Finds those that may be about a host, the oldest first, without looking at each. */
function candidatesByHost(candidates: readonly Candidate[]): (host: string) => readonly Candidate[] {
  const isWide = ({ service }: Candidate): boolean => service.hosts.some(isWildcardHost);
  const wide = candidates.filter(isWide);
  const narrow = Map.groupBy(
    candidates
      .filter((candidate) => !isWide(candidate))
      .flatMap((candidate) => [...new Set(candidate.service.hosts.map((host) => host.toLowerCase()))].map((host) => ({ host, candidate }))),
    ({ host }) => host,
  );
  return (host) => {
    const found = (narrow.get(host) ?? []).map(({ candidate }) => candidate);
    return wide.length === 0 ? found : [...found, ...wide].sort((left, right) => left.position - right.position);
  };
}

/** Names under which a client in the embedded mesh reaches a service; only services of its own namespace by their short name. */
function domainsOf(host: string): readonly string[] {
  if (isWildcardHost(host)) return [host];
  const parts = splitServiceHost(host);
  if (parts === undefined) return [host, `${host}.`];
  const { name, namespace } = parts;
  const short = namespace === CLIENT_NAMESPACE ? [name] : [];
  return [host, `${host}.`, ...short, `${name}.${namespace}.svc`, `${name}.${namespace}`];
}

function covers(pattern: string, host: string): boolean {
  return pattern.toLowerCase() === host || (isWildcardHost(pattern) && hostMatches(pattern.toLowerCase(), host));
}
