import type { ObjectRef } from '../cluster/store.ts';
import type { StoreError } from '../cluster/store-errors.ts';
import type { ExposureSummary } from '../core/evidence/exposure.ts';
import type { ExplainedTable } from '../core/routing/explanation.ts';
import type { TimelineSample, TimelineView } from '../core/view/timeline-view.ts';
import type { ListeningAddress } from '../gateway/listening-address.ts';
import type { ApiStore } from './api-store.ts';
import type { Probes } from './probe-routes.ts';
import { type Problem, problem, problemResponse } from './problem.ts';
import type { StreamSlots } from './stream-slots.ts';
import type { ClusterRoutes } from './views/cluster-routes.ts';

/** What a gateway serves. */
export interface ServedRoutes {
  readonly table: ExplainedTable;
  readonly addresses: readonly ListeningAddress[];
}

/** What the API answers from. */
export interface ApiContext extends Probes {
  readonly store: ApiStore;
  /** What was measured of a release; undefined where nothing was. */
  exposure(release: ObjectRef): ExposureSummary | undefined;
  /** What was measured of it over time; undefined likewise. */
  timeline(release: ObjectRef): TimelineView | undefined;
  /** Calls back when samples are added to a timeline, the oldest first; returns the way to stop. */
  onSamples(listener: (release: ObjectRef, samples: readonly TimelineSample[]) => void): () => void;
  /** The routes that the gateway serves, and where it listens; absent where there is no gateway, undefined where it serves none yet. */
  readonly served?: () => ServedRoutes | undefined;
  /** Compiles the routes of the store for trials, where there is no gateway; absent: anew for each trial. */
  readonly clusterRoutes?: ClusterRoutes;
  /** Calls back when the controller could not store what it decided about a release; returns the way to stop. It tries again by itself. */
  onNotStored(listener: (release: ObjectRef, error: StoreError) => void): () => void;
  /** How many event streams there may be at a time, over all callers. */
  readonly streams: StreamSlots;
  /** What an error of `store` is to who asks; undefined where it is a failure inside. */
  readonly problemOf?: (error: unknown) => Problem | undefined;
  /** Told of failures that a caller only sees as PERCH4010. */
  logError(message: string, error: unknown): void;
}

/** The answer where an object is asked for that does not exist. */
export function noSuchObject({ kind, namespace, name }: ObjectRef): Response {
  return problemResponse(problem(404, 'PERCH4005', `there is no ${kind} ${namespace}/${name}`));
}
