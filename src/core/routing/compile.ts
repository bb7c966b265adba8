import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { boundGateways, MESH_GATEWAY, resolveHost } from '../istio/names.ts';
import type { KubeObject, VirtualService } from '../istio/resources.ts';
import { type CompiledRoute, compileRoutes, defaultRoute, type RouteScope } from './compile-route.ts';
import { ConditionPool } from './conditions.ts';
import { delegatesOf, effectiveRules, isDelegate } from './delegates.ts';
import { type EffectiveService, ingressHosts, ingressListeners } from './ingress-hosts.ts';
import { meshHosts } from './mesh-hosts.ts';
import { fullName, type RouteObjects, sortByKind } from './route-objects.ts';
import { RoutingFindings } from './routing-findings.ts';
import type { ListenerSpec, RouteTable } from './selection.ts';
import { ServiceRegistry } from './services.ts';
import { Table } from './table.ts';
import type { VirtualHosts } from './virtual-hosts.ts';

/**
 * Compiles routing objects, which passed `validateRoutingObject` and come in order of creation, into one table that does what istiod and
 * Envoy would do with them. Other kinds are left out. Diagnostics are warnings: what leads nowhere is served as Istio serves it. `awaited`
 * are delegates, as `namespace/name`, that are about to be created: it is no finding that they are not there yet.
 */
export function compileRouting(
  objects: readonly KubeObject[],
  awaited: ReadonlySet<string> = new Set(),
): {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
} {
  return new Compilation(sortByKind(objects), awaited).run();
}

class Compilation {
  readonly #objects: RouteObjects;
  readonly #awaited: ReadonlySet<string>;
  readonly #registry: ServiceRegistry;
  readonly #pool = new ConditionPool();
  readonly #findings = new RoutingFindings();
  readonly #services: readonly EffectiveService[];

  constructor(objects: RouteObjects, awaited: ReadonlySet<string>) {
    this.#objects = objects;
    this.#awaited = awaited;
    this.#registry = new ServiceRegistry(objects.serviceEntries, objects.workloadEntries, objects.destinationRules);
    const delegates = delegatesOf(objects.virtualServices);
    this.#services = objects.virtualServices
      .filter((service) => !isDelegate(service))
      .map((service) => this.#effective(service, delegates));
  }

  run(): { readonly table: RouteTable; readonly diagnostics: readonly Diagnostic[] } {
    const ingress = ingressListeners(this.#objects.gateways).map((listener) => ({
      port: listener.port,
      bind: listener.bind,
      hosts: ingressHosts(listener, this.#services, (service, gateway) =>
        this.#compile(service, { client: 'ingress', gateway, port: listener.port }),
      ),
    }));
    const ports = new Set(this.#registry.services.flatMap((service) => [...service.ports.keys()]));
    const mesh = [...ports].map((port) => ({ port, bind: undefined, hosts: this.#meshHosts(port) }));
    const listeners: ListenerSpec[] = [
      ...ingress.map(({ port, bind }) => ({ kind: 'ingress' as const, port, bind })),
      ...mesh.map(({ port, bind }) => ({ kind: 'mesh' as const, port, bind })),
    ];
    this.#reportLooseEnds();
    return { table: new Table(listeners, ingress, mesh, this.#registry.allClusters()), diagnostics: this.#findings.all() };
  }

  #effective(service: VirtualService, delegates: ReadonlyMap<string, VirtualService>): EffectiveService {
    const namespace = service.metadata.namespace ?? 'default';
    return {
      object: service,
      namespace,
      hosts: (service.spec.hosts ?? []).map((host) => resolveHost(host, namespace)),
      rules: effectiveRules(service, delegates, (problem) => {
        if (problem.reason !== 'missing' || !this.#awaited.has(problem.delegate)) this.#findings.delegate(problem);
      }),
    };
  }

  #compile(service: EffectiveService, where: Pick<RouteScope, 'client' | 'gateway' | 'port'>): readonly CompiledRoute[] {
    return compileRoutes(service.rules, {
      ...where,
      registry: this.#registry,
      pool: this.#pool,
      onUnknown: (destination, port) => this.#findings.unknownDestination(service.object, destination, port, this.#registry),
    });
  }

  #meshHosts(port: number): VirtualHosts {
    const scope = { client: 'mesh', gateway: MESH_GATEWAY, port } as const;
    return meshHosts(port, this.#registry.services, this.#services, {
      routes: (service) => this.#compile(service, scope),
      defaultRoute: (host) => defaultRoute(host, { ...scope, registry: this.#registry, pool: this.#pool, onUnknown: () => undefined }),
      onShadowed: (service, host, by) => this.#findings.shadowed(service.object, host, by.object),
    });
  }

  #reportLooseEnds(): void {
    const gateways = new Set(this.#objects.gateways.map(fullName));
    for (const { object, namespace } of this.#services) {
      for (const [index, name] of boundGateways(object.spec.gateways, namespace).entries()) {
        if (name !== MESH_GATEWAY && !gateways.has(name)) this.#findings.unknownGateway(object, index, name, gateways);
      }
    }
    for (const { host, namespace, ignored } of this.#registry.shadowed) this.#findings.hostInSeveralNamespaces(host, namespace, ignored);
  }
}
