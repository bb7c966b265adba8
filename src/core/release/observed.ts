import type { CanaryReleaseSpec, Version } from './canary-release.ts';
import { asksForNewRelease } from './change.ts';
import { isSettled, isUnderWay } from './phase.ts';
import { handledRequest } from './requests.ts';
import type { ReleaseRequest, ReleaseStatus } from './status.ts';

/** Whether a version can take traffic now; `undefined`: not known yet. `reason` says what is missing, for people. */
export interface VersionReadiness {
  readonly ready: boolean | undefined;
  readonly reason: string;
  /** How many endpoints it has, and how many of them are ready; absent where that is not known. */
  readonly endpoints?: { readonly ready: number; readonly total: number };
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
  /** What keeps routes from being woven, in sentences: a route object or subset that is missing, a conflict, weaving errors. */
  readonly problems: readonly string[];
  /** The version that all of the base's routes to the service name; undefined when there is no such one version. */
  readonly baseVersion: Version | undefined;
  /** Whether the data plane serves the plan of the status that is handed in with this. */
  readonly routesConfirmed: boolean;
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
 * release that has ended is to be rolled back, that is its pair once more. `stable` is absent when neither the spec nor an earlier release
 * names one.
 */
export function versionsToObserve(
  spec: Pick<CanaryReleaseSpec, 'canary' | 'stable'>,
  status: ReleaseStatus | undefined,
  request?: ReleaseRequest | undefined,
): { readonly canary: Version; readonly stable?: Version } {
  const isOwnPair = status !== undefined && (isUnderWay(status.phase) || rollbackWaits(request, status));
  const canary = (isOwnPair ? status.canary : undefined) ?? spec.canary;
  const stable = (isOwnPair ? status.stable : undefined) ?? spec.stable ?? status?.liveVersion;
  return stable === undefined ? { canary } : { canary, stable };
}
