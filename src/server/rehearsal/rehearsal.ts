import { rehearsalAdmission } from '../../cluster/admission.ts';
import { openSqliteStore } from '../../cluster/local/sqlite-store.ts';
import { refText } from '../../cluster/manifest.ts';
import type { ObjectRef, Store, StoredObject } from '../../cluster/store.ts';
import { type PassResult, reconcile } from '../../controller/reconcile.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE, type Version } from '../../core/release/canary-release.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import { initialStatus, withChanges } from '../../core/release/status-change.ts';
import { declaredReadiness } from './declared-readiness.ts';

/** A release at one moment of its rehearsal, and all that the store holds then. */
export interface Stage {
  /** `before`: not begun; `after`: succeeded. */
  readonly kind: 'before' | 'step' | 'after';
  /** Index into the steps; only of a step. */
  readonly step?: number;
  readonly status: ReleaseStatus;
  /** Since the release's start, in ms; manual holds take as long as was asked for, or no time. */
  readonly elapsedMs: number;
  /** Indices of the steps with manual holds that were over before it. */
  readonly manualHolds: readonly number[];
  readonly objects: readonly StoredObject[];
}

/** What is known of a release beside its files. */
export interface Circumstances {
  /** Releases that were started before on the object. */
  readonly started?: number;
  /** The version that everyone has now. */
  readonly live?: Version;
  /** How long people let a manual hold last, in ms. */
  readonly manualHoldMs?: number;
}

/** How a release went. */
export interface Performance {
  /** In their order; the last is `after` where the release came to its end. */
  readonly stages: readonly Stage[];
  /** All that weaving said on the way, each finding once. */
  readonly findings: readonly Diagnostic[];
  /** What it waits for as things stand, in a sentence; undefined where it starts, or has nothing to do. */
  readonly waiting: string | undefined;
}

/** Where a rehearsal is to end; a step is an index. */
export type Until = { readonly kind: 'step'; readonly step: number } | { readonly kind: 'before' | 'after' };

/** Releases in memory, among the objects that they are to meet. */
export interface Rehearsal {
  /** What admission says beside errors. */
  readonly warnings: readonly Diagnostic[];
  /** Runs one release from its start; the others stay as they are. */
  perform(release: ObjectRef, until: Until, circumstances?: Circumstances): Promise<Performance>;
  /** All that is stored now. */
  objects(): Promise<readonly StoredObject[]>;
  close(): Promise<void>;
}

/** More passes than any stage can need; reaching it means that the machine does not come to rest. */
const MOST_PASSES = 100;

/**
 * Opens a rehearsal: the store, the admission, and the passes of the runtime itself, over a clock that is set and a data plane that serves
 * at once, so that what it shows is what the runtime would do. Touches no file, no socket and no clock: the same objects give the same
 * stages. A release in an HTTPRoute goes by the same passes, as in a cluster whose gateways have taken the route. Where the runtime would refuse the objects, the diagnostics say why.
 */
export async function openRehearsal(
  objects: readonly KubeObject[],
): Promise<{ readonly ok: true; readonly rehearsal: Rehearsal } | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }> {
  const clock = { now: 0 };
  const store = openSqliteStore({
    dataDir: ':memory:',
    now: () => clock.now,
    admission: rehearsalAdmission,
    onListenerError: (error) => {
      throw error;
    },
  });
  const applied = await store.apply('files', objects);
  if (!applied.ok) {
    await store.close();
    return { ok: false, diagnostics: applied.diagnostics };
  }
  const stages = new Stages(store, clock);
  for (const { ref } of await store.list(RELEASE)) await stages.rest(ref, () => UNKNOWN);
  return {
    ok: true,
    rehearsal: {
      warnings: applied.warnings,
      perform: (release, until, circumstances = {}) => stages.perform(release, until, circumstances),
      objects: () => store.list(),
      close: () => store.close(),
    },
  };
}

type Readiness = Parameters<typeof reconcile>[0]['readiness'];
type Check = Readiness['check'];

const UNKNOWN: ReturnType<Check> = { ready: undefined, reason: 'not looked at yet' };
const READY: ReturnType<Check> = { ready: true, reason: 'taken as ready' };

class Stages {
  readonly #store: Store;
  readonly #clock: { now: number };

