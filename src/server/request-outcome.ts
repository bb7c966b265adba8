import { refText } from '../cluster/manifest.ts';
import type { ObjectRef, StoredObject } from '../cluster/store.ts';
import type { StoreError } from '../cluster/store-errors.ts';
import { handledRequest } from '../core/release/requests.ts';
import type { ReleaseRequest, RequestAction } from '../core/release/status.ts';
import type { ApiContext } from './api-context.ts';

/** How a request to a release ended. `waiting`: it has not, within the time given. */
export type RequestOutcome =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  /** Another request took its place before it was handled. */
  | { readonly kind: 'replaced' }
  /** It is accepted and kept, but what it decided could not be stored; the controller goes on trying. */
  | { readonly kind: 'notStored'; readonly error: StoreError }
  /** The release was removed meanwhile. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'waiting' };

/** Whether what the request asked for holds for traffic: for rollback and promote, once the routes are confirmed. */
function isInEffect(action: RequestAction, { status }: StoredObject): boolean {
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

/** Reads the outcome off the release as it is stored now; `handled`: the request was seen handled before. */
function outcomeOf(request: ReleaseRequest, stored: StoredObject, handled: string | undefined, servedRevision: number): RequestOutcome {
  const found = handledRequest(stored.status, request.id);
  const message = found?.message ?? handled;
  if (message === undefined) return stored.request?.id === request.id ? { kind: 'waiting' } : { kind: 'replaced' };
  if (found?.outcome === 'refused') return { kind: 'refused', message };
  const inEffect = isInEffect(request.action, stored) && servedRevision >= stored.revision;
  return inEffect ? { kind: 'done', message } : { kind: 'waiting' };
}

/**
 * Waits until a posted request was handled, and for rollback and promote until its routes are confirmed, or until that could not be
 * stored. Ends with `waiting` after
 * `timeoutMs`, or when `signal` aborts.
 */
export async function awaitRequest(
  { store, onNotStored }: Pick<ApiContext, 'store' | 'onNotStored'>,
  ref: ObjectRef,
  request: ReleaseRequest,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<RequestOutcome> {
  let wake = (): void => {};
  let notStored: StoreError | undefined;
  const stops = [
    store.watch(() => wake()),
    store.onServed(() => wake()),
    onNotStored((release, error) => {
      if (refText(release) !== refText(ref)) return;
      notStored = error;
      wake();
    }),
  ];
  const deadline = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const onDeadline = (): void => wake();
  deadline.addEventListener('abort', onDeadline);
  try {
    let handled: string | undefined;
    for (;;) {
      // Armed before reading: a change during the read is not missed.
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const stored = await store.get(ref);
      if (stored === undefined) return { kind: 'gone' };
      const outcome = outcomeOf(request, stored, handled, store.servedRevision());
      if (outcome.kind !== 'waiting' || deadline.aborted) return outcome;
      if (notStored !== undefined) return { kind: 'notStored', error: notStored };
      handled = handledRequest(stored.status, request.id)?.message ?? handled;
      await changed;
    }
  } finally {
    deadline.removeEventListener('abort', onDeadline);
    for (const stop of stops) stop();
  }
}
