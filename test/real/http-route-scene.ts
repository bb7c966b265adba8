import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type IstioCluster, pathOf } from './istio-cluster.ts';
import { created } from './tenants.ts';

/** Services of these names, each with an endpoint that is ready. */
export async function makeServices(cluster: IstioCluster, namespace: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await created(cluster, `/api/v1/namespaces/${namespace}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    await created(cluster, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true } }],
    });
  }
}

/** An HTTPRoute at the Gateway `edge`, which nobody serves. */
export function httpRouteAtEdge(name: string, rules: readonly object[], metadata: object = {}): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { parentRefs: [{ name: 'edge' }], hostnames: ['shop.test'], rules },
  };
}

/** Says of an HTTPRoute what a gateway would. */
export async function sayAccepted(
  cluster: IstioCluster,
  { namespace = 'default', name }: { readonly namespace?: string; readonly name: string },
  said: 'True' | 'False',
  controllerName = 'istio.io/gateway-controller',
): Promise<void> {
  const condition = {
    type: 'Accepted',
    status: said,
    reason: 'Said',
    message: `${said} it is`,
    lastTransitionTime: '2026-11-29T00:00:00Z',
  };
  const parents = [{ parentRef: { name: 'edge' }, controllerName, conditions: [condition] }];
  const path = `${pathOf('HTTPRoute', namespace)}/${name}/status`;
  const { status, body } = await cluster.send('PATCH', path, { status: { parents } }, { 'content-type': 'application/merge-patch+json' });
  if (status !== 200) throw new Error(`HTTPRoute ${namespace}/${name}: ${body.message}`);
}
