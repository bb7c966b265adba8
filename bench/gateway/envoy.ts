import type { VirtualService } from '../../src/core/istio/resources.ts';
import { startEnvoy } from '../../test/envoy/envoy-process.ts';
import { clusterName, envoyRoutes } from '../../test/envoy/istio-routes.ts';
import { httpListener, staticCluster } from '../../test/envoy/static-config.ts';
import type { Origins, RunningProxy } from './candidate.ts';
import type { Certificate } from './certificate.ts';
import { SERVICE_PORT } from './shop.ts';

/** A listener that shows this certificate. */
function withTls(listener: object, { certificate, key }: Certificate): object {
  const { filter_chains } = listener as { readonly filter_chains: readonly object[] };
  const tls_certificates = [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }];
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    common_tls_context: { tls_certificates, alpn_protocols: ['http/1.1'] },
  };
  const transport_socket = { name: 'envoy.transport_sockets.tls', typed_config };
  return { ...listener, filter_chains: filter_chains.map((chain) => ({ ...chain, transport_socket })) };
}

/** A real Envoy with one worker as an edge proxy, with what istiod makes of these routes; no access log, no tracing. */
export async function startEnvoyProxy(
  executable: string,
  core: number,
  origins: Origins,
  certificate: Certificate,
  routes: VirtualService,
): Promise<RunningProxy> {
  const clusters = (['stable', 'canary'] as const).map((subset) =>
    staticCluster(clusterName({ host: 'shop', subset, port: { number: SERVICE_PORT } }, 'default'), origins[subset]),
  );
  const envoy = await startEnvoy(
    executable,
    {
      listeners: [httpListener('edge', envoyRoutes(routes)), withTls(httpListener('edge-tls', envoyRoutes(routes)), certificate)],
      clusters,
    },
    { prefix: ['taskset', '-c', String(core)] },
  );
  return { port: envoy.port('edge'), tlsPort: envoy.port('edge-tls'), pid: envoy.pid, stop: envoy.stop };
}
