import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { MESH_GATEWAY } from '../istio/names.ts';
import type { KubeObject, VirtualService } from '../istio/resources.ts';
import { type CompiledRoute, type CompiledRules, compileRules, defaultRoute, type RouteScope } from './compile-route.ts';
import { ConditionPool } from './conditions.ts';
import { type EffectiveService, effectiveServices } from './effective-services.ts';
import { groupByEach } from './group-by-each.ts';
import { type IngressListener, ingressListeners, joinRoutes, type PlacedServer, sharedHosts } from './ingress-hosts.ts';
import { KeptResults } from './kept-results.ts';
import { meshHosts } from './mesh-hosts.ts';
import { MeshServices } from './mesh-services.ts';
import { fullName, type RouteObjects, sortByKind } from './route-objects.ts';
import { RoutingFindings } from './routing-findings.ts';
import type { ListenerSpec, RouteTable } from './selection.ts';
import type { Service } from './service.ts';
import { ServiceRegistry } from './services.ts';
import { Table } from './table.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** Routing objects as one table, and what in them does not fit together: warnings, for what leads nowhere is served as Istio serves it. */
export interface CompiledRouting {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

const NONE_AWAITED: ReadonlySet<string> = new Set();

/**
 * Compiles routing objects, which passed `validateRoutingObject` and come in order of creation, into one table that does what istiod and
 * Envoy would do with them. Other kinds are left out. `awaited` are delegates, as `namespace/name`, that are about to be created: it is no
 * finding that they are not there yet.
 */
export function compileRouting(objects: readonly KubeObject[], awaited: ReadonlySet<string> = NONE_AWAITED): CompiledRouting {
  return new RoutingCompiler().compile(objects, awaited);
}

/**
 * `compileRouting` again and again: what was made of objects that are still the same ones is used again, so that a change costs what it
 * changes. That saves work and nothing else: the table and the findings are those of `compileRouting`.
 */
export class RoutingCompiler {
  readonly #kept = new Kept();

  compile(objects: readonly KubeObject[], awaited: ReadonlySet<string> = NONE_AWAITED): CompiledRouting {
    const compiled = new Compilation(sortByKind(objects), awaited, this.#kept).run();
    this.#kept.endRun();
    return compiled;
  }
}

/** What comes of a VirtualService at a server of a Gateway. */
interface ServedRules extends CompiledRules {
  readonly hosts: readonly string[];
}

/** What is kept of the mesh listener of a port. */
interface KeptMesh {
  readonly rules: KeptResults<EffectiveService, CompiledRules>;
  readonly hosts: KeptResults<'', ReturnType<typeof meshHosts>>;
  /** Routes straight to a service. */
  readonly defaults: WeakMap<Service, readonly CompiledRoute[]>;
}

/** What of one run the next one may use. */
class Kept {
  readonly registry = new KeptResults<'', ServiceRegistry>();
  readonly services = new KeptResults<string, Service>();
  readonly effective = new KeptResults<VirtualService, EffectiveService>();
  /** By server of a Gateway: the hosts and rules of each VirtualService there. */
  readonly servers = new KeptResults<string, KeptResults<EffectiveService, ServedRules>>();
  /** By ingress listener: the routes of each host. */
  readonly ingress = new KeptResults<string, KeptResults<string, readonly CompiledRoute[]>>();
  readonly mesh = new KeptResults<number, KeptMesh>();

  endRun(): void {
    for (const each of [this.registry, this.effective, this.servers, this.ingress, this.mesh]) each.endRun();
  }
}

class Compilation {
  readonly #objects: RouteObjects;
  readonly #awaited: ReadonlySet<string>;
  readonly #kept: Kept;
  readonly #findings = new RoutingFindings();
  readonly #registry: ServiceRegistry;
  readonly #services: readonly EffectiveService[];
  readonly #byGateway: ReadonlyMap<string, readonly EffectiveService[]>;

  constructor(objects: RouteObjects, awaited: ReadonlySet<string>, kept: Kept) {
    this.#objects = objects;
    this.#awaited = awaited;
    this.#kept = kept;
    const { serviceEntries, workloadEntries, destinationRules } = objects;
    const declaring = [...serviceEntries, ...workloadEntries, ...destinationRules];
    this.#registry = kept.registry.of('', declaring, () => new ServiceRegistry(objects, kept.services));
    this.#services = effectiveServices(objects.virtualServices, kept.effective);
    this.#byGateway = groupByEach(this.#services, ({ gateways }) => new Set(gateways));
  }

