import type { VirtualService } from '../../src/core/istio/resources.ts';
import { startEnvoy } from '../../test/envoy/envoy-process.ts';
import { clusterName, envoyRoutes } from '../../test/envoy/istio-routes.ts';
import { httpListener, staticCluster } from '../../test/envoy/static-config.ts';
import type { Origins, RunningProxy } from './candidate.ts';
import { SERVICE_PORT } from './shop.ts';

/** A real Envoy with one worker as an edge proxy, with what istiod makes of these routes; no access log, no tracing. */
export async function startEnvoyProxy(executable: string, core: number, origins: Origins, routes: VirtualService): Promise<RunningProxy> {
  const clusters = (['stable', 'canary'] as const).map((subset) =>
    staticCluster(clusterName({ host: 'shop', subset, port: { number: SERVICE_PORT } }, 'default'), origins[subset]),
  );
  const envoy = await startEnvoy(
    executable,
    { listeners: [httpListener('edge', envoyRoutes(routes))], clusters },
    { prefix: ['taskset', '-c', String(core)] },
  );
  return { port: envoy.port('edge'), pid: envoy.pid, stop: envoy.stop };
}
