import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { ApiEnv } from './api-guards.ts';
import { type ApiListener, listenOnAllAddresses } from './api-listener.ts';
import { type Probes, probeRoutes } from './probe-routes.ts';

/** Serves `probeRoutes` alone on all addresses at one port: to a kubelet and Prometheus, which come from elsewhere. */
export function listenForProbes(
  probes: Probes,
  port: number,
  onError: (error: unknown) => void,
): Promise<Pick<ApiListener, 'port' | 'close'>> {
  const app = new Hono<ApiEnv>();
  app.use(methodNotAllowed({ app }));
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
  });
  app.route('/', probeRoutes(probes));
  app.notFound((c) => c.text('only /healthz, /readyz and /metrics are here', 404));
  app.onError((error, c) => {
    onError(error);
    return c.text('failed inside; the log has the details', 500);
  });
  return listenOnAllAddresses(app, port);
}
