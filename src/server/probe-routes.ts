import type { Hono } from 'hono';
import type { ApiEnv } from './api-guards.ts';
import type { MetricsPage } from './metrics/metrics-page.ts';
import { slicedStream } from './metrics/sliced-stream.ts';
import { OperationRoutes } from './operations/operation-routes.ts';
import { RUNTIME_OPERATIONS } from './operations/runtime-operations.ts';

/** What those ask who watch over a runtime: a kubelet, Prometheus. */
export interface Probes {
  /** Undefined where the runtime is ready, else what is missing, for people. */
  notReady(): string | undefined;
  readonly metrics: Pick<MetricsPage, 'contentType' | 'pieces'>;
}

/** `/healthz` (it answers, so its event loop turns), `/readyz` and `/metrics`. Nothing on them is secret, and nothing can be changed. */
export function probeRoutes(probes: Probes): Hono<ApiEnv> {
  const routes = new OperationRoutes();
  routes.serve(RUNTIME_OPERATIONS.healthz, ({ c }) => c.text('ok'));
  routes.serve(RUNTIME_OPERATIONS.readyz, ({ c }) => {
    const reason = probes.notReady();
    return reason === undefined ? c.text('ok') : c.text(reason, 503);
  });
  routes.serve(RUNTIME_OPERATIONS.metrics, async ({ c }) =>
    c.body(slicedStream(await probes.metrics.pieces()), 200, { 'content-type': probes.metrics.contentType }),
  );
  return routes.app;
}
