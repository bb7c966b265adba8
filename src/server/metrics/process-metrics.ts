import { Counter, Gauge } from 'prom-client';
import type { MetricsPage } from './metrics-page.ts';

/** What every program tells Prometheus of itself, under the names that dashboards know (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). */
export function addProcessMetrics(page: MetricsPage): void {
  const registers = [page.registry];
  const cpu = new Counter({ name: 'process_cpu_seconds_total', help: 'Time of the CPU that the process has used, in seconds.', registers });
  const memory = new Gauge({ name: 'process_resident_memory_bytes', help: 'Memory that the process holds.', registers });
  const start = new Gauge({ name: 'process_start_time_seconds', help: 'When the process began, in seconds since 1970.', registers });
  start.set(Math.round(performance.timeOrigin / 1000));
  let usedBefore = 0;
  page.read(() => {
    const { user, system } = process.cpuUsage();
    const used = (user + system) / 1e6;
    cpu.inc(used - usedBefore);
    usedBefore = used;
    memory.set(process.memoryUsage.rss());
  });
}
