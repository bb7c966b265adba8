import { MESH_GATEWAY } from '../istio/names.ts';
import type { VirtualService } from '../istio/resources.ts';
import { isHttps } from '../istio/server-tls.ts';
import { type CompiledRoute, type CompiledRules, compileRules, type RouteScope } from './compile-route.ts';
import { ConditionPool } from './conditions.ts';
import type { EffectiveService } from './effective-services.ts';
import { type PlacedServer, sharedHosts } from './ingress-hosts.ts';
import { KeptResults } from './kept-results.ts';
import type { meshHosts } from './mesh-hosts.ts';
import type { Service } from './service.ts';
import type { ServiceRegistry } from './services.ts';

/** What comes of a VirtualService at a server of a Gateway. */
export interface ServedRules extends CompiledRules {
  readonly hosts: readonly string[];
}

/** What is kept of the mesh listener of a port. */
export interface KeptMesh {
  readonly rules: KeptResults<EffectiveService, CompiledRules>;
  readonly hosts: KeptResults<'', ReturnType<typeof meshHosts>>;
  /** Routes straight to a service. */
  readonly defaults: WeakMap<Service, readonly CompiledRoute[]>;
}

/** What of one run the next one may use. */
export class KeptRouting {
  readonly registry = new KeptResults<'', ServiceRegistry>();
  readonly services = new KeptResults<string, Service>();
  readonly effective = new KeptResults<VirtualService, EffectiveService>();
  /** By server of a Gateway: the hosts and rules of each VirtualService there. */
  readonly #servers = new KeptResults<string, KeptResults<EffectiveService, ServedRules>>();
  /** By ingress listener: the routes of each host. */
  readonly #ingress = new KeptResults<string, KeptResults<string, readonly CompiledRoute[]>>();
  readonly #mesh = new KeptResults<number, KeptMesh>();

  server({ name, gateway }: PlacedServer): KeptResults<EffectiveService, ServedRules> {
    return this.#servers.of(name, [gateway], () => new KeptResults());
  }

  listener(name: string): KeptResults<string, readonly CompiledRoute[]> {
    return this.#ingress.of(name, [], () => new KeptResults());
  }

  mesh(port: number): KeptMesh {
    return this.#mesh.of(port, [], () => ({ rules: new KeptResults(), hosts: new KeptResults(), defaults: new WeakMap() }));
  }

  endRun(): void {
    for (const each of [this.registry, this.effective, this.#servers, this.#ingress, this.#mesh]) each.endRun();
  }

  /** The rules of a VirtualService at a server, and the hosts under which it has them. */
  servedRules(placed: PlacedServer, service: EffectiveService, registry: ServiceRegistry): ServedRules {
    const found = destinationsOf(service, registry);
    return this.server(placed).of(service, found, () => {
      const hosts = sharedHosts(placed, service);
      if (hosts.length === 0) return { hosts, routes: [], unknown: [] };
      const { port } = placed.server;
      const where = { gateway: placed.gatewayName, port: port.number, isTls: isHttps(placed.server) };
      const scope = { object: service.name, client: 'ingress', ...where } as const;
      return { hosts, ...compileRules(service.rules, scopeOf(scope, service.destinations, found)) };
    });
  }

  /** The rules of a VirtualService in the mesh. */
  meshRules(port: number, service: EffectiveService, registry: ServiceRegistry): CompiledRules {
    const found = destinationsOf(service, registry);
    return this.mesh(port).rules.of(service, found, () =>
      compileRules(service.rules, scopeOf(meshScope(port, service.name), service.destinations, found)),
    );
  }
}

type Where = Pick<RouteScope, 'object' | 'client' | 'gateway' | 'port' | 'isTls'>;

/** What rules of the mesh are compiled for; `object`: the VirtualService, undefined where there is none. */
export function meshScope(port: number, object?: string): Where {
  return { object, client: 'mesh', gateway: MESH_GATEWAY, port, isTls: false };
}

/** What rules are compiled with that lead to these hosts, of which these services are declared. */
export function scopeOf(where: Where, hosts: readonly string[], found: readonly (Service | undefined)[]): RouteScope {
  const services = new Map(hosts.flatMap((host, index) => (found[index] === undefined ? [] : [[host, found[index]]])));
  return { ...where, services, pool: new ConditionPool() };
}

function destinationsOf({ destinations }: EffectiveService, registry: ServiceRegistry): readonly (Service | undefined)[] {
  return destinations.map((host) => registry.find(host));
}
