import { freePort } from './free-port.ts';
import type { IstioCluster } from './istio-cluster.ts';
import { type Istiod, type MeshEnvoy, startMeshEnvoy, type Workload } from './mesh.ts';
import { created } from './tenants.ts';

/** A waypoint of the namespace `default`. */
export interface Waypoint extends MeshEnvoy {
  /** Where clients reach the Service for which it was started. */
  readonly port: number;
}

const NAME = { 'gateway.networking.k8s.io/gateway-name': 'waypoint' };
const WAYPOINT: Workload = { type: 'waypoint', address: '10.255.0.9', name: 'waypoint', namespace: 'default', labels: NAME };
/** Where HBONE comes in. */
const HBONE = 15_008;
/** The listener by which a waypoint routes, behind the end of the tunnel. */
const ROUTING = 'main_internal';

/** The objects of a waypoint that nobody deploys, with an endpoint, so that istiod takes it for ready: Services name it in `istio.io/use-waypoint`. */
export async function makeWaypoint(cluster: IstioCluster): Promise<void> {
  const inDefault = (group: string) => `${group}/namespaces/default`;
  await created(cluster, `${inDefault('/api/v1')}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'waypoint', labels: NAME },
    spec: { selector: NAME, ports: [{ name: 'mesh', port: HBONE }] },
  });
  await created(cluster, `${inDefault('/apis/discovery.k8s.io/v1')}/endpointslices`, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'waypoint-1', labels: { 'kubernetes.io/service-name': 'waypoint' } },
    addressType: 'IPv4',
    ports: [{ name: 'mesh', port: HBONE, protocol: 'TCP' }],
    endpoints: [{ addresses: [WAYPOINT.address], conditions: { ready: true } }],
  });
  await created(cluster, `${inDefault('/apis/gateway.networking.k8s.io/v1')}/gateways`, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'waypoint', labels: { 'istio.io/waypoint-for': 'service' } },
    spec: {
      gatewayClassName: 'istio-waypoint',
      addresses: [{ type: 'Hostname', value: 'waypoint.default.svc.cluster.local' }],
      listeners: [{ name: 'mesh', port: HBONE, protocol: 'HBONE' }],
    },
  });
}

/**
 * A real Envoy with what a real istiod has for this waypoint, but for what stock Envoy lacks (stock-discovery.ts). Connections to `port` come to its routing listener as those do that
 * ztunnel sends through a tunnel: with the address of the Service as where they were going.
 */
export async function startWaypoint(executable: string, istiod: Istiod, service: string): Promise<Waypoint> {
  const port = await freePort();
  const own = { listeners: [clientListener(port, service)], clusters: [ROUTING_CLUSTER], extensions: [INTERNAL_LISTENERS] };
  const envoy = await startMeshEnvoy(executable, istiod, WAYPOINT, ROUTING, { own });
  return { ...envoy, port };
}

const TYPE = 'type.googleapis.com/envoy.extensions';

function clientListener(port: number, service: string): object {
  const going = {
    object_key: 'envoy.filters.listener.original_dst.local_ip',
    format_string: { text_format_source: { inline_string: service } },
    shared_with_upstream: 'ONCE',
  };
  return {
    name: 'client',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          { name: 'going', typed_config: { '@type': `${TYPE}.filters.network.set_filter_state.v3.Config`, on_new_connection: [going] } },
          {
            name: 'on',
            typed_config: { '@type': `${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'client', cluster: 'routing' },
          },
        ],
      },
    ],
  };
}

const ROUTING_CLUSTER = {
  name: 'routing',
  type: 'STATIC',
  load_assignment: {
    cluster_name: 'routing',
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { envoy_internal_address: { server_listener_name: ROUTING } } } }] }],
  },
  transport_socket: {
    name: 'internal_upstream',
    typed_config: {
      '@type': `${TYPE}.transport_sockets.internal_upstream.v3.InternalUpstreamTransport`,
      transport_socket: { name: 'raw_buffer', typed_config: { '@type': `${TYPE}.transport_sockets.raw_buffer.v3.RawBuffer` } },
    },
  },
};

const INTERNAL_LISTENERS = {
  name: 'envoy.bootstrap.internal_listener',
  typed_config: { '@type': `${TYPE}.bootstrap.internal_listener.v3.InternalListener` },
};
