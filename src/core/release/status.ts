import type { Offset } from '../visitor/bucket.ts';
import type { CanaryCookie } from './canary-cookie.ts';
import type { Version } from './canary-release.ts';

/** What each means, and when it is left: docs/reference/canary-release.md. */
export type Phase = 'Pending' | 'Progressing' | 'Paused' | 'Completing' | 'Succeeded' | 'RollingBack' | 'RolledBack' | 'Superseded';

/** What can be asked of a release; whether it can be done now depends on the phase (requests.ts). */
export type RequestAction = 'promote' | 'pause' | 'resume' | 'rollback' | 'retry';

/** What a person or a pipeline asked for: the annotation `perch.dev/request`. Handled once, by its id. */
export interface ReleaseRequest {
  readonly id: string;
  readonly action: RequestAction;
  /** Only beside `promote`: to the end at once, past all steps that are left. */
  readonly full?: boolean;
  /** Self-declared. */
  readonly by: string;
}

/** A request, and what came of it. */
export interface HandledRequest extends ReleaseRequest {
  /** When it was handled. */
  readonly at: string;
  readonly outcome: 'done' | 'refused';
  readonly message: string;
}

/** kstatus-compatible (kubernetes-sigs/cli-utils pkg/kstatus): Ready, Reconciling, Stalled. */
export interface Condition {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** A release that has ended, as it was when it did. Times are ISO 8601 in UTC. */
export interface HistoryEntry {
  readonly stable: Version;
  readonly canary: Version;
  readonly revision?: number | string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: 'Succeeded' | 'RolledBack' | 'Superseded';
  /** Browsers may hold it for longer than the release lasted. */
  readonly canaryCookie?: CanaryCookie;
  /** Who asked for the rollback, or for the promotion to the end. */
  readonly by?: string;
  /** Why it was rolled back, what it was superseded by, or from which weight it was promoted to the end. */
  readonly reason?: string;
}

/** Why a release goes back, where it stood then, and who asked for it (nobody: the machine itself, or another canary in the spec). */
export interface RollbackCause {
  readonly reason: string;
  readonly weight: number;
  readonly by?: string;
}

/** Who promoted a release to its end, and from which weight in percent. */
export interface FullPromotion {
  readonly weight: number;
  readonly by: string;
}

/** How many endpoints a version has, and how many of them are ready. */
export interface EndpointCount {
  readonly version: Version;
  readonly ready: number;
  readonly total: number;
}

/** The last time that a Deployment (`namespace/name`) of a version was to be scaled, and why it was not where `failure` says so. */
export interface ScaleRecord {
  readonly version: Version;
  readonly deployment: string;
  readonly from: number;
  readonly to: number;
  readonly at: string;
  /** For a step, after success, or for a rollback. */
  readonly cause: 'step' | 'success' | 'rollback';
  /** Of the step, in percent. */
  readonly weight?: number;
  /** Id of the one that asked for the rollback. */
  readonly request?: string;
  readonly failure?: string;
}

/** The version before the live one, how many replicas it had before it was scaled down, and whether that is done. */
export interface FormerReplicas {
  readonly version: Version;
  readonly replicas: number;
  readonly isDone?: true;
}

/** What was done as `spec.scaling` asks. */
export interface ScalingStatus {
  /** Of the current or last release. */
  readonly last?: ScaleRecord;
  readonly former?: FormerReplicas;
  /** Why nothing is scaled although it should be. */
  readonly notScaled?: string;
}

/** Times are ISO 8601 in UTC with milliseconds. Weights in percent; cutoffs 0..4096. */
export interface ReleaseStatus {
  readonly phase: Phase;
  /** One sentence for people: what is, or what is missing. */
  readonly message: string;
  /** Index into spec.steps of the current step; -1 before the first. */
  readonly step: number;
  /** Which step it is on, of how many, for tables: `2 of 3`; unset where it is on none. */
  readonly progress?: string;
  readonly weight: number;
  /** Cutoff and offset come with the first start in `affinity.mode: visitor`, and go where no bucket decides (`canaryOnly`). */
  readonly cutoff?: number;
  /** What the cutoff comes to, of all buckets, for tables: `10.01 %`; unset where there is none. */
  readonly exposure?: string;
  readonly offset?: Offset;
  /** Of the current or last release, where it pins its canary's visitors only; kept so that the cookie can be expired. */
  readonly canaryCookie?: CanaryCookie;
  /** Count of releases that were started on this object. */
  readonly started: number;
  /** What all visitors get outside a release; unset until the first is known. */
  readonly liveVersion?: Version;
  /** The pair of the current or last release. */
  readonly stable?: Version;
  readonly canary?: Version;
  readonly revision?: number | string;
  readonly startedAt?: string;
  /** When the routes of this step were confirmed; unset while they are not. */
  readonly stepStartedAt?: string;
  /** When a timed hold ends; unset for manual holds and unconfirmed steps. */
  readonly holdUntil?: string;
  /** Time left of the hold, in ms, while Paused or suspended. */
  readonly holdRemainingMs?: number;
  /** Why it is Paused: a manual hold, someone asked, or the canary had no ready endpoints (`onCanaryUnavailable: pause`). */
  readonly pausedBy?: 'hold' | 'request' | 'canaryLost';
  /** Since when the canary has no ready endpoints while visitors are on it. */
  readonly canaryLostSince?: string;
  /** Since when stable has no ready endpoints: while visitors are divided, or, before a first release, although the canary has. */
  readonly stableLostSince?: string;
  /** Whether `spec.suspend` is in effect: nothing starts, nothing widens, no hold goes on. */
  readonly suspended?: true;
  /** Of the current or last release, once it rolls back or is superseded. */
  readonly rollback?: RollbackCause;
  /** Of the current or last release, where it did not go through all of its steps. */
  readonly promotion?: FullPromotion;
  /** Of the versions that count now, as last known; canary first. */
  readonly endpoints?: readonly EndpointCount[];
  readonly scaling?: ScalingStatus;
  readonly observedGeneration: number;
  readonly lastRequest?: HandledRequest;
  /** Those handled before it, newest first, at most 10: whoever posts one of them again is told what came of it. */
  readonly earlierRequests?: readonly HandledRequest[];
  /** Newest first, at most 10. */
  readonly history: readonly HistoryEntry[];
  readonly conditions: readonly Condition[];
}
