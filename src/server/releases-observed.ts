import type { Store, StoredObject } from '../cluster/store.ts';
import { KIND } from '../core/release/canary-release.ts';

/** Longest wait for the controller, in ms: it looks within a few, unless it cannot write. */
const LONGEST_MS = 5000;

/**
 * Waits until the controller has looked at every release as it is stored now (its status says which generation it has seen), so that their
 * routes are what they are to be: those that releases own exist. Gives up, without an error, after five seconds: a release that cannot be
 * moved on must not keep everything else from starting.
 */
export async function releasesObserved(store: Store): Promise<void> {
  const isBehind = ({ deletionRequestedAt, status, generation }: StoredObject): boolean =>
    deletionRequestedAt === undefined && (status?.observedGeneration ?? 0) < generation;
  let wake = (): void => {};
  const stop = store.watch(() => wake());
  const deadline = AbortSignal.timeout(LONGEST_MS);
  deadline.addEventListener('abort', () => wake());
  try {
    for (;;) {
      // Armed before reading: a change during the read is not missed.
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const releases = await store.list(KIND);
      if (deadline.aborted || !releases.some(isBehind)) return;
      await changed;
    }
  } finally {
    stop();
  }
}
