import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { RecordedEvent, ReleaseEvent } from '../core/release/release-event.ts';
import type { ReleaseRequest, ReleaseStatus } from '../core/release/status.ts';

/** Names one object. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** An object with what the store knows about it. */
export interface StoredObject {
  readonly ref: ObjectRef;
  /** As its owner applied it. */
  readonly base: KubeObject;
  /** As it is served: the base, or the base with releases woven in. */
  readonly served: KubeObject;
  /** Grows with each change of the base's spec. */
  readonly generation: number;
  /** The store's revision at the object's last change of any kind. */
  readonly revision: number;
  readonly createdAt: string;
  /** CanaryRelease only. */
  readonly status?: ReleaseStatus;
  /** CanaryRelease only: the last request that was posted, handled or not. */
  readonly request?: ReleaseRequest;
  /** Set once deletion was asked for; the controller un-weaves, then removes. */
  readonly deletionRequestedAt?: string;
  /** Only beside it: destinations go back to where the base has them, not to the live version. */
  readonly deletionRestoresBase?: true;
}

/** What an apply did to one object: `unchanged` where its base was the same already, `pruned` where its source names it no longer. */
export interface ApplyOutcome {
  readonly ref: ObjectRef;
  readonly result: 'created' | 'configured' | 'unchanged' | 'pruned';
}

/** Either everything was applied, or nothing was and the diagnostics say why. */
export type ApplyResult =
  | { readonly ok: true; readonly outcomes: readonly ApplyOutcome[]; readonly revision: number; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What becomes of a deletion that was asked for; `absent`: there is no such object. */
export type DeletionResult =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] };

/** How a routing object is to be stored. */
export interface RouteChange {
  readonly ref: ObjectRef;
  /** As it is to be served; undefined: as its base says. */
  readonly served: KubeObject | undefined;
  /** Replaces the base, or is the first one of an object that is new. */
  readonly base?: KubeObject;
  /** The object is created; it needs a base. Where one of that name exists, the commit fails. */
  readonly isNew?: true;
}

/** Which events of a release to read. */
export interface HistoryPage {
  /** How many at most. */
  readonly limit: number;
  /** Only those before the event of this id. */
  readonly before?: number;
}

/** What the controller writes for one release: one transaction, or nothing. */
export interface ReleaseCommit {
  readonly status?: ReleaseStatus;
  readonly routes?: readonly RouteChange[];
  /** What happened: recorded exactly if the rest is written. */
  readonly events?: readonly ReleaseEvent[];
  /** Removes the release itself: the last act of a deletion. */
  readonly remove?: boolean;
}

/** That the data plane serves something. */
export interface Serving {
  /** How that is known, in a few words for people; absent where the data plane itself says so. */
  readonly how?: string;
  /** Whether something speaks against it, and it is not waited for any longer. */
  readonly isDoubtful?: true;
}

/** What of a store the controller needs, wherever objects live. Reads give snapshots. */
export interface ReleaseStore {
  /** Whether objects of a namespace are known, and those of a kind that a cluster need not have; absent: all are. */
  isRead?(namespace: string, kind?: string): boolean;
  /** Grows with every write. */
  revision(): number;
  get(ref: ObjectRef): Promise<StoredObject | undefined>;
  /**
   * In order of creation. Objects are compared by identity to look only at what changed: an adapter that gives the same list until something
   * changes, the same object until that changes, and the same `ref` from its creation to its removal, and never longer, spares its readers
   * everything else.
   */
  list(kind?: string, namespace?: string): Promise<readonly StoredObject[]>;
  /** Called after each write, before its promise resolves, with the refs it changed, in order of revisions; returns the way to stop. */
  watch(listener: (refs: readonly ObjectRef[], revision: number) => void): () => void;
  /**
   * Fails (false), writing nothing, if the release or an object of `routes` changed, came or went after `ifRevision`: the store's
   * revision when the caller began to read what the change rests on. Where no transaction can hold it all (Kubernetes), the status comes first,
   * then the routes, and it fails with what was written until then: the next pass goes by that status, and makes the same routes.
   */
  commit(release: ObjectRef, change: ReleaseCommit, ifRevision: number): Promise<boolean>;
  /**
   * How it is known that the data plane serves these objects as they are; undefined while it is not. `revision`: the store's at the last change of any of
   * them.
   */
  serving(refs: readonly ObjectRef[], revision: number): Serving | undefined;
  /** Told whenever objects that were asked for may be served. */
  onServed(listener: () => void): () => void;
  /**
   * Whether a release that is deleted is kept until the data plane serves its routes without it. Absent where one process is all: there it leaves and goes
   * in one commit, and whoever asked for the deletion waits for the gateway.
   */
  readonly keepsUntilServed?: true;
  /**
   * Records something that speaks against a release and comes with no commit of it: once, whoever says it again. Absent where nobody would look for it in
   * the store.
   */
  warn?(release: ObjectRef, warning: Pick<ReleaseEvent, 'at' | 'message'> & { readonly reason: string }): void;
  /** For how many ms a routing object is better not written, since somebody else writes it again and again; absent where nobody can. */
  restOf?(ref: ObjectRef): number;
  /** Bytes that a routing object may have as JSON; absent where any is taken. */
  readonly mostRouteBytes?: number;
}

/** What telling what is stored takes of a store. */
export type ObjectLists = Pick<ReleaseStore, 'revision' | 'list' | 'isRead' | 'mostRouteBytes'>;

/**
 * Where objects live: SQLite on one machine, kube-apiserver in a cluster. One shared suite of cases
 * (store.cases.ts) holds every adapter to the same behaviour.
 * Reads give snapshots; writes are atomic and durable when their promise resolves.
 */
export interface Store extends ReleaseStore {
  /**
   * Applies objects as `source` ("files", "api"). An object equal to what this source last applied is unchanged, whatever others
   * did since. Whoever deletes an object makes every source forget it: what is applied afterwards is created anew, and a release that
   * still waits for its deletion is kept. While a release is woven in, a changed base is stored and the served view stays until the
   * next commit. `prune` deletes what this source applied before and no longer names. `by`: who asks, for the history; default: the source.
   */
  apply(source: string, objects: readonly KubeObject[], options?: { readonly prune?: boolean; readonly by?: string }): Promise<ApplyResult>;
  /**
   * Routing objects go at once, unless a release owns them: that is refused. A CanaryRelease is marked, and the controller un-weaves it
   * first, to the live version or, with `restoreBase`, to where the bases lead; asking again changes which of the two. `by`: who asks,
   * for the history.
   */
  requestDeletion(ref: ObjectRef, options?: { readonly restoreBase?: boolean; readonly by?: string }): Promise<DeletionResult>;
  /** Puts the annotation perch.dev/request on a release; the same id again is no change. False: there is none, or a pending rollback stands. */
  postRequest(ref: ObjectRef, request: ReleaseRequest): Promise<boolean>;
  /**
   * What happened to a release, newest first, also of one that was deleted: the events of commits, and what was asked for (applies that
   * created it or changed its spec, deletions, requests), each recorded with what it tells of in one write. Bounded: core/release/release-event.ts.
   * In a cluster these are Events of the object (events.k8s.io/v1), which outlive it; where the cluster has dropped them, what is left is
   * `status.history`.
   */
  history(release: ObjectRef, page: HistoryPage): Promise<readonly RecordedEvent[]>;
  /** The data plane says which revision it serves. */
  markServed(revision: number): void;
  /** That revision; 0 where it has said nothing. */
  servedRevision(): number;
  onServed(listener: (revision: number) => void): () => void;
  close(): Promise<void>;
}
