import type { ApplyOutcome, ObjectRef } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import type { RouteTrialView } from '../core/view/route-trial-view.ts';
import type { HistoryView, ObjectView, ReleaseView } from '../server/release-resource.ts';
import type { AskedTrial } from '../server/views/trial-request.ts';
import type { Invocation } from './invocation.ts';

/** What an apply did. */
export interface ApplyAnswer {
  readonly outcomes: readonly ApplyOutcome[];
  readonly warnings: readonly Diagnostic[];
}

/** Who applies, and how. */
export interface ApplyOptions {
  readonly by: string;
  /** Fields that others manage are taken over; only in a cluster. */
  readonly force?: boolean;
}

/** What became of a request: `pending` where its outcome was not there in time. */
export interface RequestAnswer {
  readonly id: string;
  readonly state: 'done' | 'pending';
  readonly message: string | undefined;
  /** Why it is pending, in a sentence, as far as that is known. */
  readonly note?: string;
}

/** Objects as their owners applied them, as far as whoever asks may read them. */
export interface ReadableObjects {
  readonly objects: readonly ObjectView[];
  /** What may be missing among them, in a clause; absent where nothing is. */
  readonly hidden?: string;
}

/** What weaving says of releases, each with its own; `unknown`: why it cannot be told, in a clause. */
export type ReleaseFindings =
  | { readonly kind: 'known'; readonly findings: readonly (readonly Diagnostic[])[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** What is told of releases that are followed. */
export type ReleaseChange =
  /** All that there are, in place of what was told before. */
  | { readonly kind: 'all'; readonly releases: readonly ReleaseView[] }
  /** One came, or changed. */
  | { readonly kind: 'changed'; readonly release: ReleaseView }
  | { readonly kind: 'deleted'; readonly namespace: string; readonly name: string };

/**
 * What commands ask of where releases live: an embedded runtime (`ApiClient`) or a cluster (`ClusterClient`). One suite of cases
 * (release-client.cases.ts) holds both to the same behaviour. Every call throws CommandError where there is no answer or one may not ask, and ApiProblem
 * where the call is refused.
 */
export interface ReleaseClient {
  readonly invocation: Invocation;
  /** Whether it counts visitors: what does not shows no figures. */
  readonly counts: boolean;
  /** Those of a namespace, or of all; in order of creation. */
  releases(namespace: string | undefined): Promise<readonly ReleaseView[]>;
  /** Undefined where there is no such release. */
  release(namespace: string, name: string): Promise<ReleaseView | undefined>;
  /** What weaving says of each release and the objects that it is woven into; nothing where there is no such release. */
  findings(releases: readonly Omit<ObjectRef, 'kind'>[]): Promise<ReleaseFindings>;
  /** The newest events of a release, at most `limit` (1 to 200), also of one that was deleted. Undefined where nothing is known of it. */
  history(namespace: string, name: string, limit: number): Promise<HistoryView | undefined>;
  /** Without namespace, those of all namespaces. */
  objects(kind: string, namespace: string | undefined, view: 'served' | 'base'): Promise<readonly ObjectView[]>;
  /** Undefined where there is no such object. */
  object(ref: ObjectRef, view: 'served' | 'base'): Promise<ObjectView | undefined>;
  /** Those of a kind, or of all, of every namespace where that may be read, else of `namespaces`. */
  readable(kind: string | undefined, namespaces: readonly string[]): Promise<ReadableObjects>;
  /** Namespaces that may hold something; for completion. */
  namespaces(): Promise<readonly string[]>;
  /** Nothing is applied where one of the objects has a mistake. */
  apply(objects: readonly KubeObject[], options: ApplyOptions): Promise<ApplyAnswer>;
  /** False where there is no such object. A release is only marked: it goes once its routes were taken out. */
  remove(ref: ObjectRef, by: string): Promise<boolean>;
  /** As `remove` of a release, but its routes go back to where their owner had sent them. */
  restoreBase(namespace: string, name: string, by: string): Promise<boolean>;
  /** Posts a request to a release and waits for its outcome for at most `waitMs`; the same `id` is never handled twice. Undefined where there is no such release. */
  request(namespace: string, name: string, request: ReleaseRequest, waitMs: number): Promise<RequestAnswer | undefined>;
  /** Tells of releases until `signal` aborts; what is lost on the way ends it, with an error or without. Begins with all that there are. */
  follow(namespace: string | undefined, signal: AbortSignal): AsyncIterable<ReleaseChange>;
  /** Comes whenever objects of a kind may have changed, at most each second, until `signal` aborts; what is lost on the way ends it, with an error or without. */
  changes(kind: string, namespace: string | undefined, signal: AbortSignal): AsyncIterable<unknown>;
  /**
   * Where a request would go on the routes that are served, and why; nothing is sent. In a cluster: on those of every namespace where they may be read, else of
   * `namespaces`.
   */
  tryRequest(asked: AskedTrial, namespaces: readonly string[]): Promise<RouteTrialView>;
  /** Why nothing may happen to releases, in a clause, as far as that is known. */
  standstill(): Promise<string | undefined>;
}
