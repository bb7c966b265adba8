import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import { RequestCounter } from '../core/evidence/request-totals.ts';
import type { GatewayOptions } from '../gateway/gateway.ts';
import type { SpanExporterOptions } from '../observers/span-exporter.ts';
import type { AccessLogWriter } from './access-log/access-log-writer.ts';
import { addAccessLogMetrics } from './metrics/access-log-metrics.ts';
import type { MetricsPage } from './metrics/metrics-page.ts';
import { addRequestMetrics } from './metrics/request-metrics.ts';
import { addSpanMetrics } from './metrics/span-metrics.ts';

/** What is told of requests, and to whom. */
export interface TelemetryOptions {
  /** Takes a line of JSON per request, and says how many it gave up. */
  readonly accessLog?: Pick<AccessLogWriter, 'write' | 'dropped'>;
  /** Where spans go, and which share (0 to 1) of the traces that begin here is sampled; absent: nothing is traced. */
  readonly tracing?: Omit<SpanExporterOptions, 'warn'> & { readonly share: number };
}

/** The telemetry of one gateway. */
export interface Telemetry {
  /** What the gateway is to be started with. */
  readonly gateway: Pick<GatewayOptions, 'accessLog' | 'traceShare'>;
  readonly observe: RequestObserver;
  addTo(page: MetricsPage): void;
  close(): Promise<void>;
}

/** Starts to count requests, and to log and trace them where that is asked for. */
export async function startTelemetry({ accessLog, tracing }: TelemetryOptions, warn: (message: string) => void): Promise<Telemetry> {
  const counter = new RequestCounter();
  // Most runtimes trace nothing; what does it is not loaded there.
  const exporter = tracing && (await import('../observers/span-exporter.ts')).startSpanExporter({ ...tracing, warn });
  const count = (event: RequestEvent): void => counter.count(event);
  return {
    gateway: {
      ...(accessLog !== undefined && { accessLog: (line: string) => accessLog.write(line) }),
      ...(tracing !== undefined && { traceShare: tracing.share }),
    },
    observe:
      exporter === undefined
        ? count
        : (event) => {
            counter.count(event);
            exporter.observe(event);
          },
    addTo: (page) => {
      addRequestMetrics(page, () => counter.totals());
      if (accessLog !== undefined) addAccessLogMetrics(page, () => accessLog.dropped());
      if (exporter !== undefined) addSpanMetrics(page, () => exporter.counts());
    },
    close: async () => exporter?.close(),
  };
}
