import { type Deployment, makesPodsWith } from '../../core/istio/deployment-rollout.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { Listeners } from '../listeners.ts';
import { sameJson } from '../manifest.ts';
import type { KubeClient, KubeError } from './kube-client.ts';
import { type ApiObject, isOlder } from './kube-object.ts';
import { collectionPath } from './kube-resources.ts';
import { isAutoscaled } from './managed-fields.ts';
import { type NamespaceScope, readNamespaces } from './namespace-scope.ts';
import type { Reflector } from './reflector.ts';
import { reflectEach, type ScopedHandler } from './scoped-reflectors.ts';

type Labels = Readonly<Record<string, string>>;

/** What charts say of the version of what they install. */
const VERSION = 'app.kubernetes.io/version';

/** A Deployment as it is kept, with the version of it that this is. */
export interface KnownDeployment extends Deployment {
  readonly metadata: Deployment['metadata'] & { readonly resourceVersion: string };
  /** Whether an autoscaler scaled it last. */
  readonly isAutoscaled: boolean;
}

/** Deployments, watched in all namespaces, or in those of the scope: how far their rollouts are, and how many replicas they have. */
export class Deployments {
  /** Told with a namespace whose rollouts may have gone on, or whose Deployments have other replicas. */
  readonly changed: Listeners<[string]>;
  /** By namespace and name. */
  readonly #known = new Map<string, Map<string, KnownDeployment>>();
  readonly #reflectors: readonly Reflector[];

  constructor(
    client: KubeClient,
    scope: NamespaceScope | undefined,
    failed: (error: KubeError, againInMs: number) => void,
    onListenerError: (error: unknown) => void,
  ) {
    this.changed = new Listeners(onListenerError);
    const handler: ScopedHandler = {
      replaced: (objects, _, namespace) => this.#replaceAll(objects, namespace),
      applied: (object) => this.#keep(object),
      deleted: (object) => this.#drop(object),
      failed,
    };
    const pathOf = (namespace: string | undefined) => collectionPath('/apis/apps/v1', 'deployments', namespace);
    this.#reflectors = reflectEach({ client, namespaces: readNamespaces(scope), pathOf, handler });
  }

  /** Resolves once all were read for the first time. */
  get synced(): Promise<void> {
    return Promise.all(this.#reflectors.map(({ synced }) => synced)).then(() => undefined);
  }

  /** The Deployments whose pods have all these labels. */
  making(namespace: string, labels: Labels): readonly KnownDeployment[] {
    return [...(this.#known.get(namespace)?.values() ?? [])].filter((each) => makesPodsWith(each, labels));
  }

  get(namespace: string, name: string): KnownDeployment | undefined {
    return this.#known.get(namespace)?.get(name);
  }

  /** One was scaled, of which the watch may tell later: `resourceVersion` is the one that it has since. */
  scaled(deployment: KnownDeployment, replicas: number, resourceVersion: string): void {
    const { namespace = 'default', name } = deployment.metadata;
    // The watch was faster, or tells that it is gone.
    if (this.get(namespace, name) !== deployment) return;
    const metadata = { ...deployment.metadata, resourceVersion };
    this.#inNamespace(deployment).set(name, { ...deployment, metadata, spec: { ...deployment.spec, replicas }, isAutoscaled: false });
    this.changed.notify(namespace);
  }

  /** Of the Deployments in a namespace whose label `app` is this: the version that the label for it tells, without repetition. */
  versions(namespace: string, app: string): readonly string[] {
    const all = [...(this.#known.get(namespace)?.values() ?? [])].map(({ metadata }) => metadata.labels ?? {});
    return [...new Set(all.flatMap((labels) => (labels['app'] === app ? (labels[VERSION] ?? []) : [])))];
  }

  async close(): Promise<void> {
    await Promise.all(this.#reflectors.map((each) => each.stop()));
  }

  /** In one namespace, or, where that is undefined, in all. */
  #replaceAll(objects: readonly KubeObject[], within: string | undefined): void {
    const former = within === undefined ? [...this.#known.keys()] : [within];
    const namespaces = new Set([...former, ...objects.map(namespaceOf)]);
    for (const namespace of former) this.#known.delete(namespace);
    for (const object of objects) this.#inNamespace(object).set(object.metadata.name, trimmed(object));
    for (const namespace of namespaces) this.changed.notify(namespace);
  }

  #keep(object: KubeObject): void {
    const own = this.#inNamespace(object);
    const { name } = object.metadata;
    const former = own.get(name);
    // What it has been made since, by this very process.
    if (former !== undefined && isOlder(object, former)) return;
    const next = trimmed(object);
    own.set(name, next);
    if (former !== undefined && sameJson(unversioned(former), unversioned(next))) return;
    this.changed.notify(namespaceOf(object));
  }

  #drop(object: KubeObject): void {
    this.#inNamespace(object).delete(object.metadata.name);
    this.changed.notify(namespaceOf(object));
  }

  #inNamespace(object: KubeObject): Map<string, KnownDeployment> {
    const namespace = namespaceOf(object);
    const own = this.#known.get(namespace) ?? new Map<string, KnownDeployment>();
    this.#known.set(namespace, own);
    return own;
  }
}

function namespaceOf({ metadata: { namespace = 'default' } }: KubeObject): string {
  return namespace;
}

/** A cluster has many, and what they say of containers is of no use here. */
function trimmed(object: KubeObject): KnownDeployment {
  const { apiVersion, kind, metadata, spec = {}, status = {} } = object as Deployment & ApiObject;
  const { name, namespace = 'default', generation = 0, labels = {}, resourceVersion = '' } = metadata;
  const own = Object.fromEntries(['app', VERSION].flatMap((label) => (labels[label] === undefined ? [] : [[label, labels[label]]])));
  const { replicas = 1, paused = false, template } = spec;
  const { observedGeneration = 0, replicas: there = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, generation, labels: own, resourceVersion },
    spec: { replicas, paused, template: { metadata: { labels: template?.metadata?.labels ?? {} } } },
    status: {
      observedGeneration,
      replicas: there,
      updatedReplicas,
      availableReplicas,
      conditions: conditions.flatMap(({ type = '', reason = '' }) => (type === 'Progressing' ? [{ type, reason }] : [])),
    },
    isAutoscaled: isAutoscaled(object),
  };
}

/** Every change of its status is a version: what of it matters is in the rest. */
function unversioned({ metadata: { resourceVersion: _, ...metadata }, ...rest }: KnownDeployment): object {
  return { ...rest, metadata };
}
