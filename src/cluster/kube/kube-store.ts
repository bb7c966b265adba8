import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { Listeners } from '../listeners.ts';
import { refOf, refText } from '../manifest.ts';
import type { ObjectRef, ReleaseCommit, ReleaseStore, RouteChange, Serving } from '../store.ts';
import { AdmittedReleases } from './admitted-releases.ts';
import { clusterAdmission, type ReferenceGrant } from './cluster-admission.ts';
import { EnvoySync, type EnvoySyncOptions } from './envoy-sync.ts';
import { FencedWriter } from './fenced-writer.ts';
import { type KindHandler, KindWatches, type WatchFailed } from './kind-watches.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { type KubeEvent, writeEvents } from './kube-events.ts';
import { type ApiObject, FINALIZER } from './kube-object.ts';
import { isRead, type NamespaceScope } from './namespace-scope.ts';
import { ObjectCache } from './object-cache.ts';
import { RefusalNotes } from './refusal-notes.ts';
import { RouteCustody } from './route-custody.ts';
import { MOST_ROUTE_BYTES } from './route-writes.ts';
import { SparingTask } from './sparing-task.ts';
import { replacing, type WriteRequest, withFinalizers, writeQuery } from './write-request.ts';

/** Which apiserver, and what it takes for granted. */
export interface KubeStoreOptions {
  readonly client: KubeClient;
  readonly scope?: NamespaceScope | undefined;
  /** Which releases may name what is in other namespaces; none where absent. */
  readonly grants?: readonly ReferenceGrant[] | undefined;
  /** Asked before each write: whether this process may. */
  readonly mayWrite: () => boolean;
  /** Names this process in the Events that it writes. */
  readonly instance: string;
  /** How it is told that the Envoys have a change of routes. */
  readonly envoys: Omit<EnvoySyncOptions, 'onServed'>;
  readonly onError: (message: string, error?: unknown) => void;
  readonly onWatchFailed: WatchFailed;
}

/** The store of a cluster: what the API holds, watched; what the controller writes goes there and nowhere else. */
export interface KubeStore extends ReleaseStore {
  /** Resolves once all kinds were read for the first time. */
  readonly synced: Promise<void>;
  /** Says of all releases that are refused why: for who begins to lead. */
  announce(): void;
  /** The releases that are not gone by as they are. */
  refused(): readonly ObjectRef[];
  /** Breaks off what is being written: for who does not lead any more. */
  breakOff(): void;
  /** Resolves once all Events about what was written so far are told, or could not be. */
  told(): Promise<void>;
  close(): Promise<void>;
}

/** Kinds that may stand in the way of a release. */
const CLAIMED: ReadonlySet<string> = new Set([RELEASE, 'VirtualService', HTTP_ROUTE]);

/** Begins to watch at once. */
export function openKubeStore(options: KubeStoreOptions): KubeStore {
  return new WatchedStore(options);
}

class WatchedStore implements KubeStore {
  readonly mostRouteBytes = MOST_ROUTE_BYTES;
  readonly keepsUntilServed = true;
  readonly #options: KubeStoreOptions;
  readonly #cache: ObjectCache;
  readonly #admitted: AdmittedReleases;
  readonly #refusals: RefusalNotes;
  readonly #lookAgain = new SparingTask(() => this.#admitted.lookAgain());
  readonly #watches: KindWatches;
  readonly synced: Promise<void>;
  readonly #custody: RouteCustody;
  readonly #served: Listeners<[]>;
  readonly #envoys: EnvoySync;
  /** VirtualServices as they were last seen. */
  readonly #seen = new Map<string, KubeObject>();
  /** Until then it is not known since when VirtualServices are as they are. */
  #knowsRoutes = false;
  readonly #writer: FencedWriter;
  #recording = Promise.resolve();

