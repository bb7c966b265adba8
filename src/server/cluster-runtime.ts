import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReferenceGrant } from '../cluster/kube/cluster-admission.ts';
import { clusterReadiness, WATCHED_MS } from '../cluster/kube/cluster-readiness.ts';
import { deploymentScaling } from '../cluster/kube/deployment-scaling.ts';
import { Deployments } from '../cluster/kube/deployments.ts';
import type { EnvoySyncOptions } from '../cluster/kube/envoy-sync.ts';
import { FencedWriter } from '../cluster/kube/fenced-writer.ts';
import { type KubeAccess, KubeClient, KubeError } from '../cluster/kube/kube-client.ts';
import { KubeMesh } from '../cluster/kube/kube-mesh.ts';
import { openKubeStore } from '../cluster/kube/kube-store.ts';
import { LeaderElection } from '../cluster/kube/leader-election.ts';
import { leaseName, type NamespaceScope } from '../cluster/kube/namespace-scope.ts';
import { ServiceEndpoints } from '../cluster/kube/service-endpoints.ts';
import { type Controller, startController } from '../controller/controller.ts';
import { logText } from '../core/diagnostics/log-text.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { listenForApi } from './api-listener.ts';
import { createClusterApi } from './cluster-api/cluster-api.ts';
import { addClusterMetrics } from './metrics/cluster-metrics.ts';
import { addControllerMetrics } from './metrics/controller-metrics.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import { addProcessMetrics } from './metrics/process-metrics.ts';
import { addReleaseMetrics } from './metrics/release-metrics.ts';
import { addWebhookMetrics } from './metrics/webhook-metrics.ts';
import { listenForProbes } from './probe-listener.ts';
import { controllerLog, type RuntimeLog } from './runtime-log.ts';
import { weaveAtAdmission } from './webhook/weave-at-admission.ts';
import { startWebhook, type WebhookPlace } from './webhook/webhook.ts';

/** Which cluster, and how. */
export interface ClusterRuntimeOptions {
  readonly access: KubeAccess;
  /** Undefined: all namespaces. */
  readonly scope?: NamespaceScope | undefined;
  /** Which releases may name what is in other namespaces; none where absent. */
  readonly grants?: readonly ReferenceGrant[];
  /** Where the Lease is that says who of several controllers leads. */
  readonly leaseNamespace: string;
  /** How it is told that the Envoys have a change of routes. */
  readonly envoys: EnvoyOptions;
  /** Port of /healthz, /readyz and /metrics on all addresses (0: any free one); undefined: none. */
  readonly metricsPort?: number;
  /** Port of the HTTP API on loopback (0: any free one); undefined: none. */
  readonly apiPort?: number;
  /** Of Perch. */
  readonly version: string;
  /** Where routes that others write are woven on their way; absent: they are woven once they are written. */
  readonly webhook?: WebhookPlace;
  readonly log: RuntimeLog;
}

/** Whom to ask what Envoys have; times in ms. */
export interface EnvoyOptions extends Pick<EnvoySyncOptions, 'settleMs' | 'patienceMs' | 'tokenFile'> {
  /** Where istiod is. */
  readonly istioNamespace: string;
  /** The debug interfaces of istiods, as URLs; undefined: those of the Services `app: istiod` in that namespace. */
  readonly istiods: readonly string[] | undefined;
}

/** A controller in a cluster, leading or ready to. */
export interface ClusterRuntime {
  /** Where /metrics and the others are; undefined where they are not wanted. */
  readonly metricsPort: number | undefined;
  /** Where the HTTP API is; undefined where it is not wanted. */
  readonly apiPort: number | undefined;
  /** Gives the lead away; releases stay where they are. */
  close(): Promise<void>;
}

const LONGEST_REST_MS = 30_000;
/** How often each release is looked at though nothing told to: watches tell. Versions are asked for again well before they would be forgotten. */
const RESYNC_MS = WATCHED_MS / 2.5;
/** Passes at the same time: each waits for the apiserver several times. */
const WORKERS = 16;
/** Events that wait when it ends are written within this time, in ms, or not at all. */
const TELLING_MS = 5000;

/**
 * Runs releases in a cluster: watches what the API holds, and, while it leads, moves releases on. What it serves is kept in the API alone, so another one
 * goes on where it ended. It begins at once, and goes on trying where there is nobody to talk to. The webhook is served whoever leads.
 * @throws ListenError where a port is taken, CertificateError where the webhook has no certificate; nothing is left running.
 */
