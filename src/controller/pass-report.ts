import { refText } from '../cluster/manifest.ts';
import type { ObjectRef } from '../cluster/store.ts';
import type { ControllerLog, ControllerLogEntry } from './controller-log.ts';
import type { PassResult } from './reconcile.ts';

/** Tells a log what passes came to, each thing once: passes are repeated, what they find is not news each time. */
export class PassReport {
  readonly #log: ControllerLog;
  readonly #now: () => number;
  /** What was said last of a release's weaving and of its failure. */
  readonly #findings = new Map<string, string>();
  readonly #failures = new Map<string, string>();

  constructor(log: ControllerLog, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** A pass that ended; one that was outdated says nothing. */
  passed(ref: ObjectRef, result: PassResult): void {
    const key = refText(ref);
    if (result.isOutdated) return;
    this.#failures.delete(key);
    for (const { at, type, reason, message, by } of result.events) {
      this.#log({ at, type, release: nameOf(ref), reason, message, ...(by === undefined ? {} : { by }) });
    }
    // What is created anew under that name is another one.
    if (result.events.some(({ reason }) => reason === 'Deleted')) this.#findings.delete(key);
    const findings = result.findings.map(
      ({ code, object, path, message }) => `${[object, path].filter(Boolean).join(' ')}: ${message} (${code})`,
    );
    const text = findings.join('\n');
    if (text === (this.#findings.get(key) ?? '')) return;
    this.#findings.set(key, text);
    for (const finding of findings) this.#say(ref, 'Warning', 'NotWoven', finding);
  }

  /** A pass that threw, or, without `ref`, what could not be attributed to one. */
  failed(ref: ObjectRef | undefined, error: unknown): void {
    const key = ref === undefined ? '' : refText(ref);
    const message = error instanceof Error ? error.message : String(error);
    if (this.#failures.get(key) === message) return;
    this.#failures.set(key, message);
    this.#say(ref, 'Error', 'PassFailed', `${message}; trying again, traffic stays as it is`, { error });
  }

  #say(
    ref: ObjectRef | undefined,
    type: ControllerLogEntry['type'],
    reason: string,
    message: string,
    extra: { error?: unknown } = {},
  ): void {
    const release = ref === undefined ? undefined : nameOf(ref);
    this.#log({ at: new Date(this.#now()).toISOString(), type, release, reason, message, ...extra });
  }
}

function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}
