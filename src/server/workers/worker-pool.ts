import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { RequestObserver } from '../../core/evidence/request-event.ts';
import { addedEjections, type ClusterEjections } from '../../core/routing/cluster-ejections.ts';
import type { Endpoint } from '../../core/routing/selection.ts';
import type { ListeningAddress } from '../../gateway/gateway.ts';
import { type GatewayLimits, withDefaults } from '../../gateway/limits.ts';
import type { DataPlane, WorkerCounts } from '../data-plane.ts';
import type { RoutedObjects } from '../routed-objects.ts';
import type { RuntimeLog } from '../runtime-log.ts';
import { type EventBatch, eventsOf } from './event-batch.ts';
import { changesBetween } from './object-changes.ts';
import { requireSharedPorts } from './require-shared-ports.ts';
import type { OpenPorts, WorkerNote, WorkerOptions } from './worker-messages.ts';
import { WorkerGoneError, WorkerProcess } from './worker-process.ts';

/** What workers are started with, and who is told what they tell. */
export interface WorkerPoolOptions {
  /** At least 1. */
  readonly count: number;
  readonly map: ReadonlyMap<number, number>;
  readonly proxyPort: number | undefined;
  /** Of each worker. */
  readonly limits: Partial<GatewayLimits>;
  /** Folder of the credentials that HTTPS servers name. */
  readonly credentials: string | undefined;
  /** Told of every request of every worker, in batches, a moment after its end; without what observers do not ask for (event-batch.ts). */
  readonly observe: RequestObserver;
  readonly accessLog: ((line: string) => void) | undefined;
  /** As `GatewayOptions.traceShare`. */
  readonly traceShare: number | undefined;
  readonly log: RuntimeLog;
}

/** Workers that ended are started again after this long, in ms; twice as long each time, up to the most. */
const FIRST_RESTART_MS = 100;
const MOST_RESTART_MS = 5000;
/** One that lived this long begins anew with the shortest wait, in ms. */
const STEADY_MS = 30_000;
/** A change does not wait longer for a worker to hold its requests, in ms: one that is so late routes some as before. */
const LONGEST_HOLD_MS = 200;
/** After its grace a worker has cut everything; one that is still there then is killed, in ms. */
const SLACK_MS = 2000;
/** How often what was lost is said, in ms. */
const SAY_LOST_MS = 10_000;
/** Workers that say the same within this time say one thing, in ms. */
const SAME_NOTE_MS = 10_000;

/**
 * Starts that many gateways, each in a process of its own, and waits until they are there. Throws SharedPortsError where the system does not let
 * them share ports, and what kept one from starting.
 */
export async function startWorkerPool(options: WorkerPoolOptions): Promise<DataPlane> {
  await requireSharedPorts();
  const pool = new WorkerPool(options);
  try {
    await pool.start();
  } catch (error) {
    await pool.close(0);
    throw error;
  }
  return pool;
}

