import { refText } from '../cluster/manifest.ts';
import type { ObjectRef } from '../cluster/store.ts';
import type { StoreError } from '../cluster/store-errors.ts';
import { type RequestOutcome, requestOutcome } from '../core/release/request-outcome.ts';
import { handledRequest } from '../core/release/requests.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import type { ApiContext } from './api-context.ts';

/** How waiting for it ended; `waiting`: the time given was over before. */
export type AwaitedOutcome =
  | RequestOutcome
  /** It is accepted and kept, but what it decided could not be stored; the controller goes on trying. */
  | { readonly kind: 'notStored'; readonly error: StoreError }
  /** The release was removed meanwhile. */
  | { readonly kind: 'gone' };

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
): Promise<AwaitedOutcome> {
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
      const outcome = requestOutcome(request, stored, handled, store.servedRevision() >= stored.revision);
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