  run(): CompiledRouting {
    this.#reportDelegates();
    const ingress = ingressListeners(this.#objects.gateways).map((listener) => ({ ...listener, hosts: this.#ingressHosts(listener) }));
    const services = new MeshServices(this.#byGateway.get(MESH_GATEWAY) ?? []);
    const mesh = [...this.#registry.byPort].map(([port, here]) => ({
      port,
      bind: undefined,
      hosts: this.#meshHosts(port, here, services),
    }));
    const listeners: ListenerSpec[] = [
      ...ingress.map(({ port, bind }) => ({ kind: 'ingress' as const, port, bind })),
      ...mesh.map(({ port, bind }) => ({ kind: 'mesh' as const, port, bind })),
    ];
    this.#reportLooseEnds();
    return { table: new Table(listeners, ingress, mesh, this.#registry.clusters), diagnostics: this.#findings.all() };
  }

  /** VirtualServices bound to one of the listener's gateways, on the hosts that both name (istio-semantics 1.3). */
  #ingressHosts({ name, servers }: IngressListener): VirtualHosts {
    const parts = new Map<string, (readonly CompiledRoute[])[]>();
    for (const server of servers) {
      const kept = this.#kept.servers.of(server.name, [server.gateway], () => new KeptResults());
      for (const service of this.#byGateway.get(server.gatewayName) ?? []) {
        const { hosts, routes, unknown } = this.#atServer(server, service, kept);
        if (unknown.length > 0) this.#findings.unknownDestinations(service.object, unknown, this.#registry);
        // Rules that are all for other ports leave the host to less specific ones.
        if (routes.length === 0) continue;
        for (const host of hosts) {
          const known = parts.get(host);
          if (known === undefined) parts.set(host, [routes]);
          else known.push(routes);
        }
      }
      kept.endRun();
    }
    const joined = this.#kept.ingress.of(name, [], () => new KeptResults());
    const hosts = new VirtualHosts([...parts].map(([host, all]) => [host, joined.of(host, all, () => joinRoutes(all))]));
    joined.endRun();
    return hosts;
  }

  #atServer(placed: PlacedServer, service: EffectiveService, kept: KeptResults<EffectiveService, ServedRules>): ServedRules {
    const found = this.#destinations(service);
    return kept.of(service, found, () => {
      const hosts = sharedHosts(placed, service);
      if (hosts.length === 0) return { hosts, routes: [], unknown: [] };
      const { server, gatewayName } = placed;
      return {
        hosts,
        ...compileRules(service.rules, this.#scope('ingress', gatewayName, server.port.number, service.destinations, found)),
      };
    });
  }

  #meshHosts(port: number, here: readonly Service[], services: MeshServices): VirtualHosts {
    const kept = this.#kept.mesh.of(port, [], () => ({ rules: new KeptResults(), hosts: new KeptResults(), defaults: new WeakMap() }));
    const candidates = services.at(port, here).flatMap((service) => {
      const found = this.#destinations(service);
      const { routes, unknown } = kept.rules.of(service, found, () =>
        compileRules(service.rules, this.#scope('mesh', MESH_GATEWAY, port, service.destinations, found)),
      );
      if (unknown.length > 0) this.#findings.unknownDestinations(service.object, unknown, this.#registry);
      // Rules that are all for other ports leave the host to the next one.
      return routes.length === 0 ? [] : [{ service, routes }];
    });
    const straight = (service: Service): readonly CompiledRoute[] => {
      const routes = kept.defaults.get(service) ?? [
        defaultRoute(service.host, this.#scope('mesh', MESH_GATEWAY, port, [service.host], [service])),
      ];
      kept.defaults.set(service, routes);
      return routes;
    };
    const inputs = [...here, ...candidates.map(({ routes }) => routes)];
    const { hosts, shadowed } = kept.hosts.of('', inputs, () => meshHosts(here, services, candidates, straight));
    for (const { service, host, by } of shadowed) this.#findings.shadowed(service.object, host, by.object);
    kept.rules.endRun();
    kept.hosts.endRun();
    return hosts;
  }

  #destinations({ destinations }: EffectiveService): readonly (Service | undefined)[] {
    return destinations.map((host) => this.#registry.find(host));
  }

  #scope(
    client: RouteScope['client'],
    gateway: string,
    port: number,
    hosts: readonly string[],
    found: readonly (Service | undefined)[],
  ): RouteScope {
    const services = new Map(hosts.flatMap((host, index) => (found[index] === undefined ? [] : [[host, found[index]]])));
    return { client, gateway, port, services, pool: new ConditionPool() };
  }

  #reportDelegates(): void {
    for (const problem of this.#services.flatMap(({ problems }) => problems)) {
      if (problem.reason !== 'missing' || !this.#awaited.has(problem.delegate)) this.#findings.delegate(problem);
    }
  }

  #reportLooseEnds(): void {
    const gateways = new Set(this.#objects.gateways.map(fullName));
    for (const { object, gateways: bound } of this.#services) {
      bound.forEach((name, index) => {
        if (name !== MESH_GATEWAY && !gateways.has(name)) this.#findings.unknownGateway(object, index, name, gateways);
      });
    }
    for (const { host, namespace, ignored } of this.#registry.shadowed) this.#findings.hostInSeveralNamespaces(host, namespace, ignored);
  }
}
