import type { CanaryReleaseSpec, Version } from './canary-release.ts';
import { asksForNewRelease } from './change.ts';
import { isSettled, isUnderWay } from './phase.ts';
import { handledRequest } from './requests.ts';
import { scaleDownAt } from './scale-down.ts';
import type { ReleaseRequest, ReleaseStatus } from './status.ts';

/** Whether a version can take traffic now; `undefined`: not known yet. `reason` says what is missing, for people. */
export interface VersionReadiness {
  readonly ready: boolean | undefined;
  readonly reason: string;
  /** How many endpoints it has, and how many of them are ready; absent where that is not known. */
  readonly endpoints?: { readonly ready: number; readonly total: number };
  /** What is still to be done until all of it runs, in a sentence: nothing widens before. Visitors who are on it stay. */
  readonly rollout?: string;
  /** The Deployments whose pods are those of the version; absent where that is not known, or nothing is scaled. */
  readonly deployments?: readonly VersionDeployment[];
}

/** A Deployment of a version, as far as it matters to scaling. */
export interface VersionDeployment {
  readonly namespace: string;
  readonly name: string;
  /** As asked for, whether or not they are there. */
  readonly replicas: number;
  /** Whether an autoscaler wrote that last. */
  readonly isAutoscaled: boolean;
  /** Whether its rollout has exceeded its progress deadline. */
  readonly isLate: boolean;
}

/**
 * That a Deployment, which has `from` replicas, is to get `to`: the canary's for a step of `weight` percent, or the former version's, after success or for the rollback
 * that was asked for by this `request`.
 */
export interface ScaleOrder {
  readonly version: Version;
  readonly namespace: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly cause: 'step' | 'success' | 'rollback';
  readonly weight?: number;
  readonly request?: string;
}

/** What is known of scaling, where there is anything to scale. */
export interface ObservedScaling {
  /** What came of an order just now: carried out, or, with `failure`, refused for good. */
  readonly outcome?: { readonly order: ScaleOrder; readonly failure?: string };
  /** What still leads to the version that is to be scaled down, in a sentence. */
  readonly formerUse?: string;
}

/** Requests per second; `measuring`: too early to tell. */
export type RequestRate = number | 'measuring';

/** What `advance` has to know of the world. Whoever calls it looks; the machine itself never does. */
export interface Observed {
  /** Readiness of the versions that `versionsToObserve` named, where `needsReadiness`; `stable` is undefined when there is none to check. */
  readonly canary: VersionReadiness;
  readonly stable: VersionReadiness | undefined;
  /** Requests per second to the service, or that they are being counted; undefined where nobody counts. */
  readonly requestRate?: RequestRate | undefined;
  /** Undefined where nothing can be scaled. */
  readonly scaling?: ObservedScaling | undefined;
  /** What keeps routes from being woven, in sentences: a route object or subset that is missing, a conflict, weaving errors. */
  readonly problems: readonly string[];
  /** The version that all of the base's routes to the service name; undefined when there is no such one version. */
  readonly baseVersion: Version | undefined;
  /** Whether the data plane serves the plan of the status that is handed in with this. */
  readonly routesConfirmed: boolean;
  /** How that is known, in a few words for people, and whether something speaks against it; absent where the data plane itself says so. */
  readonly confirmation?: { readonly how: string; readonly isDoubtful: boolean };
  /** The last request that was posted, handled or not. */
  readonly request: ReleaseRequest | undefined;
  /** Deletion was asked for: nothing moves any more. */
  readonly deletion: boolean;
  /** What the deletion waits for, in a sentence. */
  readonly deletionWaits?: string;
}

/** Whether a rollback was asked for and is not handled yet. */
export function rollbackWaits(request: ReleaseRequest | undefined, status: ReleaseStatus | undefined): boolean {
  return request?.action === 'rollback' && handledRequest(status, request.id) === undefined;
}

/**
 * Whether the next `advance` goes by the readiness of any version. Where a release has ended, and neither another one nor anything else is
 * asked for, nobody has to ask endpoints.
 */
export function needsReadiness(
  spec: Pick<CanaryReleaseSpec, 'canary' | 'stable' | 'revision'>,
  status: ReleaseStatus | undefined,
  request: ReleaseRequest | undefined,
): boolean {
  if (status === undefined || !isSettled(status.phase) || asksForNewRelease(spec, status)) return true;
  return request !== undefined && handledRequest(status, request.id) === undefined;
}

/** What is known of a version that nobody has to ask. */
export const NOT_ASKED: VersionReadiness = { ready: undefined, reason: 'not asked: the release has ended' };

/**
 * The versions whose readiness the next `advance` needs: during a release its own pair, else the pair that the spec asks for. Where a
 * release that has ended is to be rolled back, or its former version to be scaled down, that is its pair once more. `stable` is absent when neither the spec nor an earlier release
 * names one.
 */
export function versionsToObserve(
  spec: Pick<CanaryReleaseSpec, 'canary' | 'stable' | 'revision' | 'scaling'>,
  status: ReleaseStatus | undefined,
  request?: ReleaseRequest | undefined,
): { readonly canary: Version; readonly stable?: Version } {
  const isOwnPair =
    status !== undefined && (isUnderWay(status.phase) || rollbackWaits(request, status) || scaleDownAt(spec, status) !== undefined);
  const canary = (isOwnPair ? status.canary : undefined) ?? spec.canary;
  const stable = (isOwnPair ? status.stable : undefined) ?? spec.stable ?? status?.liveVersion;
  return stable === undefined ? { canary } : { canary, stable };
}
