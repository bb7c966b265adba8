import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { MESH_GATEWAY } from '../istio/names.ts';
import type { Destination, KubeObject } from '../istio/resources.ts';
import { type CompiledRoute, compileRoutes, defaultRoute, type RouteScope } from './compile-route.ts';
import { ConditionPool } from './conditions.ts';
import { type EffectiveService, EffectiveServices } from './effective-services.ts';
import { ingressHosts, ingressListeners } from './ingress-hosts.ts';
import { meshHosts } from './mesh-hosts.ts';
import { RouteLists } from './route-lists.ts';
import { fullName, type RouteObjects, sortByKind } from './route-objects.ts';
import { RoutingFindings } from './routing-findings.ts';
import type { ListenerSpec, RouteTable } from './selection.ts';
import { type Service, ServiceRegistry } from './services.ts';
import { Table } from './table.ts';
import type { VirtualHosts } from './virtual-hosts.ts';

/** A table, and what is to be said about the objects that it was made of. */
export interface CompiledRouting {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** One table of these objects, as `RoutingCompiler` makes it. */
export function compileRouting(objects: readonly KubeObject[], awaited: ReadonlySet<string> = new Set()): CompiledRouting {
  return new RoutingCompiler().compile(objects, awaited);
}

/** What several tables have in common: as long as neither services nor their endpoints change, so does nothing that leads to them. */
interface Era {
  readonly objects: Pick<RouteObjects, 'serviceEntries' | 'workloadEntries' | 'destinationRules'>;
  readonly registry: ServiceRegistry;
  readonly routes: WeakMap<EffectiveService, ServiceRoutes>;
  readonly defaults: Map<string, readonly CompiledRoute[]>;
  /** By port. */
  readonly mesh: Map<number, MeshListener>;
}

/** The routes of one service, by where they are served. */
interface ServiceRoutes {
  readonly pool: ConditionPool;
  readonly byScope: Map<string, ScopedRoutes>;
}

interface ScopedRoutes {
  readonly routes: readonly CompiledRoute[];
  readonly unknown: readonly { readonly destination: Destination; readonly port: number }[];
}

interface MeshListener {
  /** All that may be served in the mesh. */
  readonly services: readonly EffectiveService[];
  readonly hosts: VirtualHosts;
  readonly report: (findings: RoutingFindings) => void;
}

type Where = Pick<RouteScope, 'client' | 'gateway' | 'port'>;

/**
 * Compiles routing objects into tables, one after the other. What it made of an object that is the same in the next list, by identity, it
 * uses again, so that a table costs what changed; nobody may change objects that were handed in.
 */
export class RoutingCompiler {
  readonly #services = new EffectiveServices();
  readonly #lists = new RouteLists();
  #era: Era | undefined;

