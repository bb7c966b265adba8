import { compareSpecificity, isSubsetOf, isWildcardHost, resolveHost } from '../istio/names.ts';
import type { DestinationRule, Port, ServiceEntry, Subset, WorkloadEntry, WorkloadEntrySpec } from '../istio/resources.ts';
import type { Cluster, Endpoint } from './selection.ts';

/** Who asks: the namespace of the client decides which DestinationRule counts (istio-semantics 2 and 9). */
export type ClientKind = 'ingress' | 'mesh';

/** The embedded mesh has one client, as if all ran in this namespace. */
export const CLIENT_NAMESPACE = 'default';
const ROOT_NAMESPACE = 'istio-system';

type ServicePort = Port & { readonly targetPort?: number };

/** A host that ServiceEntries declare. */
export interface Service {
  readonly host: string;
  readonly namespace: string;
  /** By number; of two declarations of one number the older counts. */
  readonly ports: ReadonlyMap<number, ServicePort>;
  /** The declarations; endpoints of each serve the ports that it names. */
  readonly entries: readonly ServiceEntry[];
}

/** Services with their subsets and endpoints, as clients find them. Objects come in order of creation. */
export class ServiceRegistry {
  /** In order of creation. */
  readonly services: readonly Service[];
  /** Hosts that ServiceEntries of several namespaces declare, with the namespaces that lost. */
  readonly shadowed: readonly { readonly host: string; readonly namespace: string; readonly ignored: readonly string[] }[];
  /** Every port of any service. */
  readonly ports: readonly number[];
  /** Every cluster of every service, those that only one kind of client sees included. */
  readonly clusters: readonly Cluster[];
  readonly #byHost: ReadonlyMap<string, Service>;
  readonly #rules: ReadonlyMap<string, NamespaceRules>;
  readonly #workloads: ReadonlyMap<string, readonly WorkloadEntrySpec[]>;
  readonly #selected = new Map<ServiceEntry, readonly WorkloadEntrySpec[]>();
  readonly #clusters = new Map<string, Cluster>();
  /** What was asked for before: many rules lead to few destinations. */
  readonly #asked = new Map<string, Cluster | undefined>();

