import type { z } from 'zod';
import type { StoredObject } from '../cluster/store.ts';
import type { ExposureSummary } from '../core/evidence/exposure.ts';
import type { KubeObject, ObjectMeta } from '../core/istio/resources.ts';
import type { API_VERSION, canaryReleaseSpec, KIND } from '../core/release/canary-release.ts';
import type { RecordedEvent } from '../core/release/release-event.ts';
import type { ReleaseStatus } from '../core/release/status.ts';

/** What the API adds to an object's metadata, with Kubernetes' names. Times are ISO 8601 in UTC. */
export interface ViewMeta extends ObjectMeta {
  readonly namespace: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  /** Set while a deletion is under way. */
  readonly deletionTimestamp?: string;
}

/** An object as the API shows it. */
export interface ObjectView extends KubeObject {
  readonly metadata: ViewMeta;
}

/** A release as the API shows it: the resource as it was applied, where it stands, and who has seen it. */
export interface ReleaseView extends ObjectView {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  /** As applied: before defaults. */
  readonly spec: z.input<typeof canaryReleaseSpec>;
  /** Absent until the controller has seen the release. */
  readonly status?: ReleaseStatus;
  /** Absent where nothing was measured yet. */
  readonly exposure?: ExposureSummary;
}

function viewMeta(stored: StoredObject, object: KubeObject): ViewMeta {
  const { generation, createdAt, deletionRequestedAt } = stored;
  return {
    ...object.metadata,
    namespace: stored.ref.namespace,
    generation,
    creationTimestamp: createdAt,
    ...(deletionRequestedAt === undefined ? {} : { deletionTimestamp: deletionRequestedAt }),
  };
}

/** An object as it is served (default: with releases woven in) or as its owner applied it. */
export function objectView(stored: StoredObject, view: 'served' | 'base'): ObjectView {
  const object = stored[view];
  return { ...object, metadata: viewMeta(stored, object), ...(stored.status === undefined ? {} : { status: stored.status }) };
}

/** A stored CanaryRelease with what was measured of it. */
export function releaseView(stored: StoredObject, exposure: ExposureSummary | undefined): ReleaseView {
  const { base, status } = stored;
  return {
    ...base,
    metadata: viewMeta(stored, base),
    ...(status === undefined ? {} : { status }),
    ...(exposure === undefined ? {} : { exposure }),
    // The store admits a CanaryRelease only with a valid spec.
  } as ReleaseView;
}

/** A page of what happened to a release, as the API gives it. */
export interface HistoryView {
  /** Newest first. */
  readonly items: readonly RecordedEvent[];
  /** What `before` has to be for the next page; absent where this is the last. */
  readonly next?: number;
}

/** The first `limit` of these events, newest first; there is a next page where there are more of them. */
export function historyView(events: readonly RecordedEvent[], limit: number): HistoryView {
  const items = events.slice(0, limit);
  const last = items.at(-1);
  return events.length > limit && last !== undefined ? { items, next: last.id } : { items };
}
