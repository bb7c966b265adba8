import { Hono } from 'hono';
import type { ApiEnv } from './api-guards.ts';

/** What those ask who watch over a runtime: a kubelet, Prometheus. */
export interface Probes {
  /** Undefined where the runtime is ready, else what is missing, for people. */
  notReady(): string | undefined;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** `/healthz` (it answers, so its event loop turns), `/readyz` and `/metrics`. Nothing on them is secret, and nothing can be changed. */
export function probeRoutes(probes: Probes): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/healthz', (c) => c.text('ok'));
  app.get('/readyz', (c) => {
    const reason = probes.notReady();
    return reason === undefined ? c.text('ok') : c.text(reason, 503);
  });
  app.get('/metrics', async (c) => c.text(await probes.metrics.text(), 200, { 'content-type': probes.metrics.contentType }));
  return app;
}
