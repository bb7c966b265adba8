import type { KubeObject, ServiceEntry } from '../../core/istio/resources.ts';
import { type ClusterService, type EndpointSlice, SERVICE_NAME_LABEL, serviceEntryOf } from '../../core/istio/service-entry-of.ts';
import { Listeners } from '../listeners.ts';
import { sameJson } from '../manifest.ts';
import type { KubeClient, KubeError } from './kube-client.ts';
import { collectionPath } from './kube-resources.ts';
import { isRead, type NamespaceScope, readNamespaces } from './namespace-scope.ts';
import type { Reflector } from './reflector.ts';
import { reflectEach, type ScopedHandler } from './scoped-reflectors.ts';

/** The endpoints of a Service, as ServiceEntries: all that it has, and those that are ready. */
export interface EndpointsOfService {
  readonly all: ServiceEntry;
  readonly ready: ServiceEntry;
}

/** What is told of each kind, by `namespace/name`. */
class Told<Item extends KubeObject> {
  readonly items = new Map<string, Item>();
  readonly #onChange: (item: Item, former: Item | undefined) => void;

  constructor(onChange: (item: Item, former: Item | undefined) => void) {
    this.#onChange = onChange;
  }

  handler(failed: ScopedHandler['failed']): ScopedHandler {
    const keep = (item: Item): void => {
      const former = this.items.get(keyOf(item));
      this.items.set(keyOf(item), item);
      this.#onChange(item, former);
    };
    const drop = (item: Item): void => {
      const former = this.items.get(keyOf(item));
      this.items.delete(keyOf(item));
      this.#onChange(item, former);
    };
    return {
      replaced: (objects, _version, namespace) => {
        const there = new Set(objects.map(keyOf));
        const isListed = (item: Item): boolean => namespace === undefined || item.metadata.namespace === namespace;
        for (const [key, item] of this.items) if (isListed(item) && !there.has(key)) drop(item);
        for (const object of objects) keep(object as Item);
      },
      applied: (object) => keep(object as Item),
      deleted: (object) => drop(object as Item),
      failed,
    };
  }
}

/** Services, their EndpointSlices and the labels of pods, watched in all namespaces, or in those of the scope. */
export class ServiceEndpoints {
  /** Told with `namespace/name` of Services whose endpoints may have changed. */
  readonly changed: Listeners<[string]>;
  readonly #services = new Told<ClusterService>((service) => this.#tell(keyOf(service)));
  readonly #slices = new Told<EndpointSlice>((slice, former) => this.#onSlice(slice, former));
  /** Pods are ready, or not, by the slices; only their labels are of use, and those rarely change. */
  readonly #pods = new Told<KubeObject>((pod, former) => this.#onPod(pod, former));
  /** Of each Service the slices that are its. */
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>();
  /** Of each pod that slices name, those slices. */
  readonly #slicesNaming = new Map<string, Set<string>>();
  /** What was made of Services, until they change. */
  readonly #made = new Map<string, EndpointsOfService>();
  readonly #reflectors: readonly Reflector[];
  readonly #scope: NamespaceScope | undefined;

