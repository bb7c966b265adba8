import { Counter } from 'prom-client';
import type { MetricsPage } from './metrics-page.ts';

/** What became of the access log's lines; `dropped` gives how many were given up so far. */
export function addAccessLogMetrics(page: MetricsPage, dropped: () => number): void {
  const counter = new Counter({
    name: 'perch_access_log_dropped_total',
    help: 'Lines of the access log that were given up, as the disk or whoever reads them was too slow, or could not take them.',
    registers: [page.registry],
  });
  page.read(() => {
    counter.reset();
    counter.inc(dropped());
  });
}