  constructor(options: KubeStoreOptions) {
    this.#options = options;
    this.#writer = new FencedWriter(options);
    const onListenerError = (error: unknown) => options.onError('a listener failed', error);
    this.#cache = new ObjectCache(onListenerError);
    this.#served = new Listeners(onListenerError);
    this.#custody = new RouteCustody({
      ...options,
      client: this.#writer,
      cache: this.#cache,
      send: (write) => this.#send(write),
      warn: (release, event) => this.#recordLater(release, [event]),
    });
    this.#envoys = new EnvoySync({ ...options.envoys, onServed: () => this.#served.notify() });
    this.#cache.changed.add((refs) => {
      for (const ref of refs) if (ref.kind === 'VirtualService' || ref.kind === HTTP_ROUTE) this.#see(ref);
    });
    this.#admitted = new AdmittedReleases({
      admission: clusterAdmission(options.grants ?? []),
      known: () => this.#cache.list(),
      admit: (object) => this.#cache.applied(object),
      get: (ref) => this.#cache.get(ref),
      onRefused: (ref) => this.#refusals.add(ref),
    });
    this.#refusals = new RefusalNotes({
      refused: (ref) => this.#admitted.refused(ref),
      mayWrite: options.mayWrite,
      now: () => options.client.now(),
      writeStatus: (object, status) => this.#send(replacing({ ...object, status }, '/status')),
      writeEvent: (object, event) => this.#record(object, [event]),
      onError: options.onError,
    });
    this.#watches = new KindWatches({
      ...options,
      objects: (kind) => this.#cached(kind),
      releases: this.#admittedReleases(),
      onObjects: () => {
        this.#knowsRoutes = true;
      },
    });
    this.synced = this.#watches.synced.then(() => this.#begin());
  }

  #cached(kind: string): KindHandler {
    return {
      replaced: (objects, version, namespace) => this.#cache.replaced({ kind, namespace }, objects, version),
      applied: (object) => {
        this.#cache.applied(object);
        this.#custody.seen(refOf(object));
      },
      deleted: (object) => this.#cache.deleted(object),
    };
  }

  #admittedReleases(): KindHandler {
    return {
      replaced: (objects, version, namespace) => {
        this.#cache.keepOnly({ kind: RELEASE, namespace }, objects, version);
        this.#admitted.replaced(objects, namespace);
      },
      applied: (object) => this.#admitted.applied(object),
      deleted: (object) => {
        this.#admitted.deleted(object);
        this.#cache.deleted(object);
      },
    };
  }

  #begin(): void {
    this.#cache.changed.add((refs) => {
      if (this.#admitted.count > 0 && refs.some(({ kind }) => CLAIMED.has(kind))) this.#lookAgain.ask();
    });
  }

  isRead(namespace: string, kind?: string): boolean {
    return isRead(this.#options.scope, namespace) && (kind !== HTTP_ROUTE || this.#watches.knowsHttpRoutes);
  }

  revision(): number {
    return this.#cache.revision;
  }

  async get(ref: ObjectRef): ReturnType<ReleaseStore['get']> {
    return this.#cache.get(ref);
  }

  async list(kind?: string, namespace?: string): ReturnType<ReleaseStore['list']> {
    const all = this.#cache.list();
    if (kind === undefined && namespace === undefined) return all;
    return all.filter(({ ref }) => (kind === undefined || ref.kind === kind) && (namespace === undefined || ref.namespace === namespace));
  }

  watch(listener: (refs: readonly ObjectRef[], revision: number) => void): () => void {
    return this.#cache.changed.add(listener);
  }

  serving(refs: readonly ObjectRef[]): Serving | undefined {
    // Each is asked for: none waits for another one.
    const all = refs.map((ref) => this.#envoys.serving(ref));
    const servings = all.filter((serving) => serving !== undefined);
    if (servings.length < all.length) return undefined;
    return servings.find(({ isDoubtful }) => isDoubtful === true) ?? servings[0] ?? {};
  }

  onServed(listener: () => void): () => void {
    return this.#served.add(listener);
  }

  async close(): Promise<void> {
    this.#refusals.stop();
    await this.#lookAgain.stop();
    await this.#envoys.close();
    await this.#watches.close();
  }

  async commit(
    release: ObjectRef,
    { status, routes = [], events = [], remove = false }: ReleaseCommit,
    ifRevision: number,
  ): Promise<boolean> {
    const isAsRead = ({ ref, isNew }: RouteChange): boolean =>
      isNew === true ? this.#cache.get(ref) === undefined : this.#isCurrent(ref, ifRevision);
    if (!this.#isCurrent(release, ifRevision) || !routes.every(isAsRead)) return false;
    try {
      // Made now: what is told of on the way is not what this was decided by, and must not be written over.
      const writes = routes.map((route) => this.#custody.prepare(route, release));
      let object = this.#raw(release);
      // Whoever deletes the release from here on has to wait until it has left its routes.
      if (routes.length > 0 && !remove) object = await this.#hold(object);
      if (status !== undefined) object = await this.#send(replacing({ ...object, status }, '/status'));
      // The status tells it from now on, whatever becomes of the routes.
      if (!remove) this.#recordLater(object, events);
      for (const write of writes) await write();
      if (remove) {
        await this.#letGo(object);
        this.#recordLater(object, events);
      }
      return true;
    } catch (error) {
      // Somebody else was faster: what there is now is told, and looked at again.
      if (error instanceof KubeError && (error.status === 409 || error.status === 404)) return false;
      throw error;
    }
  }

  #isCurrent(ref: ObjectRef, ifRevision: number): boolean {
    return (this.#cache.get(ref)?.revision ?? Number.POSITIVE_INFINITY) <= ifRevision;
  }

  async #hold(release: ApiObject): Promise<ApiObject> {
    const { finalizers = [], deletionTimestamp } = release.metadata;
    if (finalizers.includes(FINALIZER) || deletionTimestamp !== undefined) return release;
    return await this.#send(withFinalizers(release, [...finalizers, FINALIZER]));
  }

  async #letGo(release: ApiObject): Promise<void> {
    const { finalizers = [] } = release.metadata;
    await this.#send(
      withFinalizers(
        release,
        finalizers.filter((each) => each !== FINALIZER),
      ),
    );
  }

  /** Resolves with the object as it is now. */
  async #send(write: WriteRequest): Promise<ApiObject> {
    const { path, force: _, ...request } = write;
    const written = (await this.#writer.request(`${path}${writeQuery(write)}`, request)) as ApiObject;
    this.#take(written);
    return written;
  }

  #take(written: ApiObject): void {
    // The last finalizer gone, the object is, too: the watch tells.
    if (written.metadata.deletionTimestamp !== undefined && (written.metadata.finalizers ?? []).length === 0) return;
    if (written.kind === RELEASE) this.#admitted.applied(written);
    else this.#cache.written(written);
  }

  #raw(ref: ObjectRef): ApiObject {
    const raw = this.#cache.raw(ref);
    if (raw === undefined) throw new KubeError(`${refText(ref)} is gone`, { status: 404, reason: 'NotFound' });
    return raw;
  }

  announce(): void {
    this.#admitted.tellAgain();
    this.#custody.begin();
  }

  refused(): readonly ObjectRef[] {
    return this.#admitted.allRefused();
  }

  warn(release: ObjectRef, warning: Pick<KubeEvent, 'at' | 'reason' | 'message'>): void {
    const raw = this.#cache.raw(release);
    // The same of the same release is the same Event, whoever tells it.
    if (raw !== undefined && this.#options.mayWrite()) this.#recordLater(raw, [{ ...warning, type: 'Warning', key: warning.message }]);
  }

  restOf(ref: ObjectRef): number {
    return this.#custody.restOf(ref);
  }

  breakOff(): void {
    this.#writer.breakOff();
  }

  async told(): Promise<void> {
    await this.#recording;
  }

  /** One after the other, behind everything else: of a burst of changes the apiserver has to see to the changes first. */
  #recordLater(release: ApiObject, events: readonly KubeEvent[]): void {
    if (events.length > 0) this.#recording = this.#recording.then(() => this.#record(release, events));
  }

  async #record(release: ApiObject, events: readonly KubeEvent[]): Promise<void> {
    await writeEvents({ ...this.#options, client: this.#writer }, release, events);
  }

  #see(ref: ObjectRef): void {
    const key = refText(ref);
    const former = this.#seen.get(key);
    const served = this.#cache.get(ref)?.served;
    if (served === undefined) {
      this.#seen.delete(key);
      this.#envoys.removed(ref);
    } else if (served !== former) {
      this.#seen.set(key, served);
      this.#envoys.changed(ref, former, served, !this.#knowsRoutes);
    }
  }
}
