import { Counter } from 'prom-client';
import type { MetricsPage } from './metrics-page.ts';

/** What became of the spans of sampled requests. */
export function addSpanMetrics(page: MetricsPage, counts: () => { readonly exported: number; readonly dropped: number }): void {
  const counter = new Counter({
    name: 'perch_spans_total',
    help: 'Spans of sampled requests: exported, which the collector took; dropped, as it refused them or the queue was full.',
    labelNames: ['result'],
    registers: [page.registry],
  });
  page.read(() => {
    counter.reset();
    for (const [result, count] of Object.entries(counts())) counter.inc({ result }, count);
  });
}