  constructor(store: Store, clock: { now: number }) {
    this.#store = store;
    this.#clock = clock;
  }

  async perform(ref: ObjectRef, until: Until, circumstances: Circumstances): Promise<Performance> {
    const stages: Stage[] = [];
    const findings = new Map<string, Diagnostic>();
    const manualHolds: number[] = [];
    const startedAt = this.#clock.now;

    const look = async ({ findings: found }: PassResult): Promise<void> => {
      for (const finding of found) findings.set(JSON.stringify(finding), finding);
      const status = await this.#status(ref);
      if (status === undefined) return;
      const place = placeOf(status);
      const last = stages.at(-1);
      if (place === undefined || (last?.kind === place.kind && last.step === place.step)) return;
      const elapsedMs = this.#clock.now - startedAt;
      stages.push({ ...place, status, elapsedMs, manualHolds: [...manualHolds], objects: await this.#store.list() });
    };
    const isThere = (): boolean => stages.some(({ kind, step }) => kind === until.kind && (until.kind !== 'step' || step === until.step));

    await this.#remember(ref, circumstances);
    await this.rest(ref, () => UNKNOWN, look);
    const declared = declaredReadiness((await this.#store.list()).map(({ base }) => base));
    // What the files do not have yet keeps the release from starting, but its steps can be told all the same.
    await this.rest(ref, declared, look, isThere);
    const first = await this.#status(ref);
    const waiting = first?.phase === 'Pending' ? first.message.replace(/^waiting: /, '') : undefined;
    for (;;) {
      const wakeAt = await this.rest(ref, () => READY, look, isThere);
      if (isThere()) break;
      const status = await this.#status(ref);
      if (status?.phase === 'Paused') {
        manualHolds.push(status.step);
        this.#clock.now += circumstances.manualHoldMs ?? 0;
        await this.#store.postRequest(ref, { id: `hold-${status.step}`, action: 'promote', by: 'rehearsal' });
      } else if (wakeAt !== undefined && status?.phase === 'Progressing') {
        this.#clock.now = wakeAt;
      } else {
        break;
      }
    }
    return { stages, findings: [...findings.values()], waiting: until.kind === 'before' ? undefined : waiting };
  }

  /** Passes over the release until nothing changes any more, or `isThere`; gives when something next does by itself, in ms. */
  async rest(
    ref: ObjectRef,
    check: Check,
    look: (result: PassResult) => Promise<void> = async () => {},
    isThere: () => boolean = () => false,
  ): Promise<number | undefined> {
    const readiness: Readiness = { check, onChange: () => () => {}, close: async () => {} };
    let quiet = 0;
    for (let passes = 0; passes < MOST_PASSES; passes++) {
      if (isThere()) return undefined;
      const before = this.#store.revision();
      const result = await reconcile({ store: this.#store, readiness, now: () => this.#clock.now }, ref);
      // The data plane of a rehearsal serves whatever is stored.
      this.#store.markServed(this.#store.revision());
      await look(result);
      quiet = this.#store.revision() === before ? quiet + 1 : 0;
      // What was just stored is confirmed by the pass after; what never will be is not waited for.
      if (quiet > 1 || (quiet === 1 && !result.isUnconfirmed)) return result.wakeAt;
    }
    throw new Error(`${refText(ref)} does not come to rest`);
  }

  async #status(ref: ObjectRef): Promise<ReleaseStatus | undefined> {
    return (await this.#store.get(ref))?.status;
  }

  async #remember(ref: ObjectRef, { started, live }: Circumstances): Promise<void> {
    if (started === undefined && live === undefined) return;
    const status = withChanges((await this.#status(ref)) ?? initialStatus(), {
      ...(started === undefined ? {} : { started }),
      ...(live === undefined ? {} : { liveVersion: live }),
    });
    await this.#store.commit(ref, { status }, this.#store.revision());
  }
}

function placeOf({ phase, step }: ReleaseStatus): Pick<Stage, 'kind' | 'step'> | undefined {
  switch (phase) {
    case 'Pending':
      return { kind: 'before' };
    case 'Progressing':
    case 'Paused':
      return { kind: 'step', step };
    case 'Succeeded':
      return { kind: 'after' };
    default:
      return undefined;
  }
}
