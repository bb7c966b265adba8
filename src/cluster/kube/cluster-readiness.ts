import { isLate, pendingRollout } from '../../core/istio/deployment-rollout.ts';
import { isWildcardHost, resolveHost, splitServiceHost } from '../../core/istio/names.ts';
import type { DestinationRule, KubeObject, ServiceEntry, WorkloadEntry } from '../../core/istio/resources.ts';
import type { Version } from '../../core/release/canary-release.ts';
import type { VersionDeployment, VersionReadiness } from '../../core/release/observed.ts';
import { compileRouting, RoutingCompiler } from '../../core/routing/compile.ts';
import { missingEndpoints, missingSubset, subsetLabels, type VersionAddress } from '../../core/routing/missing-endpoints.ts';
import type { Cluster } from '../../core/routing/selection.ts';
import { hasLabels, labelsOf } from '../../core/routing/service.ts';
import { Listeners } from '../listeners.ts';
import { sameJson } from '../manifest.ts';
import type { Readiness, ServiceAddress } from '../readiness.ts';
import type { ReleaseStore } from '../store.ts';
import { addressKey, addressName, addressOf, clustersByAddress } from '../version-address.ts';
import type { Deployments, KnownDeployment } from './deployments.ts';
import type { EndpointsOfService, ServiceEndpoints } from './service-endpoints.ts';
import { SparingTask } from './sparing-task.ts';

const ENDPOINT_KINDS: ReadonlySet<string> = new Set(['ServiceEntry', 'WorkloadEntry', 'DestinationRule']);

/** How long a version that was asked for is watched, in ms. Longer than `Readiness` promises: nothing is asked for it, and all who look seldom have little to do. */
export const WATCHED_MS = 25 * 60_000;

/** A version that was asked for, and what was answered last. */
interface Asked {
  readonly host: string;
  readonly port: number;
  readonly version: Version;
  told: VersionReadiness;
  /** What that was answered by, where it was much. */
  basis: readonly unknown[] | undefined;
  /** When it was asked for last, by `now`. */
  at: number;
}

type AskedVersion = Pick<Asked, 'host' | 'port' | 'version'>;

/** Where endpoints are known from. */
export interface ReadinessSources {
  readonly store: ReleaseStore;
  readonly services: Pick<ServiceEndpoints, 'of' | 'isRead' | 'selectorOf' | 'changed'>;
  readonly deployments: Pick<Deployments, 'making' | 'changed'>;
  /** Once the store knows all objects: until then nothing is known, rather than that there are none. Default: at once. */
  readonly synced?: Promise<void>;
  /** A clock that only goes forwards, in ms. */
  readonly now?: () => number;
}

/** What the store says of endpoints. */
interface Declared {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly objects: readonly KubeObject[];
  /** The DestinationRules that may be for a host, which is resolved: thousands may be for others. */
  readonly rulesOf: (host: string) => readonly KubeObject[];
  readonly workloadsIn: (namespace: string) => readonly WorkloadEntry[];
}

/**
 * Readiness in a cluster. Of a Service: the endpoints of its EndpointSlices that are ready, chosen by the labels of their pods. Of any other host as Istio has
 * it: an endpoint that a ServiceEntry or WorkloadEntry declares is ready, since nobody checks it. A Deployment whose pods are those of the version, and that is
 * being rolled out, is said.
 */
