import { refText } from '../cluster/manifest.ts';
import type { ObjectRef, ReleaseStore } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { ControllerLog, ControllerLogEntry } from './controller-log.ts';
import type { PassResult } from './reconcile.ts';

type Warn = NonNullable<ReleaseStore['warn']>;

/** Tells a log what passes came to, each thing once: passes are repeated, what they find is not news each time. */
export class PassReport {
  readonly #log: ControllerLog;
  readonly #now: () => number;
  /** What was said last of a release's weaving and of its failure. */
  readonly #findings = new Map<string, string>();
  readonly #failures = new Map<string, string>();
  readonly #warn: Warn | undefined;
  /** What was recorded of the mesh around a release. */
  readonly #warned = new Map<string, Set<string>>();

  /** `warn` records what speaks against a release and is no event of its own; absent where the log is all that there is. */
  constructor(log: ControllerLog, now: () => number, warn?: Warn) {
    this.#log = log;
    this.#now = now;
    this.#warn = warn;
  }

  /** It is gone: what is created anew under its name is another one. */
  forget(ref: ObjectRef): void {
    const key = refText(ref);
    this.#findings.delete(key);
    this.#warned.delete(key);
    this.#failures.delete(key);
  }

  /** A pass that ended; one that was outdated says nothing. */
  passed(ref: ObjectRef, result: PassResult): void {
    const key = refText(ref);
    if (result.isOutdated) return;
    this.#failures.delete(key);
    for (const { at, type, reason, message, by } of result.events) {
      this.#log({ at, type, release: nameOf(ref), reason, message, ...(by === undefined ? {} : { by }) });
    }
    if (result.events.some(({ reason }) => reason === 'Deleted')) this.forget(ref);
    for (const warning of result.meshWarnings) this.#record(ref, warning);
    const findings = result.findings.map(findingText);
    const text = findings.join('\n');
    if (text === (this.#findings.get(key) ?? '')) return;
    this.#findings.set(key, text);
    for (const finding of findings) this.#say(ref, 'Warning', 'NotWoven', finding);
  }

  #record(ref: ObjectRef, warning: Diagnostic): void {
    const key = refText(ref);
    const warned = this.#warned.get(key) ?? new Set();
    const { hint } = warning;
    const message = hint === undefined ? findingText(warning) : `${findingText(warning)}; ${hint}`;
    if (warned.has(message)) return;
    this.#warned.set(key, warned.add(message));
    this.#warn?.(ref, { at: new Date(this.#now()).toISOString(), reason: 'MeshWarning', message });
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

function findingText({ code, object, path, message }: Diagnostic): string {
  const place = [object, path].filter(Boolean).join(' ');
  return `${place === '' ? '' : `${place}: `}${message} (${code})`;
}

function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}