  constructor(entries: readonly ServiceEntry[], workloads: readonly WorkloadEntry[], rules: readonly DestinationRule[]) {
    this.#rules = new Map([...Map.groupBy(rules, namespaceOf)].map(([namespace, own]) => [namespace, rulesOfNamespace(own)]));
    this.#workloads = new Map(
      [...Map.groupBy(workloads, namespaceOf)].map(([namespace, own]) => [
        namespace,
        own.map(({ spec, metadata }) => ({ ...spec, labels: { ...spec.labels, ...metadata.labels } })),
      ]),
    );
    const declared = Map.groupBy(
      entries.flatMap((entry) => entry.spec.hosts.map((host) => ({ host: host.toLowerCase(), entry }))),
      ({ host }) => host,
    );
    const shadowed: { host: string; namespace: string; ignored: string[] }[] = [];
    this.services = [...declared].map(([host, declarations]) => {
      const namespaces = [...new Set(declarations.map(({ entry }) => namespaceOf(entry)))];
      const namespace = namespaces.includes(CLIENT_NAMESPACE) ? CLIENT_NAMESPACE : (namespaces[0] ?? CLIENT_NAMESPACE);
      if (namespaces.length > 1) shadowed.push({ host, namespace, ignored: namespaces.filter((other) => other !== namespace) });
      return service(
        host,
        namespace,
        declarations.map(({ entry }) => entry).filter((entry) => namespaceOf(entry) === namespace),
      );
    });
    this.shadowed = shadowed;
    this.#byHost = new Map(this.services.map((each) => [each.host, each]));
    this.ports = [...new Set(this.services.flatMap((each) => [...each.ports.keys()]))];
    this.clusters = this.#allClusters();
  }

  find(host: string): Service | undefined {
    return this.#byHost.get(host.toLowerCase());
  }

  /** The endpoints of a destination; undefined where its host, port or subset is not declared: 503 NC. */
  cluster(client: ClientKind, host: string, port: number, subset: string | undefined): Cluster | undefined {
    const key = `${client} ${port} ${host} ${subset ?? ''} ${subset === undefined}`;
    const known = this.#asked.get(key);
    if (known !== undefined || this.#asked.has(key)) return known;
    const cluster = this.#findCluster(client, host, port, subset);
    this.#asked.set(key, cluster);
    return cluster;
  }

  #findCluster(client: ClientKind, host: string, port: number, subset: string | undefined): Cluster | undefined {
    const found = this.find(host);
    if (!found?.ports.has(port)) return undefined;
    if (subset === undefined) return this.#clusterOf(found, port, undefined, '');
    const rules = this.#rulesFor(client, found);
    const definition = rules.flatMap((rule) => rule.spec.subsets ?? []).find((each) => each.name === subset);
    return definition && this.#clusterOf(found, port, definition, namespaceOf(rules[0]));
  }

  #allClusters(): readonly Cluster[] {
    for (const each of this.services) {
      for (const port of each.ports.keys()) {
        this.cluster('mesh', each.host, port, undefined);
        for (const client of ['mesh', 'ingress'] as const) {
          for (const subset of this.#rulesFor(client, each).flatMap((rule) => rule.spec.subsets ?? [])) {
            this.cluster(client, each.host, port, subset.name);
          }
        }
      }
    }
    return [...this.#clusters.values()];
  }

  /** The DestinationRules that count: of the first namespace that has any for the host, those of the most specific host, merged. */
  #rulesFor(client: ClientKind, { host, namespace }: Service): readonly DestinationRule[] {
    const namespaces = client === 'mesh' ? [CLIENT_NAMESPACE, namespace, ROOT_NAMESPACE] : [namespace, ROOT_NAMESPACE];
    for (const each of namespaces) {
      const rules = this.#rules.get(each);
      // None is more specific than the host itself.
      const found = rules?.byHost.get(host) ?? mostSpecific(rules, host);
      if (found !== undefined) return found;
    }
    return [];
  }

  #clusterOf(found: Service, port: number, subset: Subset | undefined, ruleNamespace: string): Cluster {
    const key = JSON.stringify([found.host, port, subset?.name, ruleNamespace]);
    const known = this.#clusters.get(key);
    if (known !== undefined) return known;
    const endpoints = found.entries.flatMap((entry) => this.#endpointsOf(entry, port, subset?.labels ?? {}));
    const cluster: Cluster = { host: found.host, port, subset: subset?.name, endpoints };
    this.#clusters.set(key, cluster);
    return cluster;
  }

  #endpointsOf(entry: ServiceEntry, number: number, labels: Readonly<Record<string, string>>): readonly Endpoint[] {
    const port = entry.spec.ports.find((each) => each.number === number);
    if (port === undefined) return [];
    return [...(entry.spec.endpoints ?? []), ...this.#selectedBy(entry)]
      .filter((workload) => hasLabels(workload.labels, labels))
      .map((workload) => ({ address: workload.address, port: workload.ports?.[port.name] ?? port.targetPort ?? port.number }));
  }

  #selectedBy(entry: ServiceEntry): readonly WorkloadEntrySpec[] {
    const selector = entry.spec.workloadSelector?.labels;
    if (selector === undefined) return [];
    const known = this.#selected.get(entry);
    if (known !== undefined) return known;
    const selected = (this.#workloads.get(namespaceOf(entry)) ?? []).filter((workload) => hasLabels(workload.labels, selector));
    this.#selected.set(entry, selected);
    return selected;
  }
}

/** The DestinationRules of a namespace. */
interface NamespaceRules {
  readonly byHost: ReadonlyMap<string, readonly DestinationRule[]>;
  /** The wildcards among the hosts, the most specific first. */
  readonly wildcards: readonly string[];
}

function rulesOfNamespace(rules: readonly DestinationRule[]): NamespaceRules {
  const byHost = Map.groupBy(rules, ruleHost);
  return { byHost, wildcards: [...byHost.keys()].filter(isWildcardHost).sort(compareSpecificity) };
}

function service(host: string, namespace: string, entries: readonly ServiceEntry[]): Service {
  const ports = new Map<number, ServicePort>();
  for (const port of entries.flatMap((entry) => entry.spec.ports)) if (!ports.has(port.number)) ports.set(port.number, port);
  return { host, namespace, ports, entries };
}

function mostSpecific(rules: NamespaceRules | undefined, host: string): readonly DestinationRule[] | undefined {
  const best = rules?.wildcards.find((each) => isSubsetOf(host, each));
  return best === undefined ? undefined : rules?.byHost.get(best);
}

function ruleHost(rule: DestinationRule): string {
  return resolveHost(rule.spec.host, namespaceOf(rule)).toLowerCase();
}

function namespaceOf(object: { readonly metadata: { readonly namespace?: string } } | undefined): string {
  return object?.metadata.namespace ?? CLIENT_NAMESPACE;
}

function hasLabels(labels: Readonly<Record<string, string>> | undefined, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels?.[name] === value);
}
