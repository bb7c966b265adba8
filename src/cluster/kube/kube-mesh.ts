import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { type MeshFacts, meshFindings, type RoutedAt, requestIdsOfFilter, requestIdsOfMeshConfig } from '../../core/istio/mesh-facts.ts';
import { splitServiceHost } from '../../core/istio/names.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { Listeners } from '../listeners.ts';
import { sameJson } from '../manifest.ts';
import type { Mesh } from '../mesh.ts';
import type { Deployments } from './deployments.ts';
import type { KubeClient, KubeError } from './kube-client.ts';
import { collectionPath } from './kube-resources.ts';
import { isRead, type NamespaceScope, readNamespaces } from './namespace-scope.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { reflectEach, type ScopedHandler } from './scoped-reflectors.ts';
import type { ServiceEndpoints } from './service-endpoints.ts';

/** Where the mesh is known from. */
export interface KubeMeshOptions {
  readonly client: KubeClient;
  readonly scope: NamespaceScope | undefined;
  readonly services: ServiceEndpoints;
  readonly deployments: Deployments;
  /** Where istiod is. */
  readonly istioNamespace: string;
  readonly failed: (what: string, error: KubeError, againInMs: number) => void;
  readonly onListenerError: (error: unknown) => void;
}

/** Of objects that are watched only what is of use, by `namespace/name`; told when that changes. */
class Extracts<Extract> {
  readonly items = new Map<string, Extract>();
  readonly #read: (object: KubeObject) => Extract | undefined;
  readonly #onChange: () => void;

  constructor(read: (object: KubeObject) => Extract | undefined, onChange: () => void) {
    this.#read = read;
    this.#onChange = onChange;
  }

  readonly handler = {
    replaced: (objects: readonly KubeObject[], _version: string, namespace: string | undefined): void => {
      const there = new Set(objects.map(keyOf));
      const gone = [...this.items.keys()].filter((key) => !there.has(key) && (namespace === undefined || key.startsWith(`${namespace}/`)));
      for (const key of gone) this.#keep(key, undefined);
      for (const object of objects) this.#keep(keyOf(object), this.#read(object));
    },
    applied: (object: KubeObject): void => this.#keep(keyOf(object), this.#read(object)),
    deleted: (object: KubeObject): void => this.#keep(keyOf(object), undefined),
  };

  #keep(key: string, extract: Extract | undefined): void {
    if (sameJson(this.items.get(key), extract)) return;
    if (extract === undefined) this.items.delete(key);
    else this.items.set(key, extract);
    this.#onChange();
  }
}

/** The mesh as the cluster's objects tell of it: labels of namespaces, EnvoyFilters, ConfigMap istio, and what istiods are. */
export class KubeMesh implements Mesh {
  readonly #options: KubeMeshOptions;
  readonly #changed: Listeners<[]>;
  readonly #namespaces: Extracts<Readonly<Record<string, string>>>;
  readonly #filters: Extracts<string>;
  readonly #configuration: Extracts<string>;
  /** What was answered last, by Service: labels of a Service and its pods change too, and only those that were asked for matter. */
  readonly #told = new Map<string, { readonly host: string; readonly at: RoutedAt; findings: readonly Diagnostic[] }>();
  readonly #labels: readonly Reflector[];
  readonly #reflectors: readonly Reflector[];
  readonly #stops: readonly (() => void)[];

  constructor(options: KubeMeshOptions) {
    const { client, scope, services, deployments, istioNamespace, failed, onListenerError } = options;
    this.#options = options;
    this.#changed = new Listeners(onListenerError);
    const changed = (): void => this.#changed.notify();
    this.#namespaces = new Extracts(({ metadata: { labels = {} } }) => istioLabels(labels), changed);
    this.#filters = new Extracts(requestIdsOfFilter, changed);
    this.#configuration = new Extracts((object) => {
      const { mesh } = ((object as { readonly data?: unknown }).data ?? {}) as { readonly mesh?: string };
      return mesh === undefined ? undefined : requestIdsOfMeshConfig(mesh);
    }, changed);
    const handlerOf = (kind: string, extracts: Extracts<unknown>): ScopedHandler => ({
      ...extracts.handler,
      failed: (error, wait) => failed(kind, error, wait),
    });
    const filterPath = (namespace: string | undefined) => collectionPath('/apis/networking.istio.io/v1alpha3', 'envoyfilters', namespace);
    const filters = { client, namespaces: readNamespaces(scope), pathOf: filterPath, handler: handlerOf('EnvoyFilter', this.#filters) };
    const readAll = (kind: string, path: string, extracts: Extracts<unknown>, extra: Pick<ReflectorOptions, 'metadataOnly' | 'name'>) => {
      const handler = handlerOf(kind, extracts);
      return new Reflector({
        client,
        path,
        ...extra,
        handler: { ...handler, replaced: (objects, version) => handler.replaced(objects, version, undefined) },
      });
    };
    const configMaps = collectionPath('/api/v1', 'configmaps', istioNamespace);
    // Who sees some namespaces only may not list them.
    this.#labels = scope === undefined ? [readAll('Namespace', '/api/v1/namespaces', this.#namespaces, { metadataOnly: true })] : [];
    this.#reflectors = [
      ...this.#labels,
      ...reflectEach(filters),
      ...(isRead(scope, istioNamespace) ? [readAll('ConfigMap istio', configMaps, this.#configuration, { name: 'istio' })] : []),
    ];
    this.#stops = [
      services.changed.add((service) => this.#lookAgain((each) => each === service)),
      deployments.changed.add((namespace) => {
        if (namespace === istioNamespace) this.#lookAgain(() => true);
      }),
    ];
  }

  /** Resolves once namespaces were read for the first time: a release must not start for want of their labels. The rest only warns. */
  get synced(): Promise<void> {
    return Promise.all(this.#labels.map(({ synced }) => synced)).then(() => undefined);
  }

  findings(host: string, at: RoutedAt): readonly Diagnostic[] {
    const findings = meshFindings(this.#factsOf(host), at);
    const service = serviceKey(host);
    if (service !== undefined) this.#told.set(service, { host, at, findings });
    return findings;
  }

  onChange(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.all(this.#reflectors.map((each) => each.stop()));
  }

  #lookAgain(concerns: (service: string) => boolean): void {
    let isNews = false;
    for (const [service, told] of this.#told) {
      if (!concerns(service)) continue;
      const findings = meshFindings(this.#factsOf(told.host), told.at);
      isNews ||= !sameJson(findings, told.findings);
      told.findings = findings;
    }
    if (isNews) this.#changed.notify();
  }

  #factsOf(host: string): MeshFacts {
    const { services, deployments, istioNamespace } = this.#options;
    const parts = splitServiceHost(host);
    const { labels, pods } = parts === undefined ? { labels: undefined, pods: [] } : services.metadataOf(parts.namespace, parts.name);
    return {
      istioVersions: deployments.versions(istioNamespace, 'istiod'),
      requestIds: [...this.#filters.items.values(), ...this.#configuration.items.values()],
      service: labels === undefined ? undefined : serviceKey(host),
      namespaceLabels: this.#namespaces.items.get(`default/${parts?.namespace}`) ?? {},
      serviceLabels: labels ?? {},
      pods,
    };
  }
}

function serviceKey(host: string): string | undefined {
  const parts = splitServiceHost(host);
  return parts === undefined ? undefined : `${parts.namespace}/${parts.name}`;
}

function istioLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const own = Object.entries(labels).filter(([name]) => name.startsWith('istio.io/'));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** A Namespace is in none itself. */
function keyOf({ metadata: { namespace = 'default', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