  /**
   * A table of these objects, which passed `validateRoutingObject` and come in order of creation, that does what istiod and Envoy would do
   * with them. Other kinds are left out. Diagnostics are warnings: what leads nowhere is served as Istio serves it. `awaited` are
   * delegates, as `namespace/name`, that are about to be created: it is no finding that they are not there yet.
   */
  compile(all: readonly KubeObject[], awaited: ReadonlySet<string> = new Set()): CompiledRouting {
    const objects = sortByKind(all);
    const era = this.#eraOf(objects);
    const findings = new RoutingFindings();
    const services = this.#services.of(objects.virtualServices);
    for (const problem of services.flatMap(({ problems }) => problems)) {
      if (problem.reason !== 'missing' || !awaited.has(problem.delegate)) findings.delegate(problem);
    }
    const ingress = ingressListeners(objects.gateways).map((listener) => ({
      port: listener.port,
      bind: listener.bind,
      hosts: ingressHosts(
        listener,
        services,
        (service, gateway) => compileService(era, service, { client: 'ingress', gateway, port: listener.port }, findings),
        this.#lists,
      ),
    }));
    const inMesh = services.filter(({ gateways }) => gateways.includes(MESH_GATEWAY));
    const mesh = era.registry.ports.map((port) => ({ port, bind: undefined, hosts: this.#meshHosts(era, port, inMesh, findings) }));
    const listeners: ListenerSpec[] = [
      ...ingress.map(({ port, bind }) => ({ kind: 'ingress' as const, port, bind })),
      ...mesh.map(({ port, bind }) => ({ kind: 'mesh' as const, port, bind })),
    ];
    reportLooseEnds(objects, services, era.registry, findings);
    return { table: new Table(listeners, ingress, mesh, era.registry.clusters), diagnostics: findings.all() };
  }

  #eraOf(objects: RouteObjects): Era {
    const last = this.#era;
    const kinds = ['serviceEntries', 'workloadEntries', 'destinationRules'] as const;
    if (last !== undefined && kinds.every((kind) => areSame(last.objects[kind], objects[kind]))) return last;
    const registry = new ServiceRegistry(objects.serviceEntries, objects.workloadEntries, objects.destinationRules);
    this.#era = { objects, registry, routes: new WeakMap(), defaults: new Map(), mesh: new Map() };
    return this.#era;
  }

  #meshHosts(era: Era, port: number, services: readonly EffectiveService[], findings: RoutingFindings): VirtualHosts {
    const last = era.mesh.get(port);
    const listener = last !== undefined && areSame(last.services, services) ? last : meshListener(era, port, services, this.#lists);
    era.mesh.set(port, listener);
    listener.report(findings);
    return listener.hosts;
  }
}

function areSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((each, index) => each === right[index]);
}

function meshListener(era: Era, port: number, services: readonly EffectiveService[], lists: RouteLists): MeshListener {
  const reports: ((findings: RoutingFindings) => void)[] = [];
  const where = { client: 'mesh', gateway: MESH_GATEWAY, port } as const;
  const compiler = {
    routes: (service: EffectiveService) => {
      const scoped = scopedRoutes(era, service, where);
      reports.push((findings) => reportUnknown(era, service, scoped, findings));
      return scoped.routes;
    },
    defaultRoutes: (service: Service) => defaultRoutes(era, service, where),
    onShadowed: (service: EffectiveService, host: string, by: EffectiveService) => {
      reports.push((findings) => findings.shadowed(service.object, host, by.object));
    },
  };
  const hosts = meshHosts(port, era.registry.services, services, compiler, lists);
  return {
    services,
    hosts,
    report: (findings) => {
      for (const report of reports) report(findings);
    },
  };
}

function compileService(era: Era, service: EffectiveService, where: Where, findings: RoutingFindings): readonly CompiledRoute[] {
  const scoped = scopedRoutes(era, service, where);
  reportUnknown(era, service, scoped, findings);
  return scoped.routes;
}

function scopedRoutes(era: Era, service: EffectiveService, where: Where): ScopedRoutes {
  const known: ServiceRoutes = era.routes.get(service) ?? { pool: new ConditionPool(), byScope: new Map() };
  era.routes.set(service, known);
  const key = `${where.client} ${where.port} ${where.gateway}`;
  const scoped = known.byScope.get(key) ?? compileIn(era, service, where, known.pool);
  known.byScope.set(key, scoped);
  return scoped;
}

function compileIn({ registry }: Era, service: EffectiveService, where: Where, pool: ConditionPool): ScopedRoutes {
  const unknown: { readonly destination: Destination; readonly port: number }[] = [];
  const onUnknown = (destination: Destination, port: number): void => {
    unknown.push({ destination, port });
  };
  return { routes: compileRoutes(service.rules, { ...where, registry, pool, onUnknown }), unknown };
}

function defaultRoutes(era: Era, { host }: Service, where: Where): readonly CompiledRoute[] {
  const key = `${where.port} ${host}`;
  const scope = { ...where, registry: era.registry, pool: new ConditionPool(), onUnknown: () => undefined };
  const routes = era.defaults.get(key) ?? [defaultRoute(host, scope)];
  era.defaults.set(key, routes);
  return routes;
}

function reportUnknown({ registry }: Era, { object }: EffectiveService, { unknown }: ScopedRoutes, findings: RoutingFindings): void {
  for (const { destination, port } of unknown) findings.unknownDestination(object, destination, port, registry);
}

function reportLooseEnds(
  objects: RouteObjects,
  services: readonly EffectiveService[],
  registry: ServiceRegistry,
  findings: RoutingFindings,
): void {
  const gateways = new Set(objects.gateways.map(fullName));
  for (const { object, gateways: bound } of services) {
    for (const [index, name] of bound.entries()) {
      if (name !== MESH_GATEWAY && !gateways.has(name)) findings.unknownGateway(object, index, name, gateways);
    }
  }
  for (const { host, namespace, ignored } of registry.shadowed) findings.hostInSeveralNamespaces(host, namespace, ignored);
}
