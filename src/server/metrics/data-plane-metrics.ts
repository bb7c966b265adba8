import { Counter, Gauge } from 'prom-client';
import type { DataPlane, WorkerCounts } from '../data-plane.ts';
import type { MetricsPage } from './metrics-page.ts';

/** What outlier detection did, under the names of Envoy's statistics (`cluster.NAME.outlier_detection.`), summed over workers. */
export function addEjectionMetrics(page: MetricsPage, { ejections }: Pick<DataPlane, 'ejections'>): void {
  const labelNames = ['cluster_name'] as const;
  const registers = [page.registry];
  const active = new Gauge({
    name: 'perch_outlier_detection_ejections_active',
    help: 'Endpoints that outlier detection has ejected now, by cluster (outbound|PORT|SUBSET|HOST). With workers each counts for itself: summed over them.',
    labelNames,
    registers,
  });
  const enforced = new Counter({
    name: 'perch_outlier_detection_ejections_enforced_total',
    help: 'Ejections so far, by cluster.',
    labelNames,
    registers,
  });
  const overflow = new Counter({
    name: 'perch_outlier_detection_ejections_overflow_total',
    help: 'Ejections that were left out, as maxEjectionPercent of the endpoints were ejected already.',
    labelNames,
    registers,
  });
  page.read(() => {
    for (const metric of [active, enforced, overflow]) metric.reset();
    for (const { cluster, ...counts } of ejections()) {
      const labels = { cluster_name: cluster };
      active.set(labels, counts.active);
      enforced.inc(labels, counts.enforced);
      overflow.inc(labels, counts.overflowed);
    }
  });
}

/** The processes of a gateway of several. */
export function addWorkerMetrics(page: MetricsPage, workers: () => WorkerCounts): void {
  const registers = [page.registry];
  const wanted = new Gauge({ name: 'perch_workers_wanted', help: 'Worker processes of the gateway that there are to be.', registers });
  const serving = new Gauge({ name: 'perch_workers_serving', help: 'Those of them that serve.', registers });
  const restarts = new Counter({
    name: 'perch_worker_restarts_total',
    help: 'Worker processes that were started in the place of one that had ended.',
    registers,
  });
  page.read(() => {
    const now = workers();
    wanted.set(now.wanted);
    serving.set(now.serving);
    restarts.reset();
    restarts.inc(now.restarts);
  });
}
