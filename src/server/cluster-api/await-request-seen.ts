import type { ObjectRef, ReleaseStore, StoredObject } from '../../cluster/store.ts';
import { handledRequest } from '../../core/release/requests.ts';

/** The watch is a moment behind the apiserver; where another request takes the place of this one in that moment, it is not seen at all. */
const PATIENCE_MS = 5_000;

/** Resolves once the store knows of a request that the apiserver has taken, or the release is gone, or after five seconds. */
export async function awaitRequestSeen(store: Pick<ReleaseStore, 'get' | 'watch'>, ref: ObjectRef, id: string): Promise<void> {
  const isSeen = (stored: StoredObject | undefined): boolean =>
    stored === undefined || stored.request?.id === id || handledRequest(stored.status, id) !== undefined;
  const deadline = performance.now() + PATIENCE_MS;
  let wake = (): void => {};
  const stop = store.watch(() => wake());
  try {
    for (;;) {
      // Armed before reading: a change during the read is not missed.
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const left = deadline - performance.now();
      if (left <= 0 || isSeen(await store.get(ref))) return;
      const timer = setTimeout(() => wake(), left);
      await changed;
      clearTimeout(timer);
    }
  } finally {
    stop();
  }
}
