import { Counter, Gauge, Histogram } from 'prom-client';
import type { PassFigures } from '../../controller/controller.ts';
import type { QueueLoad } from '../../controller/work-queue.ts';
import type { MetricsPage } from './metrics-page.ts';

/** From a pass that finds nothing to do to one that waits for a slow apiserver, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the controller has to do and how it gets on, under the names of Kubernetes’ work queues. `onPass` is to be told of each pass. */
export function addControllerMetrics(page: MetricsPage, load: () => QueueLoad): { readonly onPass: (figures: PassFigures) => void } {
  const registers = [page.registry];
  const passes = new Counter({
    name: 'perch_reconcile_total',
    help: 'Passes over releases: done; outdated, as something had changed meanwhile; failed.',
    labelNames: ['result'],
    registers,
  });
  const took = new Histogram({
    name: 'perch_reconcile_duration_seconds',
    help: 'How long a pass over a release took.',
    buckets: SECONDS,
    registers,
  });
  const waited = new Histogram({
    name: 'perch_workqueue_queue_duration_seconds',
    help: 'How long a release waited for its pass, from when it was to be looked at.',
    buckets: SECONDS,
    registers,
  });
  const retries = new Counter({
    name: 'perch_workqueue_retries_total',
    help: 'Passes that have to be made again: outdated or failed.',
    registers,
  });
  const depth = new Gauge({ name: 'perch_workqueue_depth', help: 'Releases that wait for their pass.', registers });
  const running = new Gauge({ name: 'perch_workqueue_running', help: 'Passes that run.', registers });
  for (const result of ['done', 'outdated', 'failed'] as const) passes.inc({ result }, 0);
  page.read(() => {
    const now = load();
    depth.set(now.waiting);
    running.set(now.running);
  });
  return {
    onPass({ outcome, waitedMs, tookMs }) {
      passes.inc({ result: outcome });
      took.observe(tookMs / 1000);
      waited.observe(waitedMs / 1000);
      if (outcome !== 'done') retries.inc();
    },
  };
}
