import { isWildcardHost, splitServiceHost } from '../istio/names.ts';
import type { DestinationRule, Port, ServiceEntry, Subset, WorkloadEntry, WorkloadEntrySpec } from '../istio/resources.ts';
import { type OutlierPolicy, outlierPolicy } from './outlier-policy.ts';
import type { Cluster, Endpoint, Workload } from './selection.ts';

/** Who asks: the namespace of the client decides which DestinationRule counts (istio-semantics 2 and 9). */
export type ClientKind = 'ingress' | 'mesh';

/** What a service is made of, each in order of creation. */
export interface ServiceSources {
  readonly host: string;
  readonly namespace: string;
  /** The declarations; endpoints of each serve the ports that it names. */
  readonly entries: readonly { readonly entry: ServiceEntry; readonly selected: readonly WorkloadEntry[] }[];
  /** The DestinationRules that count for each kind of client: the same list where they are the same. */
  readonly rules: Readonly<Record<ClientKind, readonly DestinationRule[]>>;
}

/** The embedded mesh has one client, as if all ran in this namespace. */
export const CLIENT_NAMESPACE = 'default';

type ServicePort = Port & { readonly targetPort?: number };

interface PortClusters {
  readonly whole: Readonly<Record<ClientKind, Cluster>>;
  readonly subsets: Readonly<Record<ClientKind, ReadonlyMap<string, Cluster>>>;
}

interface Declaration {
  readonly ports: ServiceEntry['spec']['ports'];
  readonly workloads: readonly (WorkloadEntrySpec & Pick<Workload, 'name' | 'namespace'>)[];
}

/** A host that ServiceEntries declare, with its subsets and endpoints, as clients find them. */
export class Service {
  readonly host: string;
  readonly namespace: string;
  /** Under which a client in the embedded mesh reaches it; only services of its own namespace by their short name. */
  readonly names: readonly string[];
  /** By number; of two declarations of one number the older counts. */
  readonly ports: ReadonlyMap<number, ServicePort>;
  /** Every cluster, those that only one kind of client sees included. */
  readonly clusters: readonly Cluster[];
  readonly #byPort: ReadonlyMap<number, PortClusters>;

  constructor({ host, namespace, entries, rules }: ServiceSources) {
    this.host = host;
    this.namespace = namespace;
    this.names = namesOf(host);
    const ports = new Map<number, ServicePort>();
    for (const port of entries.flatMap(({ entry }) => entry.spec.ports)) if (!ports.has(port.number)) ports.set(port.number, port);
    this.ports = ports;
    const declarations = entries.map(
      ({ entry, selected }): Declaration => ({
        ports: entry.spec.ports,
        workloads: [
          ...(entry.spec.endpoints ?? []),
          ...selected.map(({ spec, metadata }) => ({
            ...spec,
            ...{ name: metadata.name, namespace: metadata.namespace ?? CLIENT_NAMESPACE, labels: labelsOf(spec, metadata) },
          })),
        ],
      }),
    );
    const clusters: Cluster[] = [];
    const cluster = (port: number, outlier: OutlierPolicy | undefined, subset?: Subset): Cluster => {
      const endpoints = declarations.flatMap((declaration) => endpointsOf(declaration, port, subset?.labels ?? {}));
      const made: Cluster = { host, port, subset: subset?.name, endpoints, outlier };
      clusters.push(made);
      return made;
    };
    const subsetsOf = (port: number, definitions: readonly DestinationRule[]): ReadonlyMap<string, Cluster> => {
      const subsets = new Map<string, Cluster>();
      for (const subset of definitions.flatMap((rule) => rule.spec.subsets ?? [])) {
        if (!subsets.has(subset.name)) subsets.set(subset.name, cluster(port, outlierPolicy(definitions, subset), subset));
      }
      return subsets;
    };
    const ofHost = { mesh: outlierPolicy(rules.mesh), ingress: outlierPolicy(rules.ingress) };
    const areAlike = rules.ingress === rules.mesh || (ofHost.mesh === undefined && ofHost.ingress === undefined);
    const byPort = [...ports.keys()].map((port): [number, PortClusters] => {
      const inMesh = cluster(port, ofHost.mesh);
      const whole = { mesh: inMesh, ingress: areAlike ? inMesh : cluster(port, ofHost.ingress) };
      const mesh = subsetsOf(port, rules.mesh);
      const ingress = rules.ingress === rules.mesh ? mesh : subsetsOf(port, rules.ingress);
      return [port, { whole, subsets: { mesh, ingress } }];
    });
    this.#byPort = new Map(byPort);
    this.clusters = clusters;
  }

  /** The endpoints of a destination; undefined where its port or subset is not declared: 503 NC. */
  cluster(client: ClientKind, port: number, subset: string | undefined): Cluster | undefined {
    const found = this.#byPort.get(port);
    return subset === undefined ? found?.whole[client] : found?.subsets[client].get(subset);
  }
}

/** The labels of a WorkloadEntry: those of the object and of its spec, the object's first. */
export function labelsOf(spec: WorkloadEntrySpec, { labels }: WorkloadEntry['metadata']): Readonly<Record<string, string>> {
  return { ...spec.labels, ...labels };
}

/** Whether all wanted labels are among these, with these values; without wanted ones always. */
export function hasLabels(labels: Readonly<Record<string, string>> | undefined, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels?.[name] === value);
}

function endpointsOf({ ports, workloads }: Declaration, number: number, labels: Readonly<Record<string, string>>): readonly Endpoint[] {
  const port = ports.find((each) => each.number === number);
  if (port === undefined) return [];
  return workloads
    .filter((workload) => hasLabels(workload.labels, labels))
    .map(({ address, ports: own, ...workload }) => ({
      address,
      port: own?.[port.name] ?? port.targetPort ?? port.number,
      ...workloadOf(workload),
    }));
}

function workloadOf({ name, namespace, labels }: Workload): { readonly workload?: Workload } {
  if (name === undefined && labels === undefined) return {};
  return {
    workload: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
    },
  };
}

function namesOf(host: string): readonly string[] {
  if (isWildcardHost(host)) return [host];
  const parts = splitServiceHost(host);
  if (parts === undefined) return [host, `${host}.`];
  const { name, namespace } = parts;
  const short = namespace === CLIENT_NAMESPACE ? [name] : [];
  return [host, `${host}.`, ...short, `${name}.${namespace}.svc`, `${name}.${namespace}`];
}