export async function startClusterRuntime(options: ClusterRuntimeOptions): Promise<ClusterRuntime> {
  const { log, access, scope, grants, leaseNamespace, envoys, metricsPort, apiPort, version } = options;
  let election: LeaderElection | undefined;
  let controller: Controller | undefined;
  const metrics = new MetricsPage();
  addProcessMetrics(metrics);
  // Whoever follows knows releases too, but each is to be told of once.
  addReleaseMetrics(metrics, async () => (controller === undefined ? [] : store.list(RELEASE)));
  const { onPass } = addControllerMetrics(metrics, () => controller?.load() ?? { waiting: 0, running: 0 });
  const { onCall, onWatchFailed: countWatchFailure } = addClusterMetrics(
    metrics,
    () => election?.isLeading() === true,
    () => store.refused(),
  );
  const webhook =
    options.webhook === undefined ? undefined : await startWebhook({ ...options.webhook, ...addWebhookMetrics(metrics), log });
  let missing: string | undefined = 'does not know yet what the cluster holds';
  const probes =
    metricsPort === undefined
      ? undefined
      : await listenForProbes({ notReady: () => missing, metrics }, metricsPort, (error) => log.error('metrics', error)).catch(
          async (error: unknown) => {
            await webhook?.close();
            throw error;
          },
        );
  const instance = `${hostname()}_${process.pid}`;
  const client = new KubeClient(access, onCall, `perch/${version} (controller; ${instance})`);
  // What an apiserver answers may repeat what users wrote.
  const onError = (message: string, error?: unknown) => log.error(logText(message), error);
  const mayWrite = () => election?.isLeading() === true;
  const listenerFailed = (error: unknown) => onError('a listener failed', error);
  /** A list or watch of a kind failed, and is begun again. */
  const watchFailed = (kind: string, error: KubeError, againInMs: number): void => {
    countWatchFailure(kind);
    const message = `${kind}: ${error.message}; again in ${Math.round(againInMs)} ms`;
    if (error.isBusy) log.warn(logText(message));
    else onError(message);
  };
  const services = new ServiceEndpoints(client, scope, watchFailed, listenerFailed);
  const deployments = new Deployments(client, scope, (error, wait) => watchFailed('Deployment', error, wait), listenerFailed);
  const scaleWriter = new FencedWriter({ client, mayWrite });
  const scaling = deploymentScaling({ client: scaleWriter, deployments });
  const { istiods, istioNamespace } = envoys;
  const store = openKubeStore({
    client,
    scope,
    grants,
    instance,
    envoys: { ...envoys, istiods: () => istiods ?? istiodsOf(services, istioNamespace) },
    mayWrite,
    onError,
    onWatchFailed: watchFailed,
  });
  const mesh = new KubeMesh({
    client,
    scope,
    services,
    deployments,
    istioNamespace,
    failed: watchFailed,
    onListenerError: listenerFailed,
  });
  const readiness = clusterReadiness({ store, services, deployments, synced: store.synced }, (error) => onError('readiness', error));
  const closeReading = async (): Promise<void> => {
    await webhook?.close();
    await readiness.close();
    await mesh.close();
    await services.close();
    await deployments.close();
    await store.close();
    await probes?.close();
  };
  const api =
    apiPort === undefined
      ? undefined
      : await listenForApi(createClusterApi({ store, client, access, notReady: () => missing, metrics, logError: onError }), {
          port: apiPort,
        }).catch(async (error: unknown) => {
          await closeReading();
          throw error;
        });
  let changing = Promise.resolve();
  const lead = async (isLeading: boolean): Promise<void> => {
    if (isLeading && controller === undefined) {
      log.info('leads: moves releases on');
      tellOfClock(client.serverAheadMs, log);
      // The apiserver's clock is the same for all controllers: a hold that one began ends no sooner where the next one's own clock is wrong.
      const time = { wall: () => client.now(), monotonic: () => performance.now() };
      controller = startController({
        store,
        readiness,
        mesh,
        scaling,
        workers: WORKERS,
        resyncMs: RESYNC_MS,
        log: controllerLog(log),
        time,
        leastDelayMs,
        onPass,
      });
      store.announce();
    } else if (!isLeading && controller !== undefined) {
      log.info('follows: another controller moves releases on, or none');
      await controller.close();
      controller = undefined;
    }
  };
  let isClosed = false;
  // Who leads has to know everything.
  void Promise.all([store.synced, services.synced, deployments.synced, mesh.synced]).then(() => {
    if (isClosed) return;
    missing = undefined;
    webhook?.answerBy((request) => weaveAtAdmission(store, request, () => new Date()));
    log.info('knows what the cluster holds');
    election = new LeaderElection({
      client,
      namespace: leaseNamespace,
      name: leaseName(scope),
      identity: instance,
      onChange: (isLeading) => {
        if (!isLeading) {
          store.breakOff();
          scaleWriter.breakOff();
        }
        changing = changing.then(() => lead(isLeading));
      },
      onError: (error) => log.warn(`who leads is not known: ${logText(error.message)}`),
    });
  });
  return {
    metricsPort: probes?.port,
    apiPort: api?.port,
    async close() {
      isClosed = true;
      await api?.close();
      await changing;
      await lead(false);
      await Promise.race([store.told(), sleep(TELLING_MS, undefined, { ref: false })]);
      await election?.stop();
      await changing;
      await closeReading();
    },
  };
}

/** An apiserver that has too much to do says when to come again. What stands before it may say far too long: a rollback waits as well. */
function leastDelayMs(error: unknown): number {
  return error instanceof KubeError ? Math.min(error.retryAfterMs ?? 0, LONGEST_REST_MS) : 0;
}

function tellOfClock(serverAheadMs: number, log: RuntimeLog): void {
  if (serverAheadMs === 0) return;
  const seconds = Math.round(Math.abs(serverAheadMs) / 1000);
  log.warn(
    `this machine’s clock is ${seconds} s ${serverAheadMs > 0 ? 'behind' : 'ahead of'} the apiserver’s: holds go by the apiserver’s`,
  );
}

/** The debug interfaces of all istiods, of every revision: each knows only the Envoys that are connected to it. */
function istiodsOf(services: ServiceEndpoints, namespace: string): readonly string[] {
  return services.readyAddresses(namespace, { app: 'istiod' }, 'http-monitoring').map((address) => `http://${address}`);
}
