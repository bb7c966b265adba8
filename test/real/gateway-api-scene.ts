import { networkInterfaces } from 'node:os';
import type { HttpRouteRule } from '../../src/core/gateway-api/http-route.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { IstioCluster } from './istio-cluster.ts';
import { INGRESS } from './mesh.ts';
import { created } from './tenants.ts';

/** Endpoints of Services cannot be on loopback. */
export function ownAddress(): string {
  const found = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  );
  const address = found[0]?.address;
  if (address === undefined) throw new Error('this machine has no IPv4 address but loopback, where no endpoint of a Service may be');
  return address;
}

/** A Service at `port` that is served at one of `ownAddress()`. */
export async function serviceAt(
  cluster: IstioCluster,
  name: string,
  port: number,
  targetPort: number,
  namespace = 'default',
): Promise<void> {
  const spec = { ports: [{ name: 'http', port, targetPort }] };
  await created(cluster, `/api/v1/namespaces/${namespace}/services`, { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
  await created(cluster, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: targetPort, protocol: 'TCP' }],
    endpoints: [{ addresses: [ownAddress()], conditions: { ready: true } }],
  });
}

/** The Gateway `edge` of istio-system, where `INGRESS` listens at `port`. */
export async function gatewayAt(cluster: IstioCluster, port: number): Promise<void> {
  // Programmed by hand: of the Service that an address names istiod takes the selector, and deploys nothing.
  await created(cluster, '/api/v1/namespaces/istio-system/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'ingress' },
    spec: { selector: INGRESS.labels, ports: [{ name: 'http', port }] },
  });
  await created(cluster, '/apis/gateway.networking.k8s.io/v1/namespaces/istio-system/gateways', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: {
      gatewayClassName: 'istio',
      addresses: [{ type: 'Hostname', value: 'ingress.istio-system.svc.cluster.local' }],
      listeners: [{ name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
  });
}

/** An HTTPRoute at that Gateway, for shop.test. */
export function routeAtEdge(name: string, rules: readonly HttpRouteRule[]): KubeObject {
  return httpRoute(name, { parentRefs: [{ name: 'edge', namespace: 'istio-system' }], hostnames: ['shop.test'], rules });
}

/** An HTTPRoute of a Service, inside the mesh. */
export function routeOfService(name: string, service: object, rules: readonly HttpRouteRule[], namespace = 'default'): KubeObject {
  return httpRoute(name, { parentRefs: [{ group: '', kind: 'Service', ...service }], rules }, namespace);
}

function httpRoute(name: string, spec: object, namespace = 'default'): KubeObject {
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name, namespace }, spec };
}