  constructor(
    client: KubeClient,
    scope: NamespaceScope | undefined,
    failed: (what: string, error: KubeError, againInMs: number) => void,
    onListenerError: (error: unknown) => void,
  ) {
    this.changed = new Listeners(onListenerError);
    this.#scope = scope;
    const watched = [
      ['Service', '/api/v1', 'services', this.#services, false],
      ['EndpointSlice', '/apis/discovery.k8s.io/v1', 'endpointslices', this.#slices, false],
      ['Pod', '/api/v1', 'pods', this.#pods, true],
    ] as const;
    const namespaces = readNamespaces(scope);
    this.#reflectors = watched.flatMap(([kind, group, plural, told, metadataOnly]) => {
      const handler = told.handler((error, wait) => failed(kind, error, wait));
      return reflectEach({ client, namespaces, pathOf: (namespace) => collectionPath(group, plural, namespace), handler, metadataOnly });
    });
  }

  /** Resolves once all were read for the first time. */
  get synced(): Promise<void> {
    return Promise.all(this.#reflectors.map(({ synced }) => synced)).then(() => undefined);
  }

  /** Whether Services of a namespace are known. */
  isRead(namespace: string): boolean {
    return isRead(this.#scope, namespace);
  }

  /** The labels by which the Service of this name chooses its pods; undefined where there is none, or it chooses none. */
  selectorOf(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    const selector = this.#services.items.get(`${namespace}/${name}`)?.spec?.selector ?? {};
    return Object.keys(selector).length === 0 ? undefined : selector;
  }

  /** The labels of the Service of this name, undefined where there is none, and what is known of its pods. */
  metadataOf(
    namespace: string,
    name: string,
  ): { readonly labels: Readonly<Record<string, string>> | undefined; readonly pods: readonly KubeObject['metadata'][] } {
    const key = `${namespace}/${name}`;
    const service = this.#services.items.get(key);
    const slices = [...(this.#slicesOf.get(key)?.values() ?? [])];
    const names = new Set(slices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ targetRef }) => targetRef?.name ?? [])));
    const pods = [...names].flatMap((pod) => this.#pods.items.get(`${namespace}/${pod}`)?.metadata ?? []);
    return { labels: service === undefined ? undefined : (service.metadata.labels ?? {}), pods };
  }

  /** Of the Service of this name; undefined where there is none. The same again until they change. */
  of(namespace: string, name: string): EndpointsOfService | undefined {
    const key = `${namespace}/${name}`;
    const service = this.#services.items.get(key);
    if (service === undefined) return undefined;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const slices = [...(this.#slicesOf.get(key)?.values() ?? [])];
    const labels = (pod: string) => this.#pods.items.get(`${namespace}/${pod}`)?.metadata.labels;
    const made = { all: serviceEntryOf(service, slices, labels, false), ready: serviceEntryOf(service, slices, labels, true) };
    this.#made.set(key, made);
    return made;
  }

  /** `address:port` of all ready endpoints behind the port of this name, of the Services of a namespace that have all these labels. */
  readyAddresses(namespace: string, labels: Readonly<Record<string, string>>, port: string): readonly string[] {
    const services = [...this.#services.items.values()].filter(
      ({ metadata }) =>
        metadata.namespace === namespace && Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value),
    );
    const found = services.flatMap(({ metadata: { name } }) =>
      (this.of(namespace, name)?.ready.spec.endpoints ?? []).flatMap(({ address, ports }) => {
        const number = ports?.[port];
        return number === undefined ? [] : [address.includes(':') ? `[${address}]:${number}` : `${address}:${number}`];
      }),
    );
    return [...new Set(found)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#reflectors.map((each) => each.stop()));
  }

  #tell(service: string): void {
    this.#made.delete(service);
    this.changed.notify(service);
  }

  #onSlice(slice: EndpointSlice, former: EndpointSlice | undefined): void {
    const key = serviceKeyOf(slice);
    if (key === undefined) return;
    const own = this.#slicesOf.get(key) ?? new Map<string, EndpointSlice>();
    const current = this.#slices.items.get(keyOf(slice));
    for (const pod of podsOf(former)) this.#slicesNaming.get(pod)?.delete(keyOf(slice));
    for (const pod of podsOf(current)) this.#slicesNaming.set(pod, (this.#slicesNaming.get(pod) ?? new Set()).add(keyOf(slice)));
    for (const pod of podsOf(former)) if (this.#slicesNaming.get(pod)?.size === 0) this.#slicesNaming.delete(pod);
    if (current === undefined) own.delete(keyOf(slice));
    else own.set(keyOf(slice), current);
    if (own.size === 0) this.#slicesOf.delete(key);
    else this.#slicesOf.set(key, own);
    this.#tell(key);
  }

  /** A pod comes before the slice that names it, or after: then its Services look again. */
  #onPod(pod: KubeObject, former: KubeObject | undefined): void {
    // Pods change all the time, and their labels hardly ever.
    if (former !== undefined && sameJson(former.metadata.labels, pod.metadata.labels)) return;
    for (const key of this.#slicesNaming.get(keyOf(pod)) ?? []) {
      const slice = this.#slices.items.get(key);
      const service = slice === undefined ? undefined : serviceKeyOf(slice);
      if (service !== undefined) this.#tell(service);
    }
  }
}

/** `namespace/name` of the Service that the slice is of. */
function serviceKeyOf({ metadata: { labels, namespace = 'default' } }: EndpointSlice): string | undefined {
  const service = labels?.[SERVICE_NAME_LABEL];
  return service === undefined ? undefined : `${namespace}/${service}`;
}

/** `namespace/name` of the pods that it names. */
function podsOf(slice: EndpointSlice | undefined): readonly string[] {
  const { namespace = 'default' } = slice?.metadata ?? {};
  return (slice?.endpoints ?? []).flatMap(({ targetRef }) => (targetRef?.name === undefined ? [] : [`${namespace}/${targetRef.name}`]));
}

function keyOf({ metadata: { namespace = 'default', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
