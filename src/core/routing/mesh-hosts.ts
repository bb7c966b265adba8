import { compareSpecificity } from '../istio/names.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { EffectiveService } from './effective-services.ts';
import { covers, coversSome, type MeshServices } from './mesh-services.ts';
import type { Service } from './service.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** A VirtualService that clients in the mesh get on a port, with its routes there, which are some. */
export interface MeshCandidate {
  readonly service: EffectiveService;
  readonly routes: readonly CompiledRoute[];
}

/** A VirtualService that is not used for one of its hosts, because an older one is. */
export interface Shadowing {
  readonly service: EffectiveService;
  readonly host: string;
  readonly by: EffectiveService;
}

/**
 * The virtual hosts of the mesh listener of a port (istio-semantics 1.4): each of `here`, the services that have the port, under its
 * aliases, with the routes of the first VirtualService about it, else straight to its endpoints; and other hosts of those VirtualServices.
 * Any other host is blocked. `candidates` come in order of creation.
 */
export function meshHosts(
  here: readonly Service[],
  services: MeshServices,
  candidates: readonly MeshCandidate[],
  defaultRoutes: (service: Service) => readonly CompiledRoute[],
): { readonly hosts: VirtualHosts; readonly shadowed: readonly Shadowing[] } {
  const routesOf = new Map(candidates.map(({ service, routes }) => [service, routes]));
  const hosts = new Map<string, readonly CompiledRoute[]>();
  const shadowed: Shadowing[] = [];
  const put = (domain: string, routes: readonly CompiledRoute[]): void => {
    if (!hosts.has(domain)) hosts.set(domain, routes);
  };
  for (const service of here) {
    const { host } = service;
    const about = services.near(host).flatMap((near) => {
      const [best] = near.hosts.filter((pattern) => covers(pattern, host)).sort(compareSpecificity);
      return best === undefined || !routesOf.has(near) ? [] : [{ service: near, best }];
    });
    const [chosen] = about.toSorted((left, right) => compareSpecificity(left.best, right.best));
    const routes = (chosen && routesOf.get(chosen.service)) ?? defaultRoutes(service);
    for (const name of service.names) put(name, routes);
    for (const { service: other, best } of about) {
      if (chosen !== undefined && best === chosen.best && other !== chosen.service) {
        shadowed.push({ service: other, host: best, by: chosen.service });
      }
    }
  }
  const isHere = coversSome(here);
  for (const { service, routes } of candidates) for (const host of service.hosts) if (!isHere(host)) put(host.toLowerCase(), routes);
  return { hosts: new VirtualHosts(hosts, { kind: 'blocked' }), shadowed };
}
