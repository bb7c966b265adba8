import type { RoutePlan } from '../weave/plan.ts';
import type { CanaryReleaseSpec } from './canary-release.ts';
import type { Observed } from './observed.ts';
import type { ReleaseEvent } from './release-event.ts';
import type { ReleaseStatus } from './status.ts';

/** The release as `advance` needs it. */
export interface ReleaseInput {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly spec: CanaryReleaseSpec;
}

/** What follows from one look at the world. */
export interface Advance {
  readonly status: ReleaseStatus;
  /** Where visitors are to go; undefined: leave the base as its owner wrote it. */
  readonly routes: RoutePlan | undefined;
  readonly events: readonly ReleaseEvent[];
  /** When something changes by itself, in ms since the epoch; absent when only the world can change it. */
  readonly wakeAt?: number;
}

export type Machine = (release: ReleaseInput, status: ReleaseStatus | undefined, observed: Observed, now: number) => Advance;
