import { randomBytes } from 'node:crypto';
import { runtimeAdmission } from '../cluster/admission.ts';
import { Listeners } from '../cluster/listeners.ts';
import { startEndpointProbe } from '../cluster/local/endpoint-probe.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { ObjectRef, Store } from '../cluster/store.ts';
import { StoreError } from '../cluster/store-errors.ts';
import { startController } from '../controller/controller.ts';
import type { RequestObserver } from '../core/evidence/request-event.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import type { TimelineSample } from '../core/view/timeline-view.ts';
import { type ListeningAddress, startGateway } from '../gateway/gateway.ts';
import type { GatewayLimits } from '../gateway/limits.ts';
import { startExposureObserver } from '../observers/exposure-observer.ts';
import { startRequestRateObserver } from '../observers/request-rate-observer.ts';
import type { ApiPlace } from './access/api-place.ts';
import { createApi } from './api.ts';
import type { ApiContext } from './api-context.ts';
import { auditedStore } from './audited-store.ts';
import { type DataPlane, ownDataPlane } from './data-plane.ts';
import { asListenError } from './listen-error.ts';
import { addControllerMetrics } from './metrics/controller-metrics.ts';
import { addEjectionMetrics, addWorkerMetrics } from './metrics/data-plane-metrics.ts';
import { addExposureMetrics } from './metrics/exposure-metrics.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import { addProcessMetrics } from './metrics/process-metrics.ts';
import { addReleaseMetrics } from './metrics/release-metrics.ts';
import { openApi } from './open-api.ts';
import { releasesObserved } from './releases-observed.ts';
import { startRoutePublisher } from './route-publisher.ts';
import { controllerLog, type RuntimeLog } from './runtime-log.ts';
import { StreamSlots } from './stream-slots.ts';
import { startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
import { startWorkerPool } from './workers/worker-pool.ts';

/** Where a runtime keeps its data and listens; what it draws with; whom it tells. */
interface RuntimeOptions extends TelemetryOptions {
  /** Where the store lives; made when absent. */
  readonly dataDir: string;
  /** Port of the HTTP API; 0: any free one. */
  readonly apiPort: number;
  /** Where else than on loopback it listens, and what keeps others out. */
  readonly apiPlace?: Omit<ApiPlace, 'port'>;
  /** Declared port -> port to listen on (0: any free one). */
  readonly map?: ReadonlyMap<number, number>;
  /** Port of the mesh's HTTP-proxy listener (0: any free one); undefined: none. */
  readonly proxyPort?: number;
  /** Processes that share the gateway's work; default: 1, which is this process. With more, `uuid` and `random` are not asked. */
  readonly workers?: number;
  /** Limits of the gateway, or of each worker, other than the defaults; one out of its bounds is a RangeError. */
  readonly limits?: Partial<GatewayLimits>;
  /** Draws request ids, which become visitor ids: UUID v4; default: the system's. */
  readonly uuid?: () => string;
  /** Draws among weighted destinations: 0 up to 1, without 1; default: Math.random. */
  readonly random?: () => number;
  /** The clock of request rates: monotonic, in ms; default: the process's own. */
  readonly monotonicNow?: () => number;
  /** Folder of the credentials that HTTPS servers name: NAME/tls.crt and NAME/tls.key. */
  readonly credentials?: string;
  readonly log: RuntimeLog;
}

/** The embedded runtime: store, gateway, controller, observer and API in one process. */
export interface Runtime {
  readonly store: Store;
  readonly apiPort: number;
  /** Where the API is, such as http://127.0.0.1:7070. */
  readonly apiOrigin: string;
  /** Where the gateway listens now. */
  addresses(): readonly ListeningAddress[];
  /**
   * Resolves once the gateway serves the revision, with what releases make of it; rejects with what keeps it from that (ListenError for a
   * port that is taken).
   */
  served(revision: number): Promise<void>;
  /** Stops everything; requests in flight get `graceMs` to finish (default: the limit `closeGraceMs`). Releases stay where they are, in the store. */
  close(graceMs?: number): Promise<void>;
}

async function startDataPlane(options: RuntimeOptions, told: Telemetry['gateway'], observe: RequestObserver): Promise<DataPlane> {
  const { workers = 1, map = new Map<number, number>(), proxyPort, limits = {}, credentials, log } = options;
  const { accessLog, traceShare } = told;
  if (workers > 1)
    return await startWorkerPool({ count: workers, map, proxyPort, limits, credentials, observe, accessLog, traceShare, log });
  const gateway = await startGateway({
    ...{ observe, map, limits, log },
    ...(credentials === undefined ? {} : { credentials }),
    ...(proxyPort === undefined ? {} : { proxyPort }),
    ...(options.uuid === undefined ? {} : { uuid: options.uuid }),
    ...(options.random === undefined ? {} : { random: options.random }),
    ...told,
  });
  return ownDataPlane(gateway);
}

/**
 * Starts the embedded runtime. The gateway serves the stored routes before anything else begins, so that a restart moves nobody; where
 * it cannot, `served` tells, and it goes on trying. Throws ListenError where the API's or the proxy's port is taken, ApiPlaceError where
 * the API would stand open, SharedPortsError where workers cannot share ports, and the store's errors (cluster/store-errors.ts), with nothing left running.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log } = options;
  /** In reverse order of start; each runs even if another fails. */
  const closers: (() => Promise<void> | void)[] = [];
  const onError = (what: string) => (error: unknown) =>
    log.error(`${what}: ${error instanceof Error ? error.message : String(error)}`, error);
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await Promise.resolve(close()).catch(onError('while closing'));
  };

  try {
    const opened = openSqliteStore({
      dataDir: options.dataDir,
      now: Date.now,
      admission: runtimeAdmission,
      onListenerError: onError('a listener failed'),
    });
    const store = auditedStore(opened, log, Date.now);
    closers.push(() => store.close());

    const samples = new Listeners<[ObjectRef, readonly TimelineSample[]]>(onError('a listener failed'));
    const observer = startExposureObserver({
      store,
      hashKey: randomBytes(16),
      onError: onError('exposure'),
      onFinding: ({ code, object, message, hint }) => log.warn(`${object}: ${message}; ${hint} (${code})`),
      onSamples: (namespace, name, added) => samples.notify({ kind: RELEASE, namespace, name }, added),
    });
    closers.push(() => observer.close());
    await observer.ready;

    const rates = startRequestRateObserver(options.monotonicNow);

    const telemetry = await startTelemetry(options, log.warn);
    closers.push(() => telemetry.close());

    let graceMs: number | undefined;
    const dataPlane = await startDataPlane(options, telemetry.gateway, (event) => {
      observer.observe(event);
      rates.observe(event);
      telemetry.observe(event);
    });
    closers.push(() => dataPlane.close(graceMs));
    const publisher = startRoutePublisher(store, dataPlane, log);
    closers.push(() => publisher.close());
    // A port that is taken is no reason to refuse the apply that may be about to give it up: `served` tells.
    await publisher.served(store.revision()).catch(() => {});

    const readiness = startEndpointProbe({
      store,
      onError: onError('readiness'),
      onUnhealthy: (endpoints) => dataPlane.avoid(endpoints),
      onShortage: (reason) => log.warn(`endpoints cannot be probed, they count as they were: ${reason}`),
    });
    closers.push(() => readiness.close());
    const notStored = new Listeners<[ObjectRef, StoreError]>(onError('a listener failed'));
    const page = new MetricsPage();
    addProcessMetrics(page);
    const releases = () => store.list(RELEASE);
    addReleaseMetrics(page, releases);
    const exposure = ({ namespace, name }: ObjectRef) => observer.summary(namespace, name);
    addExposureMetrics(page, releases, exposure);
    telemetry.addTo(page);
    addEjectionMetrics(page, { ejections: () => dataPlane.ejections() });
    const { workers } = dataPlane;
    if (workers !== undefined) addWorkerMetrics(page, () => workers.call(dataPlane));
    const { onPass } = addControllerMetrics(page, () => controller.load());
    const controller = startController({
      store,
      readiness,
      rates,
      log: controllerLog(log),
      onPass,
      onPassFailed: (release, error) => error instanceof StoreError && notStored.notify(release, error),
    });
    closers.push(() => controller.close());

    const context: ApiContext = {
      store,
      exposure,
      timeline: ({ namespace, name }) => observer.timeline(namespace, name),
      onSamples: (listener) => samples.add(listener),
      served: () => {
        const table = publisher.table();
        return table === undefined ? undefined : { table, addresses: dataPlane.addresses() };
      },
      onNotStored: (listener) => notStored.add(listener),
      notReady: () => publisher.failure(),
      metrics: page,
      streams: new StreamSlots(),
      logError: (message, error) => log.error(message, error),
    };
    const place: ApiPlace = { ...options.apiPlace, port: options.apiPort };
    const api = await openApi(place, { createApp: (access) => createApi(context, access), log });
    closers.push(() => api.close());

    return {
      store,
      apiPort: api.port,
      apiOrigin: api.origin,
      addresses: () => dataPlane.addresses(),
      served: async (revision) => {
        await releasesObserved(store);
        await publisher.served(Math.max(revision, store.revision()));
      },
      close: async (grace) => {
        graceMs = grace;
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw asListenError(error) ?? error;
  }
}
