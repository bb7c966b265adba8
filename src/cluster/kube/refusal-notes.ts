import { setTimeout as sleep } from 'node:timers/promises';
import { plainText } from '../../core/diagnostics/log-text.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import { initialStatus } from '../../core/release/status-change.ts';
import { refText } from '../manifest.ts';
import type { ObjectRef } from '../store.ts';
import type { Refused } from './admitted-releases.ts';
import { Backoff, REFLECTOR_BACKOFF } from './backoff.ts';
import { KubeError } from './kube-client.ts';
import type { KubeEvent } from './kube-events.ts';
import type { ApiObject } from './kube-object.ts';

/** Whom refusals are told to, and how. */
interface RefusalNotesOptions {
  /** As it is now; undefined where it is refused no more. */
  readonly refused: (ref: ObjectRef) => Refused | undefined;
  /** Who does not lead tells nothing: who does tells it. */
  readonly mayWrite: () => boolean;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly writeStatus: (object: ApiObject, status: ReleaseStatus) => Promise<unknown>;
  readonly writeEvent: (object: ApiObject, event: KubeEvent) => Promise<void>;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * Says of releases that are refused why: in the status, where no earlier form of it is gone by, and in an Event. One after the other; what cannot be
 * written is tried again for as long as it is so.
 */
export class RefusalNotes {
  readonly #options: RefusalNotesOptions;
  readonly #waiting = new Map<string, ObjectRef>();
  readonly #backoff = new Backoff({ ...REFLECTOR_BACKOFF, random: Math.random, now: () => performance.now() });
  readonly #stop = new AbortController();
  #isAtWork = false;

  constructor(options: RefusalNotesOptions) {
    this.#options = options;
  }

  add(ref: ObjectRef): void {
    this.#waiting.set(refText(ref), ref);
    if (!this.#isAtWork) void this.#work();
  }

  stop(): void {
    this.#stop.abort();
    this.#waiting.clear();
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    for (const [key, ref] of this.#waiting) {
      this.#waiting.delete(key);
      const refused = this.#options.refused(ref);
      if (refused === undefined || !this.#options.mayWrite()) continue;
      try {
        await this.#tell(refused);
      } catch (error) {
        // Gone meanwhile: there is nobody to be told.
        if (error instanceof KubeError && error.status === 404) continue;
        this.#options.onError(`${key} is refused, which could not be written yet`, error);
        this.#waiting.set(key, ref);
        const wait = this.#backoff.afterFailure(error instanceof KubeError ? error.retryAfterMs : 0);
        await sleep(wait, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
      }
    }
    this.#isAtWork = false;
  }

  async #tell({ object, diagnostics, isNew }: Refused): Promise<void> {
    const said = plainText(diagnostics.map(({ message, hint }) => (hint === undefined ? message : `${message}: ${hint}`)).join('; '));
    const message = isNew ? `refused: ${said}` : `the new spec is refused, the last one stays: ${said}`;
    const at = new Date(this.#options.now()).toISOString();
    if (isNew && !isTold(object, message)) await this.#options.writeStatus(object, refusedStatus(object, message, at));
    // The same spec refused for the same reason is the same Event, whoever tells it.
    const key = JSON.stringify([object.metadata.generation, message]);
    await this.#options.writeEvent(object, { at, type: 'Warning', reason: 'Refused', message, key });
  }
}

function isTold({ status, metadata }: ApiObject, message: string): boolean {
  const told = status as Partial<ReleaseStatus> | undefined;
  return told?.message === message && told.observedGeneration === metadata.generation;
}

function refusedStatus({ status, metadata }: ApiObject, message: string, at: string): ReleaseStatus {
  const former = typeof status === 'object' && status !== null ? (status as Partial<ReleaseStatus>) : {};
  const verdicts = [
    ['Ready', 'False'],
    ['Reconciling', 'False'],
    ['Stalled', 'True'],
  ] as const;
  const conditions = verdicts.map(([type, value]) => ({ type, status: value, reason: 'Refused', message, lastTransitionTime: at }));
  return { ...initialStatus(), ...former, message, observedGeneration: metadata.generation ?? 0, conditions };
}
