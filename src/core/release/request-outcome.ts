import { handledRequest } from './requests.ts';
import type { ReleaseRequest, ReleaseStatus, RequestAction } from './status.ts';

/** How a request to a release ended. `waiting`: it has not yet. */
export type RequestOutcome =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  /** Another request took its place before it was handled. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'waiting' };

/** Why a request is refused before anybody has handled it. */
export const ROLLBACK_STANDS = 'a rollback was asked for and is not done yet; it stands above everything else';
/** What is said of a request that was `replaced`. */
export const REPLACED = 'another request took its place before it was handled';

/** A release as far as it tells what became of a request. */
interface Asked {
  readonly status?: ReleaseStatus;
  /** The last request that was posted. */
  readonly request?: ReleaseRequest;
}

/** Whether what the request asked for holds for traffic: for rollback and promote, once the routes are confirmed. */
function isInEffect(action: RequestAction, status: ReleaseStatus | undefined): boolean {
  if (status === undefined) return false;
  switch (action) {
    case 'rollback':
      return status.phase !== 'RollingBack';
    case 'promote':
      return status.phase !== 'Completing' && (status.phase !== 'Progressing' || status.stepStartedAt !== undefined);
    default:
      return true;
  }
}

/**
 * Reads the outcome off the release as it is now. `handled`: what was said when the request was seen handled before, since a status remembers only some.
 * `isServed`: whether the data plane serves the release as it is now.
 */
export function requestOutcome(request: ReleaseRequest, asked: Asked, handled: string | undefined, isServed: boolean): RequestOutcome {
  const found = handledRequest(asked.status, request.id);
  const message = found?.message ?? handled;
  if (message === undefined) return asked.request?.id === request.id ? { kind: 'waiting' } : { kind: 'replaced' };
  if (found?.outcome === 'refused') return { kind: 'refused', message };
  return isServed && isInEffect(request.action, asked.status) ? { kind: 'done', message } : { kind: 'waiting' };
}
