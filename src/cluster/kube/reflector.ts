import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../core/istio/resources.ts';
import { Backoff, REFLECTOR_BACKOFF } from './backoff.ts';
import { asKubeError, type KubeClient, KubeError } from './kube-client.ts';
import { isExpired, listObjects } from './list-objects.ts';

/** Who is told what the API holds. Handlers are called one after the other, and must not throw. */
export interface ReflectorHandler {
  /** All objects, in place of what was told before: at the start, and whenever changes may have been missed. `version`: of the list. */
  replaced(objects: readonly KubeObject[], version: string): void;
  /** One came, or changed. */
  applied(object: KubeObject): void;
  /** One is gone; as it was at the end. */
  deleted(object: KubeObject): void;
  /** Something failed; it is tried again after so many ms, for ever. */
  failed(error: KubeError, againInMs: number): void;
}

/** What is reflected, and for whom. */
export interface ReflectorOptions {
  readonly client: KubeClient;
  /** Of the collection: `/apis/networking.istio.io/v1/virtualservices`, or that of one namespace. */
  readonly path: string;
  readonly handler: ReflectorHandler;
  /** Only the object of this name. */
  readonly name?: string;
  /** Only what all objects have: names, labels, versions. For kinds whose objects are large, and many. */
  readonly metadataOnly?: boolean;
  /** In [0, 1). */
  readonly random?: () => number;
  /** After so long, in ms, and up to twice as long, all objects are listed once more, whatever was told of them. */
  readonly relistMs?: number;
}

/**
 * Ten hours, and up to twice as long: nothing is known to get lost, and what a watch missed against all rules would else stay so for ever. Long enough to
 * be no load: it is three lists a day of each kind at the most.
 */
const RELIST_MS = 10 * 3_600_000;
/** A watch ends by itself after 5 to 10 minutes, as client-go's, so that servers can spread them anew; the next goes on where it ended. */
const WATCH_SECONDS = 300;
/** A watch that ends sooner, in ms, and told nothing is a failure: else a server that ends each at once is asked without a pause. */
const SHORT_WATCH_MS = 1000;
/** So much later, in ms, it is ended from here: the server, or the way to it, is gone. */
const WATCH_GRACE_MS = 15_000;

interface WatchEvent {
  readonly type?: string;
  readonly object?: unknown;
}

/**
 * Keeps a handler told of all objects of one kind, with client-go's semantics (k8s.io/client-go, tools/cache/reflector.go): a list in pages, then a watch
 * with bookmarks from there; a watch that ends or breaks goes on from the last version seen; one that has expired begins with a list. Failures are waited
 * out with a jittered back-off that never gives up. Between changes nothing is asked for, but for a list every ten to twenty hours.
 */
export class Reflector {
  readonly #options: Required<Omit<ReflectorOptions, 'name'>>;
  readonly #selector: Readonly<Record<string, string>>;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #ended: Promise<void>;
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: ReflectorOptions) {
    this.#options = { random: Math.random, metadataOnly: false, relistMs: RELIST_MS, ...options };
    this.#selector = options.name === undefined ? {} : { fieldSelector: `metadata.name=${options.name}` };
    this.#backoff = new Backoff({ ...REFLECTOR_BACKOFF, random: this.#options.random, now: () => performance.now() });
    this.#ended = this.#run();
  }

  /** Resolves once the handler has all objects for the first time. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Resolves once nothing of it goes on. */
  stop(): Promise<void> {
    this.#stop.abort();
    return this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    // Undefined: the next thing is a list.
    let version: string | undefined;
    let relistAt = 0;
    while (!signal.aborted) {
      try {
        if (version === undefined || performance.now() >= relistAt) {
          version = await this.#list();
          relistAt = performance.now() + this.#options.relistMs * (1 + this.#options.random());
        }
        version = await this.#watch(version);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ReflectionBroken)) throw error;
        version = error.version;
        const wait = this.#backoff.afterFailure(error.cause.retryAfterMs);
        this.#options.handler.failed(error.cause, wait);
        await sleep(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Tells of all objects; resolves with the version from which to watch. */
  async #list(): Promise<string> {
    try {
      const { client, path } = this.#options;
      const request = { signal: this.#stop.signal, accept: this.#accept('PartialObjectMetadataList') };
      const { objects, version } = await listObjects(client, path, request, this.#selector);
      this.#options.handler.replaced(objects, version);
      this.#synced.resolve();
      return version;
    } catch (error) {
      throw new ReflectionBroken(asError(error), undefined);
    }
  }

  /** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
  #accept(kind: string): string {
    return this.#options.metadataOnly ? `application/json;as=${kind};g=meta.k8s.io;v=v1` : 'application/json';
  }

  /** Tells of changes until the watch ends; resolves with the version from which the next one goes on. */
  async #watch(from: string): Promise<string> {
    const { client, path, handler, random } = this.#options;
    let version = from;
    let events = 0;
    const began = performance.now();
    try {
      const seconds = Math.floor(WATCH_SECONDS * (1 + random()));
      const query = new URLSearchParams({
        ...this.#selector,
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(seconds),
      });
      const end = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(seconds * 1000 + WATCH_GRACE_MS)]);
      for await (const line of client.lines(`${path}?${query}`, end, this.#accept('PartialObjectMetadata'))) {
        events += 1;
        const { type, object } = line as WatchEvent;
        if (type === 'ERROR') throw asKubeError(object);
        const changed = object as KubeObject & { readonly metadata: { readonly resourceVersion?: string } };
        if (type === 'ADDED' || type === 'MODIFIED') handler.applied(changed);
        else if (type === 'DELETED') handler.deleted(changed);
        version = changed.metadata.resourceVersion ?? version;
      }
      if (events === 0 && performance.now() - began < SHORT_WATCH_MS) throw new KubeError(`${path}: a watch ended at once`, { status: 0 });
      return version;
    } catch (error) {
      throw new ReflectionBroken(asError(error), isExpired(error) ? undefined : version);
    }
  }
}

/** What stopped a list or a watch, and from which version to go on; undefined: from a list. */
class ReflectionBroken extends Error {
  override readonly cause: KubeError;
  readonly version: string | undefined;

  constructor(cause: KubeError, version: string | undefined) {
    super(cause.message, { cause });
    this.cause = cause;
    this.version = version;
  }
}

function asError(error: unknown): KubeError {
  return error instanceof KubeError ? error : new KubeError(error instanceof Error ? error.message : String(error), { status: 0 });
}
