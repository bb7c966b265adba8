import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { isHealthyWorkload } from '../../core/istio/workload-health.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import type { DescribedKind } from './described-kind.ts';
import { findHttpRoutes, watchHttpRoutes } from './http-route-kind.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { definitionsOf, KUBE_KINDS, kindPath } from './kube-resources.ts';
import { type NamespaceScope, readNamespaces, watchedNamespaces } from './namespace-scope.ts';
import type { OptionalKind } from './optional-kind.ts';
import type { Reflector } from './reflector.ts';
import { reflectEach, type ScopedHandler } from './scoped-reflectors.ts';

/** What becomes of the objects of a kind. */
export interface KindHandler extends Omit<ScopedHandler, 'failed' | 'replaced'> {
  /** All objects of one namespace, or of all where it is undefined; without a version: the cluster does not know the kind any more. */
  replaced(objects: readonly KubeObject[], version: string | undefined, namespace: string | undefined): void;
}

/** Told of each list or watch of a kind that failed, and after how many ms it is begun again; must not throw. */
export type WatchFailed = (kind: string, error: KubeError, againInMs: number) => void;

interface KindWatchesOptions {
  readonly client: KubeClient;
  readonly scope?: NamespaceScope | undefined;
  /** Objects of a kind; workloads that are known to be of no use are as good as none. */
  readonly objects: (kind: string) => KindHandler;
  /** Releases, which come last: what they may do depends on all others. */
  readonly releases: KindHandler;
  /** All but the releases were read for the first time. */
  readonly onObjects: () => void;
  readonly onError: (message: string, error?: unknown) => void;
  readonly onWatchFailed: WatchFailed;
}

/** What goes on until it is stopped, and knows all of something from some time on. */
type Watching = Pick<Reflector, 'synced' | 'stop'>;

/** Watches of all kinds that releases depend on. */
export class KindWatches {
  readonly #options: KindWatchesOptions;
  readonly #reflectors: Watching[] = [];
  readonly #httpRoutes: Watching & { readonly isKnown: boolean };
  #isClosed = false;
  /** Resolves once all kinds were read for the first time. */
  readonly synced: Promise<void>;

  constructor(options: KindWatchesOptions) {
    this.#options = options;
    this.#httpRoutes = this.#watchHttpRoutes();
    this.synced = this.#begin();
  }

  async #begin(): Promise<void> {
    const { objects, releases, onObjects } = this.#options;
    const others = KUBE_KINDS.filter((kind) => kind !== RELEASE && kind !== HTTP_ROUTE).map((kind) =>
      this.#keep(this.#reflect(kind, ofUse(objects(kind)))),
    );
    await Promise.all([...others, this.#keep([this.#httpRoutes])]);
    onObjects();
    if (!this.#isClosed) await this.#keep(this.#reflect(RELEASE, releases));
  }

  #reflect(kind: string, handler: KindHandler): readonly Reflector[] {
    const { client, scope, onWatchFailed } = this.#options;
    const failed = (error: KubeError, wait: number): void => onWatchFailed(kind, withRemedy(kind, error), wait);
    const namespaces = kind === RELEASE ? watchedNamespaces(scope) : readNamespaces(scope);
    return reflectEach({ client, namespaces, pathOf: (namespace) => kindPath(kind, namespace), handler: { ...handler, failed } });
  }

  /** Whether a cluster has the kind is told anew by its definition, which nobody can watch with the rights of single namespaces. */
  #watchHttpRoutes(): OptionalKind | DescribedKind {
    const { client, scope, objects, onError, onWatchFailed } = this.#options;
    const handler = objects(HTTP_ROUTE);
    const options = {
      client,
      begin: () => this.#reflect(HTTP_ROUTE, handler),
      failed: (error: KubeError, wait: number) => onWatchFailed(HTTP_ROUTE, error, wait),
      tooOld: () => onError(`${HTTP_ROUTE}: releases need Gateway API 1.4 or newer, where rules have names; the cluster has an older one`),
    } as const;
    return scope === undefined
      ? watchHttpRoutes({ ...options, ended: () => handler.replaced([], undefined, undefined) })
      : findHttpRoutes(options);
  }

  #keep(watching: readonly Watching[]): Promise<unknown> {
    this.#reflectors.push(...watching);
    return Promise.all(watching.map(({ synced }) => synced));
  }

  /** Whether the cluster has HTTPRoutes that can be used, and all of them were read. */
  get knowsHttpRoutes(): boolean {
    return this.#httpRoutes.isKnown;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#reflectors.map((each) => each.stop()));
  }
}

/** A workload that is known to be of no use is as good as none, for istiod, too. */
function ofUse(handler: KindHandler): KindHandler {
  const isThere = (object: KubeObject): boolean => object.kind !== 'WorkloadEntry' || isHealthyWorkload(object);
  return {
    replaced: (objects, version, namespace) => handler.replaced(objects.filter(isThere), version, namespace),
    applied: (object) => (isThere(object) ? handler.applied(object) : handler.deleted(object)),
    deleted: (object) => handler.deleted(object),
  };
}

function withRemedy(kind: string, error: KubeError): KubeError {
  if (error.status !== 404) return error;
  return new KubeError(`the cluster does not know this kind: apply ${definitionsOf(kind)}`, error);
}
