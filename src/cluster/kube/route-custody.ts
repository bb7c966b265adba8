import { ownerOf } from '../../core/release/ownership.ts';
import { releasesInRoute } from '../../core/weave-http-route/woven-route.ts';
import { refText, sameJson } from '../manifest.ts';
import type { ObjectRef, RouteChange } from '../store.ts';
import { BaseRecords } from './base-records.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { KubeEvent } from './kube-events.ts';
import type { ApiObject } from './kube-object.ts';
import { kindPath } from './kube-resources.ts';
import { ownedSpecFields, writersOf } from './managed-fields.ts';
import type { NamespaceScope } from './namespace-scope.ts';
import type { ObjectCache, WrittenOver } from './object-cache.ts';
import { Rewrites } from './rewrites.ts';
import { RouteWriter } from './route-writer.ts';
import { isRouteKind, wovenField } from './route-writes.ts';
import type { WriteRequest } from './write-request.ts';

/** What is known of the cluster, and who writes and tells. */
interface RouteCustodyOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly cache: ObjectCache;
  /** Absent: all namespaces. In those that are only read, nothing is written. */
  readonly scope?: NamespaceScope | undefined;
  /** Whether this process may write. */
  readonly mayWrite: () => boolean;
  /** Resolves with the object as it is then. */
  readonly send: (write: WriteRequest) => Promise<ApiObject>;
  /** Tells of releases what somebody has to see to. */
  readonly warn: (release: ApiObject, event: KubeEvent) => void;
  readonly onError: (message: string, error?: unknown) => void;
}

/**
 * Takes care of VirtualServices that others write, too: which fields Perch owns, who writes a base again and again, and what the base was. Whatever Perch
 * owns it gives up once nothing of it is in the object.
 */
export class RouteCustody {
  readonly #options: RouteCustodyOptions;
  readonly #writer: RouteWriter;
  readonly #records: BaseRecords;
  readonly #rewrites = new Rewrites(() => performance.now());

  constructor(options: RouteCustodyOptions) {
    this.#options = options;
    const { cache } = options;
    this.#writer = new RouteWriter({ ...options, isHeld: (ref) => this.#isHeld(ref) });
    this.#records = new BaseRecords(options);
    cache.writtenOver.add((change) => this.#noteRewrite(change));
    cache.changed.add((refs) => {
      for (const ref of refs) if (isRouteKind(ref.kind)) this.#lookAt(ref);
    });
  }

  /** This process leads from now on: it sees to what the one before left undone. */
  begin(): void {
    this.#records.reset();
    for (const { ref } of this.#options.cache.list().filter((each) => isRouteKind(each.ref.kind))) {
      this.#lookAt(ref);
      this.seen(ref);
    }
  }

  /**
   * The write that makes an object what a release wants, in place of the one that is known now: what is told of until it is sent is not what it was
   * decided by. It fails with a KubeError of status 409 or 404 where there is another one by then.
   */
  prepare({ ref, served, base, isNew }: RouteChange, release: ObjectRef): () => Promise<void> {
    const { cache, send } = this.#options;
    const [key, declared, object] = [refText(ref), base ?? cache.get(ref)?.base, cache.raw(ref)];
    // Only rules are woven: what else the object is to be, its base says.
    const wanted = served === undefined || declared === undefined ? (served ?? declared) : { ...served, metadata: declared.metadata };
    if (wanted === undefined) throw new Error(`${key} is to be written, and nothing is said of how`);
    if (isNew === true) {
      const { creationTimestamp: _, ...metadata } = (wanted as ApiObject).metadata;
      return async () => void (await send({ path: kindPath(ref.kind, ref.namespace), method: 'POST', body: { ...wanted, metadata } }));
    }
    if (object === undefined) throw new KubeError(`${key} is gone`, { status: 404, reason: 'NotFound' });
    return async () => {
      await this.#writer.write(object, wanted, (message) => {
        this.#rewrites.takenBack(key);
        this.#warn([release], 'TakenBack', message, key);
      });
      this.seen(ref);
    };
  }

  /** An object may be such that Perch has no business in it any more. */
  seen(ref: ObjectRef): void {
    const raw = isRouteKind(ref.kind) && this.#mayWrite(ref) ? this.#options.cache.raw(ref) : undefined;
    if (raw !== undefined) void this.#writer.tidy(raw);
  }

  /** For how many ms it is better left as it is. */
  restOf(ref: ObjectRef): number {
    return this.#rewrites.restOf(refText(ref));
  }

  #mayWrite({ namespace }: ObjectRef): boolean {
    const { scope, mayWrite } = this.#options;
    return mayWrite() && (scope === undefined || scope.watched.includes(namespace));
  }

  /** Whether something of Perch is in it. */
  #isHeld(ref: ObjectRef): boolean {
    const stored = this.#options.cache.get(ref);
    return stored !== undefined && (ownerOf(stored.base) !== undefined || releasesInRoute(stored.served).length > 0);
  }

  /** The base of an object that a release owns is in that release. */
  #lookAt(ref: ObjectRef): void {
    const { cache } = this.#options;
    const [stored, raw] = [cache.get(ref), cache.raw(ref)];
    if (stored === undefined || raw === undefined) {
      this.#rewrites.forget(refText(ref));
      this.#records.forget(ref);
    } else if (releasesInRoute(stored.served).length > 0 && ownerOf(stored.base) === undefined && this.#mayWrite(ref)) {
      this.#records.keep(stored, raw);
    }
  }

  /** In an object that a release owns it is taken back, and told then. */
  #noteRewrite({ former, stored, raw, releases }: WrittenOver): void {
    if (ownerOf(stored.base) !== undefined) return;
    const field = wovenField(stored.ref.kind);
    const [manager] = writersOf(raw, field);
    // This process's own write, of which the watch told first; or one whose author the cluster does not keep.
    if (manager === undefined || ownedSpecFields(raw).includes(field)) return;
    const key = refText(stored.ref);
    const message = this.#rewrites.note({ key, manager, isSameBase: sameJson(former.base.spec, stored.base.spec) });
    if (message !== undefined) this.#warn(releases, 'WrittenOver', message, key);
  }

  /** The same is told once in a contest over an object. */
  #warn(releases: readonly ObjectRef[], reason: string, message: string, key: string): void {
    const { cache, mayWrite, warn } = this.#options;
    if (!mayWrite() || !this.#rewrites.isNews(key, message)) return;
    const event = { at: new Date().toISOString(), type: 'Warning', reason, message } as const;
    for (const raw of releases.flatMap((release) => cache.raw(release) ?? [])) warn(raw, event);
  }
}