export function clusterReadiness(sources: ReadinessSources, onError: (error: unknown) => void): Readiness {
  const { store, services, deployments, synced = Promise.resolve(), now = () => performance.now() } = sources;
  const changed = new Listeners<[readonly ServiceAddress[]]>(onError);
  const asked = new Map<string, Asked>();
  /** Those that may be of a Service, by namespace and name. */
  const askedOf = new Map<string, Map<string, Set<Asked>>>();
  const compiler = new RoutingCompiler();
  let declared: Declared | undefined;

  /** Who makes the version's pods, and what is still to be done of their rollouts. */
  const podsOf = (each: AskedVersion): Pick<VersionReadiness, 'rollout' | 'deployments'> => {
    const { host, subset } = addressOf(each);
    const parts = splitServiceHost(host);
    const selector = parts === undefined ? undefined : services.selectorOf(parts.namespace, parts.name);
    const labels = subset === undefined ? {} : subsetLabels(declared?.rulesOf(host) ?? [], host, subset);
    if (parts === undefined || selector === undefined || labels === undefined) return {};
    const making = deployments.making(parts.namespace, { ...selector, ...labels });
    const rollout = making.map(pendingRollout).find((pending) => pending !== undefined);
    return { ...(rollout === undefined ? {} : { rollout }), deployments: making.map(asVersionDeployment) };
  };
  const answer = (each: AskedVersion, former?: Asked): Pick<Asked, 'told' | 'basis'> => {
    const name = addressName(each);
    if (declared === undefined) {
      return { told: { ready: undefined, reason: `the endpoints of ${name} are not known yet` }, basis: undefined };
    }
    const address = addressOf(each);
    const parts = splitServiceHost(address.host);
    if (parts !== undefined && !services.isRead(parts.namespace)) {
      const reason = `the endpoints of ${name} are in a namespace that this controller does not read`;
      return { told: { ready: undefined, reason }, basis: undefined };
    }
    const service = parts === undefined ? undefined : services.of(parts.namespace, parts.name);
    if (service === undefined) return { told: { ...ofDeclared(name, address, declared), deployments: [] }, basis: undefined };
    const rules = declared.rulesOf(address.host);
    const workloads = workloadsOf(service, services, declared);
    const basis = [service, ...rules, ...workloads];
    const isSame = former?.basis?.length === basis.length && former.basis.every((item, index) => item === basis[index]);
    const { rollout: _, ...told } = isSame ? former.told : ofService(name, address, withWorkloads(service, workloads), rules);
    return { told: { ...told, ...podsOf(each) }, basis };
  };
  /** The service that a version may be of. */
  const placeOf = (each: AskedVersion): { readonly namespace: string; readonly name: string } =>
    splitServiceHost(addressOf(each).host) ?? { namespace: '', name: addressOf(each).host };
  const forget = (each: Asked): void => {
    const { namespace, name } = placeOf(each);
    asked.delete(keyOf(each));
    askedOf.get(namespace)?.get(name)?.delete(each);
  };
  const lookAgain = (at: Iterable<Asked>): void => {
    const news: ServiceAddress[] = [];
    for (const each of at) {
      if (now() - each.at > WATCHED_MS) {
        forget(each);
        continue;
      }
      const { told, basis } = answer(each, each);
      if (!sameJson(told, each.told)) news.push({ host: each.host, port: each.port });
      each.told = told;
      each.basis = basis;
    }
    if (news.length > 0) changed.notify(news);
  };
  const read = async (): Promise<void> => {
    try {
      const objects = (await store.list()).filter(({ ref }) => ENDPOINT_KINDS.has(ref.kind)).map(({ served }) => served);
      declared = {
        clusters: clustersByAddress(compiler.compile(objects).table.clusters),
        objects,
        rulesOf: rulesByHost(objects),
        workloadsIn: workloadsByNamespace(objects),
      };
      lookAgain(asked.values());
    } catch (error) {
      onError(error);
    }
  };
  const reading = new SparingTask(read);
  let isSynced = false;
  void synced.then(() => {
    isSynced = true;
    return read();
  });
  const stops = [
    store.watch((refs) => {
      if (isSynced && refs.some(({ kind }) => ENDPOINT_KINDS.has(kind))) reading.ask();
    }),
    services.changed.add((service) => {
      const [namespace = '', name = ''] = service.split('/');
      lookAgain(askedOf.get(namespace)?.get(name) ?? []);
    }),
    deployments.changed.add((namespace) => {
      const all = [...(askedOf.get(namespace)?.values() ?? [])].flatMap((some) => [...some]);
      const isNews = (each: Asked): boolean => {
        const { rollout, deployments: making } = podsOf(each);
        return rollout !== each.told.rollout || !sameJson(making, each.told.deployments);
      };
      lookAgain(all.filter(isNews));
    }),
  ];

  return {
    check(host, port, version) {
      const known = asked.get(keyOf({ host, port, version }));
      if (known !== undefined) {
        known.at = now();
        return known.told;
      }
      const each: Asked = { host, port, version, ...answer({ host, port, version }), at: now() };
      asked.set(keyOf(each), each);
      const { namespace, name } = placeOf(each);
      const inNamespace = askedOf.get(namespace) ?? new Map<string, Set<Asked>>();
      askedOf.set(namespace, inNamespace.set(name, (inNamespace.get(name) ?? new Set()).add(each)));
      return each.told;
    },
    onChange: (listener) => changed.add(listener),
    async close() {
      for (const stop of stops) stop();
      await reading.stop();
    },
  };
}

