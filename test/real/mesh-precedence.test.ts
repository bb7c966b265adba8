import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Closers } from '../harness/closers.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { freePort } from './free-port.ts';
import { ownAddress, routeOfService, serviceAt } from './gateway-api-scene.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { type Istiod, startIstiod, startMeshEnvoy, type Workload } from './mesh.ts';
import { makeNamespace } from './tenants.ts';

/** Ages are told by the second. */
const APART_MS = 1500;

/** Who answers clients of other namespaces than the Service's. */
const ELSEWHERE = {
  'old-vs': 'virtual-service',
  'old-route': 'http-route',
  'vs-elsewhere': 'http-route',
  'private-vs': 'http-route',
  consumed: 'http-route',
  'old-consumed': 'http-route',
  'of-port': 'http-route',
};

/** What Perch takes for granted about who wins (PERCH2019), asked of Istio itself: no release and no controller. */
describeWithMesh('several routes of one Service in the mesh, at a real istiod and sidecars', (parts) => {
  const closers = new Closers();
  const agent = connections();
  let cluster: IstioCluster;
  let istiod: Istiod;
  let port: number;

  const to = (name: string) => [{ backendRefs: [{ name, port, namespace: 'default' }] }];
  const virtualService = (host: string, namespace = 'default', fields: object = {}) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: host, namespace },
    spec: {
      hosts: [`${host}.default.svc.cluster.local`],
      http: [{ route: [{ destination: { host: 'virtual-service.default.svc.cluster.local', port: { number: port } } }] }],
      ...fields,
    },
  });
  const httpRoute = (service: string) => routeOfService(service, { name: service }, to('http-route'));

  beforeAll(async () => {
    cluster = closers.keep(await startIstioCluster(parts));
    await cluster.addGatewayApi();
    for (const name of ['other', 'third']) await makeNamespace(cluster, name);
    port = await freePort();
    for (const name of ['virtual-service', 'http-route', 'consumer-route', 'port-route', 'plain']) {
      const server = closers.keep(await startVersion(name, undefined, ownAddress()));
      for (const service of name === 'plain' ? Object.keys(ELSEWHERE) : [name]) await serviceAt(cluster, service, port, server.port);
    }
    const grant = (namespace: string) => ({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: namespace, namespace: 'default' },
      spec: { from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace }], to: [{ group: '', kind: 'Service' }] },
    });
    await cluster.apply(grant('other'));
    const consumer = (service: string) => routeOfService(service, { name: service, namespace: 'default' }, to('consumer-route'), 'other');
    await cluster.apply(
      virtualService('old-vs'),
      httpRoute('old-route'),
      httpRoute('private-vs'),
      httpRoute('consumed'),
      consumer('old-consumed'),
      httpRoute('of-port'),
      httpRoute('vs-elsewhere'),
    );
    await sleep(APART_MS);
    await cluster.apply(
      httpRoute('old-vs'),
      virtualService('old-route'),
      virtualService('private-vs', 'default', { exportTo: ['.'] }),
      consumer('consumed'),
      httpRoute('old-consumed'),
      routeOfService('of-one-port', { name: 'of-port', port }, to('port-route')),
      virtualService('vs-elsewhere', 'other'),
    );
    istiod = closers.keep(await startIstiod(parts.istiod, cluster.kubeconfig, { gatewayApi: true }));
  });
  afterAll(async () => {
    agent.destroy();
    await closers.close();
  });

  /** Who answers a client of a namespace that calls each of the services. */
  const answersIn = async (namespace: string): Promise<Record<string, string>> => {
    const client: Workload = { type: 'sidecar', address: '10.255.0.3', name: 'client', namespace, labels: { app: 'client' } };
    const envoy = await startMeshEnvoy(parts.envoy, istiod, client, port);
    try {
      const ask = async (name: string) => (await new Visitor(agent, port).get('/', { host: `${name}.default:${port}` })).body;
      await expect.poll(() => ask('http-route')).toBe('http-route');
      const names = Object.keys(ELSEWHERE);
      return Object.fromEntries(await inParallel(names, names.length, async (name) => [name, await ask(name)]));
    } finally {
      await envoy.stop();
    }
  };

  it('clients of an HTTPRoute’s namespace go by it before any VirtualService that all see', async () => {
    expect(await answersIn('default')).toEqual({
      'old-vs': 'http-route',
      'old-route': 'http-route',
      'vs-elsewhere': 'http-route',
      'private-vs': 'virtual-service',
      consumed: 'http-route',
      'old-consumed': 'http-route',
      'of-port': 'http-route',
    });
  });

  it('those of another namespace go by an HTTPRoute there, and else by the older', async () => {
    expect(await answersIn('other')).toEqual({ ...ELSEWHERE, consumed: 'consumer-route', 'old-consumed': 'consumer-route' });
  });

  it('which is nothing to others', async () => {
    expect(await answersIn('third')).toEqual(ELSEWHERE);
  });
});
