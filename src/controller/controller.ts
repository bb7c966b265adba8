import { refText, sameJson } from '../cluster/manifest.ts';
import type { Mesh } from '../cluster/mesh.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { Readiness, ServiceAddress } from '../cluster/readiness.ts';
import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { Scaling } from '../cluster/scaling.ts';
import type { ObjectRef, ReleaseStore, StoredObject } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { type Clock, latestRecordedTime, startClock, type TimeSources } from './clock.ts';
import type { ControllerLog } from './controller-log.ts';
import { PassReport } from './pass-report.ts';
import { type PassResult, reconcile, releasedService } from './reconcile.ts';
import { type QueueLoad, startWorkQueue, type WorkQueue } from './work-queue.ts';

/** How one pass over a release went; times in ms. */
export interface PassFigures {
  /** `outdated`: something had changed since it was looked at, and the pass is made again. */
  readonly outcome: 'done' | 'outdated' | 'failed';
  /** From the moment at which the release was to be looked at to the beginning of the pass. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

/** What a controller works on, and whom it tells. */
export interface ControllerOptions {
  readonly store: ReleaseStore;
  readonly readiness: Readiness;
  /** Absent where nothing is known of one. */
  readonly mesh?: Mesh | undefined;
  /** What capacity is held against; absent where nobody counts requests. */
  readonly rates?: RequestRateSource | undefined;
  /** Absent where there is nothing to scale. */
  readonly scaling?: Scaling | undefined;
  readonly log: ControllerLog;
  /** Told of each pass that threw, also of those that the log does not repeat. */
  readonly onPassFailed?: (release: ObjectRef, error: unknown) => void;
  /** Told of each pass when it is over; must not throw. */
  readonly onPass?: (figures: PassFigures) => void;
  /** Releases that are passed over at the same time; more where a write takes its time. Default: 4. */
  readonly workers?: number;
  /** Milliseconds that the store asked to be left alone when it refused a commit; default: none. */
  readonly leastDelayMs?: (error: unknown) => number;
  /** Default: the system's clocks. */
  readonly time?: TimeSources;
  /** How often every release is looked at though nothing told to, in milliseconds; default a minute. It also keeps readiness asked for. */
  readonly resyncMs?: number;
}

/** A controller at work. */
export interface Controller {
  /** What it has to do now. */
  load(): QueueLoad;
  /** Starts no further pass; resolves once those that run have ended. Traffic stays as it is routed. */
  close(): Promise<void>;
}

const RESYNC_MS = 60_000;
/** Longest time from a pass over a release that waits for the data plane to the next one: that tells, but a step must not hang on it. */
const UNCONFIRMED_MS = 60_000;
/** Longest time from a pass that failed to the next one. */
const MAX_DELAY_MS = 4000;

/**
 * Moves releases on: it watches the store, readiness and what the data plane serves, and passes over each release that any of it may
 * concern. Traffic does not depend on it: where it stops or a pass fails, routes stay as they are.
 */
export function startController(options: ControllerOptions): Controller {
  return new RunningController(options);
}

class RunningController implements Controller {
  readonly #store: ReleaseStore;
  readonly #readiness: Readiness;
  readonly #rates: RequestRateSource | undefined;
  readonly #mesh: Mesh | undefined;
  readonly #scaling: Scaling | undefined;
  readonly #report: PassReport;
  readonly #onPass: (figures: PassFigures) => void;
  readonly #queue: WorkQueue;
  readonly #stops: readonly (() => void)[];
  /** Every release that is stored, by its key in the queue, and the service that it is of. */
  readonly #releases = new Map<string, { readonly ref: ObjectRef; readonly service: string }>();
  /** Keys of releases that may wait for the data plane. */
  readonly #unconfirmed = new Set<string>();
  /** The bases of routing objects as they were last seen. */
  readonly #bases = new Map<string, KubeObject>();
  #clock: Clock;
  #isClosed = false;
  /** Changes are looked at one after the other, in the order in which they happened. */
  #looking: Promise<void>;