class WorkerPool implements DataPlane {
  readonly #options: WorkerPoolOptions;
  readonly #closeGraceMs: number;
  /** Those that serve, or will with the next change. */
  readonly #workers = new Set<WorkerProcess>();
  /** With those that are starting. */
  readonly #all = new Set<WorkerProcess>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Changes, and workers that join, come one after the other. */
  #change: Promise<unknown> = Promise.resolve();
  #served: RoutedObjects | undefined;
  #ports: OpenPorts = [];
  #addresses: readonly ListeningAddress[] = [];
  #unhealthy: readonly Endpoint[] = [];
  #failures = 0;
  #restarted = 0;
  /** Of workers that have ended: what they counted stays in the sums. */
  #formerEjections: readonly ClusterEjections[] = [];
  #lost = 0;
  #saying: NodeJS.Timeout | undefined;
  /** Lines that workers said a moment ago, and when. */
  readonly #notes = new Map<string, number>();
  #isClosing = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#closeGraceMs = withDefaults(options.limits).closeGraceMs;
  }

  async start(): Promise<void> {
    const workers = Array.from({ length: this.#options.count }, () => this.#spawn());
    await Promise.all(workers.map((worker) => this.#greet(worker)));
    for (const worker of workers) this.#watch(worker);
    for (const worker of workers) this.#workers.add(worker);
  }

  publish(routed: RoutedObjects): Promise<readonly Diagnostic[]> {
    return this.#inTurn(async () => {
      const { diagnostics } = await this.#serve([...this.#workers], routed, []);
      this.#served = routed;
      return diagnostics;
    });
  }

  avoid(unhealthy: readonly Endpoint[]): void {
    this.#unhealthy = unhealthy;
    void this.#inTurn(() => ofAll([...this.#workers], (worker) => worker.call('avoid', unhealthy))).catch((error: unknown) =>
      this.#options.log.error('workers were not told which endpoints are unhealthy', error),
    );
  }

  addresses(): readonly ListeningAddress[] {
    return this.#addresses;
  }

  ejections(): readonly ClusterEjections[] {
    return addedEjections([...this.#formerEjections, ...[...this.#all].flatMap(({ ejections }) => ejections)]);
  }

  workers(): WorkerCounts {
    return { wanted: this.#options.count, serving: this.#workers.size, restarts: this.#restarted };
  }

  failure(): string | undefined {
    return this.#workers.size === 0 ? 'no worker of the gateway is running' : undefined;
  }

  async close(graceMs: number = this.#closeGraceMs): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await this.#change;
    await Promise.all([...this.#all].map((worker) => this.#end(worker, graceMs)));
    clearTimeout(this.#saying);
    this.#sayLost();
  }

  async #end(worker: WorkerProcess, graceMs: number): Promise<void> {
    const timer = setTimeout(() => worker.kill(), graceMs + SLACK_MS);
    await worker.call('close', { graceMs }).catch(() => worker.kill());
    await worker.ended;
    clearTimeout(timer);
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const done = this.#change.then(task);
    this.#change = done.catch(() => {});
    return done;
  }

  #spawn(): WorkerProcess {
    const worker = new WorkerProcess(
      (batch) => this.#told(batch),
      (note) => this.#said(note),
    );
    this.#all.add(worker);
    void worker.ended.then(() => {
      this.#all.delete(worker);
      // Its successor knows of no ejection, and tries every endpoint.
      const former = worker.ejections.map((each) => ({ ...each, active: 0 }));
      this.#formerEjections = addedEjections([...this.#formerEjections, ...former]);
    });
    return worker;
  }

  #greet(worker: WorkerProcess): Promise<null> {
    const { map, proxyPort, limits, credentials, accessLog, traceShare } = this.#options;
    const options: WorkerOptions = { map: [...map], proxyPort, limits, credentials, accessLog: accessLog !== undefined, traceShare };
    return worker.call('start', options);
  }

  /** Starts another one in the place of a worker that ends by itself. */
  #watch(worker: WorkerProcess): void {
    void worker.ended.then((how) => {
      this.#workers.delete(worker);
      if (this.#isClosing) return;
      this.#failures = performance.now() - worker.startedAt > STEADY_MS ? 0 : this.#failures + 1;
      this.#options.log.error(`worker ${worker.pid} of the gateway ended (${how}); another one takes its place`);
      this.#replaceLater();
    });
  }

  #replaceLater(): void {
    const waitMs = Math.min(MOST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.max(0, this.#failures - 1));
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#replace();
    }, waitMs);
    this.#restarts.add(timer);
  }

  #replace(): void {
    let worker: WorkerProcess;
    try {
      worker = this.#spawn();
    } catch (error) {
      // Short of memory, for one (fork(2)); the others serve on.
      this.#failures += 1;
      this.#options.log.error('no worker of the gateway can be started; trying again', error);
      this.#replaceLater();
      return;
    }
    this.#restarted += 1;
    this.#watch(worker);
    this.#greet(worker)
      .then(() => this.#inTurn(() => this.#join(worker)))
      // Its end brings another attempt.
      .catch((error: unknown) => {
        if (!this.#isClosing && !worker.isGone) this.#options.log.error(`worker ${worker.pid} cannot serve`, error);
        worker.kill();
      });
  }

  /** Brings a worker to what the others serve. */
  async #join(worker: WorkerProcess): Promise<void> {
    await worker.call('avoid', this.#unhealthy);
    if (this.#served !== undefined) await this.#serve([worker], this.#served, this.#ports);
    this.#workers.add(worker);
    this.#options.log.info(`worker ${worker.pid} serves`);
  }

  /**
   * Serves objects in these workers. All of them hold their requests before the first one changes: no request is routed as before once any was
   * routed anew. Workers that end meanwhile are left out; whatever else goes wrong leaves everything as it was.
   */
  async #serve(
    workers: readonly WorkerProcess[],
    routed: RoutedObjects,
    known: OpenPorts,
  ): Promise<{ readonly diagnostics: readonly Diagnostic[] }> {
    const { objects, delegates, idNames } = routed;
    const open = async (worker: WorkerProcess, ports: OpenPorts) => (await worker.call('open', { ports })).ports;
    try {
      const compiled = await ofAll(workers, (worker) => {
        const changes = changesBetween(worker.objects, objects);
        worker.objects = objects;
        return worker.call('compile', { changes, delegates: [...delegates], idNames });
      });
      // What is new is opened by the first one, which finds out whether it can be; the others join.
      let ports = known;
      for (const worker of workers) {
        if (worker.isGone) continue;
        const [opened] = await ofAll([worker], () => open(worker, ports));
        ports = opened ?? ports;
      }
      await Promise.race([ofAll(workers, (worker) => worker.call('hold', null)), elapsed(LONGEST_HOLD_MS)]);
      const [first] = await ofAll(workers, (worker) => worker.call('serve', null));
      if (first === undefined) throw new Error('no worker of the gateway is running');
      this.#ports = ports;
      this.#addresses = first.addresses;
      return { diagnostics: compiled[0]?.diagnostics ?? [] };
    } catch (error) {
      await ofAll(workers, (worker) => worker.call('abandon', null));
      throw error;
    }
  }

  #told(batch: EventBatch): void {
    const { observe, accessLog } = this.#options;
    for (const event of eventsOf(batch)) observe(event);
    for (const line of batch.lines) accessLog?.(line);
    if (batch.lost === 0) return;
    this.#lost += batch.lost;
    this.#saying ??= setTimeout(() => this.#sayLost(), SAY_LOST_MS);
  }

  /** All workers have the same to say, at about the same time. */
  #said({ level, line }: WorkerNote): void {
    const now = performance.now();
    const before = this.#notes.get(line);
    this.#notes.set(line, now);
    for (const [each, at] of this.#notes) if (now - at > SAME_NOTE_MS) this.#notes.delete(each);
    if (before === undefined || now - before > SAME_NOTE_MS) this.#options.log[level](line);
  }

  #sayLost(): void {
    this.#saying = undefined;
    if (this.#lost === 0) return;
    this.#options.log.warn(
      `this process is too busy to take all that the gateway's workers tell: ${this.#lost} requests were not counted, or not written to the access log`,
    );
    this.#lost = 0;
  }
}

/** The answers of those workers that did not end meanwhile, in the workers' order. Rejects with the first other failure, once all have answered. */
async function ofAll<Answer>(
  workers: readonly WorkerProcess[],
  ask: (worker: WorkerProcess) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const settled = await Promise.allSettled(workers.filter(({ isGone }) => !isGone).map(ask));
  const failed = settled.find((each) => each.status === 'rejected' && !(each.reason instanceof WorkerGoneError));
  if (failed?.status === 'rejected') throw failed.reason;
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
