import { refText, sameJson } from '../cluster/manifest.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { Readiness, ServiceAddress } from '../cluster/readiness.ts';
import type { RequestRateSource } from '../cluster/request-rates.ts';
import type { ObjectRef, Store, StoredObject } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { type Clock, latestRecordedTime, startClock, type TimeSources } from './clock.ts';
import type { ControllerLog } from './controller-log.ts';
import { PassReport } from './pass-report.ts';
import { reconcile, releasedService } from './reconcile.ts';
import { startWorkQueue, type WorkQueue } from './work-queue.ts';

/** What a controller works on, and whom it tells. */
export interface ControllerOptions {
  readonly store: Store;
  readonly readiness: Readiness;
  /** What capacity is held against; absent where nobody counts requests. */
  readonly rates?: RequestRateSource | undefined;
  readonly log: ControllerLog;
  /** Told of each pass that threw, also of those that the log does not repeat. */
  readonly onPassFailed?: (release: ObjectRef, error: unknown) => void;
  /** Default: the system's clocks. */
  readonly time?: TimeSources;
  /** How often every release is looked at though nothing told to, in milliseconds; default a minute. It also keeps readiness asked for. */
  readonly resyncMs?: number;
}

/** A controller at work. */
export interface Controller {
  /** Starts no further pass; resolves once those that run have ended. Traffic stays as it is routed. */
  close(): Promise<void>;
}

const RESYNC_MS = 60_000;
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
  readonly #store: Store;
  readonly #readiness: Readiness;
  readonly #rates: RequestRateSource | undefined;
  readonly #report: PassReport;
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
    const { store, readiness, rates, log, onPassFailed, time, resyncMs = RESYNC_MS } = options;
    this.#store = store;
    this.#readiness = readiness;
    this.#rates = rates;
    this.#clock = startClock(0, time);
    this.#report = new PassReport(log, () => this.#clock.now());
    this.#queue = startWorkQueue({
      // Who frees a full disk does not want to wait, and a pass costs one look at the store.
      maxDelayMs: MAX_DELAY_MS,
      reconcile: (key) => this.#pass(key),
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
    ];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    await this.#looking;
    await this.#queue.shutDown();
  }

  async #pass(key: string): Promise<number | undefined> {
    const ref = this.#releases.get(key)?.ref;
    if (ref === undefined) return undefined;
    // Before looking: what the data plane comes to serve meanwhile must not be missed.
    this.#unconfirmed.add(key);
    const result = await reconcile(
      { store: this.#store, readiness: this.#readiness, rates: this.#rates, now: () => this.#clock.now() },
      ref,
    );
    this.#report.passed(ref, result);
    if (!result.isUnconfirmed) this.#unconfirmed.delete(key);
    if (result.isOutdated) return 0;
    return result.wakeAt === undefined ? undefined : result.wakeAt - this.#clock.now();
  }

  /** Adds what the change of these objects may concern: a release its own, an owner's change of a routing object all releases. */
  async #look(refs: readonly ObjectRef[]): Promise<void> {
    let concernsAll = false;
    for (const ref of refs) {
      const key = refText(ref);
      const object = await this.#store.get(ref);
      // One of the others may wait until a release has left.
      if (ref.kind === RELEASE) concernsAll = this.#lookAtRelease(key, object) === 'gone' || concernsAll;
      else concernsAll = this.#isNewBase(key, object) || concernsAll;
    }
    if (concernsAll) this.#addEach(this.#releases.keys());
  }

  #lookAtRelease(key: string, object: StoredObject | undefined): 'gone' | 'there' {
    if (object === undefined) {
      this.#releases.delete(key);
      this.#unconfirmed.delete(key);
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