  constructor(options: ControllerOptions) {
    const {
      store,
      readiness,
      rates,
      mesh,
      scaling,
      log,
      onPassFailed,
      onPass = () => {},
      workers,
      leastDelayMs,
      time,
      resyncMs = RESYNC_MS,
    } = options;
    this.#store = store;
    this.#readiness = readiness;
    this.#rates = rates;
    this.#mesh = mesh;
    this.#scaling = scaling;
    this.#onPass = onPass;
    this.#clock = startClock(0, time);
    this.#report = new PassReport(
      log,
      () => this.#clock.now(),
      (release, warning) => store.warn?.(release, warning),
    );
    this.#queue = startWorkQueue({
      // Who frees a full disk does not want to wait, and a pass costs one look at the store.
      maxDelayMs: MAX_DELAY_MS,
      ...(workers === undefined ? {} : { workers }),
      ...(leastDelayMs === undefined ? {} : { leastDelayMs }),
      reconcile: (key, waitedMs) => this.#pass(key, waitedMs),
      onError: (key, error) => {
        const ref = this.#releases.get(key)?.ref;
        this.#report.failed(ref, error);
        if (ref !== undefined) onPassFailed?.(ref, error);
      },
    });
    this.#looking = this.#guard(async () => {
      const objects = await store.list();
      this.#clock = startClock(latestRecordedTime(objects), time);
      await this.#look(objects.map((object) => object.ref));
    });
    const resync = setInterval(() => this.#enqueue(() => this.#lookAtAll(resyncMs)), resyncMs);
    this.#stops = [
      () => clearInterval(resync),
      store.watch((refs) => this.#enqueue(() => this.#look(refs))),
      store.onServed(() => this.#addEach(this.#unconfirmed)),
      readiness.onChange((services) => this.#lookAtServices(services)),
      ...(mesh === undefined ? [] : [mesh.onChange(() => this.#addEach(this.#releases.keys()))]),
    ];
  }

  load(): QueueLoad {
    return this.#queue.load();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    await this.#looking;
    await this.#queue.shutDown();
  }

  async #pass(key: string, waitedMs: number): Promise<number | 'again' | undefined> {
    const began = performance.now();
    let outcome: PassFigures['outcome'] = 'failed';
    try {
      const result = await this.#passOver(key);
      outcome = result?.isOutdated === true ? 'outdated' : 'done';
      if (outcome === 'outdated' || result?.looksAgain === true) return 'again';
      const wait = result?.wakeAt === undefined ? Number.POSITIVE_INFINITY : result.wakeAt - this.#clock.now();
      const longest = result?.isUnconfirmed === true ? UNCONFIRMED_MS : Number.POSITIVE_INFINITY;
      return Number.isFinite(Math.min(wait, longest)) ? Math.min(wait, longest) : undefined;
    } finally {
      this.#onPass({ outcome, waitedMs, tookMs: performance.now() - began });
    }
  }

  /** Undefined: the release is gone. */
  async #passOver(key: string): Promise<PassResult | undefined> {
    const ref = this.#releases.get(key)?.ref;
    if (ref === undefined) return undefined;
    // Before looking: what the data plane comes to serve meanwhile must not be missed.
    this.#unconfirmed.add(key);
    const result = await reconcile(
      {
        store: this.#store,
        readiness: this.#readiness,
        rates: this.#rates,
        mesh: this.#mesh,
        scaling: this.#scaling,
        now: () => this.#clock.now(),
      },
      ref,
    );
    this.#report.passed(ref, result);
    if (!result.isUnconfirmed) this.#unconfirmed.delete(key);
    return result;
  }

  /** Adds what the change of these objects may concern: a release its own, an owner's change of a routing object all releases. */
  async #look(refs: readonly ObjectRef[]): Promise<void> {
    let concernsAll = false;
    for (const ref of refs) {
      const key = refText(ref);
      const object = await this.#store.get(ref);
      // One of the others may wait until a release has left.
      if (ref.kind === RELEASE) concernsAll = this.#lookAtRelease(ref, object) === 'gone' || concernsAll;
      else concernsAll = this.#isNewBase(key, object) || concernsAll;
    }
    // Nearly always it is nothing to them: who is asked for something does not wait for thousands that are looked at in case.
    if (concernsAll) for (const key of this.#releases.keys()) this.#queue.addBehind(key);
  }

  #lookAtRelease(ref: ObjectRef, object: StoredObject | undefined): 'gone' | 'there' {
    const key = refText(ref);
    if (object === undefined) {
      this.#releases.delete(key);
      this.#unconfirmed.delete(key);
      this.#report.forget(ref);
      return 'gone';
    }
    this.#releases.set(key, { ref: object.ref, service: serviceOf(object) });
    this.#queue.add(key);
    return 'there';
  }

  #lookAtServices(services: readonly ServiceAddress[]): void {
    const changed = new Set(services.map(serviceText));
    for (const [key, { service }] of this.#releases) if (changed.has(service)) this.#queue.add(key);
  }

  /** Weaving changes only what is served: that is nobody else's business. */
  #isNewBase(key: string, object: StoredObject | undefined): boolean {
    const known = this.#bases.get(key);
    if (object === undefined) return this.#bases.delete(key);
    this.#bases.set(key, object.base);
    return known === undefined || !sameJson(known, object.base);
  }

  /** Each within the next period, spread over it: looked at all at once, many would keep one that is asked for something waiting. */
  async #lookAtAll(withinMs: number): Promise<void> {
    const refs = (await this.#store.list()).map((object) => object.ref);
    const isKnown = (ref: ObjectRef): boolean => this.#releases.has(refText(ref));
    await this.#look(refs.filter((ref) => !isKnown(ref)));
    const known = refs.filter(isKnown);
    for (const [index, ref] of known.entries()) this.#queue.addAfter(refText(ref), (withinMs * index) / known.length);
  }

  #addEach(keys: Iterable<string>): void {
    for (const key of keys) this.#queue.add(key);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#looking = this.#looking.then(() => this.#guard(work));
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#isClosed) this.#report.failed(undefined, error);
    }
  }
}

function serviceText({ host, port }: ServiceAddress): string {
  return `${host}:${port}`;
}

/** The service whose readiness the passes over a release ask for; none of one that cannot be read. */
function serviceOf({ base }: StoredObject): string {
  const { release } = readRelease(base);
  return release === undefined ? '' : serviceText(releasedService(release));
}