function asVersionDeployment(deployment: KnownDeployment): VersionDeployment {
  const { metadata, spec, isAutoscaled } = deployment;
  const { namespace = 'default', name } = metadata;
  return { namespace, name, replicas: spec?.replicas ?? 1, isAutoscaled, isLate: isLate(deployment) };
}

function keyOf({ host, port, version }: AskedVersion): string {
  return JSON.stringify([host, port, version]);
}

/** A Service chooses WorkloadEntries of its namespace as it chooses pods (istiod's PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES, on unless taken away). */
function workloadsOf(
  { all: { metadata } }: EndpointsOfService,
  services: Pick<ServiceEndpoints, 'selectorOf'>,
  { workloadsIn }: Declared,
): readonly WorkloadEntry[] {
  const { namespace = '', name } = metadata;
  const selector = services.selectorOf(namespace, name);
  if (selector === undefined) return [];
  return workloadsIn(namespace).filter(({ spec, metadata: own }) => hasLabels(labelsOf(spec, own), selector));
}

function workloadsByNamespace(objects: readonly KubeObject[]): Declared['workloadsIn'] {
  const entries = objects.filter(({ kind }) => kind === 'WorkloadEntry') as readonly WorkloadEntry[];
  const byNamespace = Map.groupBy(entries, ({ metadata: { namespace = 'default' } }) => namespace);
  return (namespace) => byNamespace.get(namespace) ?? [];
}

function withWorkloads(service: EndpointsOfService, workloads: readonly WorkloadEntry[]): EndpointsOfService {
  if (workloads.length === 0) return service;
  const more = workloads.map(({ spec, metadata }) => ({ ...spec, labels: labelsOf(spec, metadata) }));
  const add = (entry: ServiceEntry): ServiceEntry => ({
    ...entry,
    spec: { ...entry.spec, endpoints: [...(entry.spec.endpoints ?? []), ...more] },
  });
  return { all: add(service.all), ready: add(service.ready) };
}

function rulesByHost(objects: readonly KubeObject[]): Declared['rulesOf'] {
  const rules = objects.filter((object) => object.kind === 'DestinationRule') as readonly DestinationRule[];
  const hostOf = ({ spec, metadata: { namespace = 'default' } }: DestinationRule) => resolveHost(spec.host, namespace).toLowerCase();
  const byHost = Map.groupBy(rules, hostOf);
  const forMany = rules.filter((rule) => isWildcardHost(hostOf(rule)));
  return (host) => [...(byHost.get(host) ?? []), ...forMany];
}

function ofService(name: string, address: VersionAddress, service: EndpointsOfService, rules: readonly KubeObject[]): VersionReadiness {
  const count = (entry: KubeObject) =>
    clustersByAddress(compileRouting([entry, ...rules]).table.clusters).get(addressKey(address))?.endpoints.length;
  const total = count(service.all) ?? 0;
  const ready = count(service.ready) ?? 0;
  if (ready > 0) return { ready: true, reason: `${name} is ready`, endpoints: { ready, total } };
  return { ready: false, reason: whyNone(name, address, service, total, rules), endpoints: { ready, total } };
}

function whyNone(
  name: string,
  { host, port, subset }: VersionAddress,
  { all }: EndpointsOfService,
  total: number,
  rules: readonly KubeObject[],
): string {
  const service = `Service ${all.metadata.namespace}/${all.metadata.name}`;
  const ports = all.spec.ports.map(({ number }) => number);
  if (!ports.includes(port)) return `${service} has no port ${port}, only ${ports.join(', ')}: add it there, or correct the port`;
  if (total > 0) return `none of the ${total} endpoints of ${name} is ready`;
  if (subset === undefined) return `${service} has no endpoints: start its pods`;
  return missingSubset(rules, host, subset) ?? `no pod of ${service} has the labels of subset ${subset}: start some, or correct the labels`;
}

function ofDeclared(name: string, address: VersionAddress, { clusters, objects }: Declared): VersionReadiness {
  const cluster = clusters.get(addressKey(address));
  const total = cluster?.endpoints.length ?? 0;
  if (total > 0) return { ready: true, reason: `${name} is ready`, endpoints: { ready: total, total } };
  const reason = missingEndpoints(objects, address, cluster !== undefined);
  return { ready: false, reason, endpoints: { ready: 0, total: 0 } };
}
