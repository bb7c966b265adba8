import { Counter, Gauge, Histogram } from 'prom-client';
import type { KubeCall } from '../../cluster/kube/kube-call.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import type { MetricsPage } from './metrics-page.ts';
import { RELEASE_LABELS } from './release-metrics.ts';

/** From a read out of the apiserver's memory to its own limit for a request, in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How a controller gets on with the apiserver, and which releases it refuses, while it leads. `onCall` is to be told of each request, `onWatchFailed` of each list or watch that failed. */
export function addClusterMetrics(
  page: MetricsPage,
  isLeading: () => boolean,
  refused: () => readonly ObjectRef[],
): { readonly onCall: (call: KubeCall) => void; readonly onWatchFailed: (kind: string) => void } {
  const registers = [page.registry];
  const leader = new Gauge({ name: 'perch_leader', help: '1 where this process moves releases on, else 0.', registers });
  const calls = new Counter({
    name: 'perch_kube_requests_total',
    help: 'Requests to the apiserver, by verb and by the status of the answer (none: there was none). A watch counts when it begins.',
    labelNames: ['verb', 'code'],
    registers,
  });
  const took = new Histogram({
    name: 'perch_kube_request_duration_seconds',
    help: 'From a request to the apiserver until its answer begins.',
    labelNames: ['verb'],
    buckets: SECONDS,
    registers,
  });
  const failures = new Counter({
    name: 'perch_watch_failures_total',
    help: 'Lists and watches that failed and were begun again, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const refusals = new Gauge({
    name: 'perch_release_refused',
    help: '1 for each release whose spec is refused (condition Stalled, reason Refused; the Event says why). One that was taken before goes on by its last spec; else nothing more is told of it here.',
    labelNames: RELEASE_LABELS,
    registers,
  });
  page.read(() => {
    leader.set(isLeading() ? 1 : 0);
    refusals.reset();
    for (const { namespace, name } of isLeading() ? refused() : []) refusals.set({ namespace, name }, 1);
  });
  return {
    onCall({ verb, status, tookMs }) {
      calls.inc({ verb, code: status === 0 ? 'none' : String(status) });
      took.observe({ verb }, tookMs / 1000);
    },
    onWatchFailed: (kind) => failures.inc({ kind }),
  };
}
