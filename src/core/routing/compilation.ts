import { MESH_GATEWAY } from '../istio/names.ts';
import { type CompiledRoute, defaultRoute } from './compile-route.ts';
import type { CompiledRun, IngressRun } from './compiled-run.ts';
import { type EffectiveService, effectiveServices } from './effective-services.ts';
import { groupByEach } from './group-by-each.ts';
import { type IngressListener, ingressListeners, joinRoutes, type PlacedServer, redirectToHttps } from './ingress-hosts.ts';
import { type KeptRouting, meshScope, scopeOf } from './kept-routing.ts';
import { meshHosts } from './mesh-hosts.ts';
import { MeshServices } from './mesh-services.ts';
import { fullName, type RouteObjects } from './route-objects.ts';
import { RoutingFindings } from './routing-findings.ts';
import type { Service } from './service.ts';
import { ServiceRegistry } from './services.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** Makes a table of all objects; results of the run before are used where they still hold. */
export class Compilation {
  readonly #objects: RouteObjects;
  readonly #awaited: ReadonlySet<string>;
  readonly #kept: KeptRouting;
  readonly #findings = new RoutingFindings();
  readonly #registry: ServiceRegistry;
  readonly #services: readonly EffectiveService[];
  readonly #byGateway: ReadonlyMap<string, readonly EffectiveService[]>;

  constructor(objects: RouteObjects, awaited: ReadonlySet<string>, kept: KeptRouting) {
    this.#objects = objects;
    this.#awaited = awaited;
    this.#kept = kept;
    const { serviceEntries, workloadEntries, destinationRules } = objects;
    const declaring = [...serviceEntries, ...workloadEntries, ...destinationRules];
    this.#registry = kept.registry.of('', declaring, () => new ServiceRegistry(objects, kept.services));
    this.#services = effectiveServices(objects.virtualServices, kept.effective);
    this.#byGateway = groupByEach(this.#services, ({ gateways }) => new Set(gateways));
  }

  run(): CompiledRun {
    this.#reportDelegates();
    const { listeners, rivals } = ingressListeners(this.#objects.gateways);
    for (const rival of rivals) this.#findings.rivalServer(rival);
    const ingress = listeners.map((listener) => this.#ingressRun(listener));
    const services = new MeshServices(this.#byGateway.get(MESH_GATEWAY) ?? []);
    const mesh = [...this.#registry.byPort].map(([port, here]) => ({ port, hosts: this.#meshHosts(port, here, services) }));
    this.#reportLooseEnds();
    return { registry: this.#registry, ingress, mesh, diagnostics: this.#findings.all() };
  }

  /** VirtualServices bound to one of the listener's gateways, on the hosts that both name (istio-semantics 1.3). */
  #ingressRun(listener: IngressListener): IngressRun {
    const parts = new Map<string, readonly (readonly CompiledRoute[])[]>();
    const served = new Map<PlacedServer, string[]>();
    for (const server of listener.servers) {
      for (const service of this.#byGateway.get(server.gatewayName) ?? []) {
        const { hosts, routes, unknown } = this.#kept.servedRules(server, service, this.#registry);
        if (unknown.length > 0) this.#findings.unknownDestinations(service.object, unknown, this.#registry);
        // Rules that are all for other ports leave the host to less specific ones.
        if (routes.length === 0) continue;
        for (const host of hosts) {
          const known = parts.get(host);
          parts.set(host, known === undefined ? [routes] : [...known, routes]);
        }
        served.set(server, [...(served.get(server) ?? []), ...hosts]);
      }
      this.#kept.server(server).endRun();
    }
    if (listener.tls === undefined) redirectToHttps(listener.servers, parts, (server) => served.get(server) ?? []);
    const joined = this.#kept.listener(listener.name);
    const hosts = new VirtualHosts([...parts].map(([host, all]) => [host, joined.of(host, all, () => joinRoutes(all))]));
    joined.endRun();
    return { listener, parts, hosts };
  }

  #meshHosts(port: number, here: readonly Service[], services: MeshServices): VirtualHosts {
    const kept = this.#kept.mesh(port);
    const candidates = services.at(port, here).flatMap((service) => {
      const { routes, unknown } = this.#kept.meshRules(port, service, this.#registry);
      if (unknown.length > 0) this.#findings.unknownDestinations(service.object, unknown, this.#registry);
      // Rules that are all for other ports leave the host to the next one.
      return routes.length === 0 ? [] : [{ service, routes }];
    });
    const straight = (service: Service): readonly CompiledRoute[] => {
      const routes = kept.defaults.get(service) ?? [defaultRoute(service.host, scopeOf(meshScope(port), [service.host], [service]))];
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
