import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type PerchProcess, perch } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const istio = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});

/** What can be seen of a mesh in the objects of a cluster: nobody runs it here. */
describeWithKubernetes('what the mesh around a release is, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  let inside: ReleaseHandle;
  let edge: ReleaseHandle;

  const send = async (method: string, path: string, body: object): Promise<void> => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { status, body: answer } = await cluster.send(method, path, body, { 'content-type': type });
    expect([status < 300, answer.message]).toEqual([true, undefined]);
  };
  const label = (path: string, labels: object) => send('PATCH', path, { metadata: { labels } });
  const says = (release: ReleaseHandle, message: string) => expect.poll(async () => (await release.status())?.message).toContain(message);
  const logs = (line: string) => controller.until(new RegExp(line.replace(/[.()]/g, '\\$&')));
  const releaseOf = (name: string): KubeObject => ({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name, namespace: 'default' },
    spec: {
      service: { host: name, port: 80 },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: name } },
      ...(name === 'inside' ? { visitorId: { issueAt: { virtualService: 'edge' } } } : {}),
      steps: [
        { weight: 20, hold: 'manual' },
        { weight: 100, hold: 'manual' },
      ],
    },
  });
  const NO_WAYPOINT = 'waiting: Service default/inside is in the ambient mesh and has no waypoint';

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    [inside, edge] = [new ReleaseHandle(cluster, 'inside'), new ReleaseHandle(cluster, 'edge')];
    await label('/api/v1/namespaces/default', { 'istio.io/dataplane-mode': 'ambient' });
    for (const name of ['inside', 'edge']) {
      await send('POST', '/api/v1/namespaces/default/services', {
        metadata: { name },
        spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
      });
      for (const version of ['v1', 'v2']) {
        await send('POST', '/api/v1/namespaces/default/pods', {
          metadata: { name: `${name}-${version}`, labels: { app: name, version } },
          spec: { containers: [{ name, image: name }] },
        });
      }
      await send('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
        metadata: { name, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        endpoints: ['v1', 'v2'].map((version, index) => ({
          addresses: [`10.1.0.${index + 1}`],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', namespace: 'default', name: `${name}-${version}` },
        })),
      });
      await cluster.apply(
        istio('DestinationRule', name, { host: name, subsets: ['v1', 'v2'].map((each) => ({ name: each, labels: { version: each } })) }),
      );
    }
    const to = (host: string) => [{ route: [{ destination: { host, port: { number: 80 } } }] }];
    await cluster.apply(
      istio('Gateway', 'edge', {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
      }),
      istio('VirtualService', 'edge', { hosts: ['shop.test'], gateways: ['edge'], http: to('edge') }),
      istio('VirtualService', 'inside', { hosts: ['inside'], http: to('inside') }),
    );
    controller = startController(cluster.controllerKubeconfig);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('a release inside the ambient mesh waits for a waypoint, and starts once its Service has one; that at the gateway needs none', async () => {
    await cluster.apply(releaseOf('edge'));
    await edge.reaches('Paused 20 %');
    await cluster.apply(releaseOf('inside'));
    await says(inside, NO_WAYPOINT);
    await label('/api/v1/namespaces/default/services/inside', { 'istio.io/use-waypoint': 'waypoint' });
    await inside.reaches('Paused 20 %');
  });

  it('without it, it is not widened; that of the namespace will do', async () => {
    await label('/api/v1/namespaces/default/services/inside', { 'istio.io/use-waypoint': null });
    await says(inside, 'not widened: Service default/inside is in the ambient mesh and has no waypoint');
    await label('/api/v1/namespaces/default', { 'istio.io/use-waypoint': 'waypoint' });
    await expect.poll(async () => (await inside.status())?.message).not.toContain('waypoint');
  });

  it('an old Istio, and whoever changes request ids, is told in the log, with the release that issues ids', async () => {
    await send('POST', '/apis/apps/v1/namespaces/istio-system/deployments', {
      metadata: { name: 'istiod', labels: { app: 'istiod', 'app.kubernetes.io/version': '1.24.3' } },
      spec: {
        selector: { matchLabels: { app: 'istiod' } },
        template: { metadata: { labels: { app: 'istiod' } }, spec: { containers: [{ name: 'discovery', image: 'pilot' }] } },
      },
    });
    await logs('default/edge: Istio 1.24.3 is older than 1.25');
    await send('POST', '/api/v1/namespaces/istio-system/configmaps', {
      metadata: { name: 'istio' },
      data: { mesh: 'defaultConfig:\n  proxyHeaders:\n    requestId:\n      disabled: true\n' },
    });
    await logs('default/edge: meshConfig.defaultConfig.proxyHeaders.requestId.disabled: no request ids are made');
    await send('POST', '/apis/networking.istio.io/v1alpha3/namespaces/istio-system/envoyfilters', {
      apiVersion: 'networking.istio.io/v1alpha3',
      kind: 'EnvoyFilter',
      metadata: { name: 'ids' },
      spec: {
        configPatches: [
          {
            applyTo: 'NETWORK_FILTER',
            match: { context: 'GATEWAY', listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } } },
            patch: { operation: 'MERGE', value: { typed_config: { preserve_external_request_id: true } } },
          },
        ],
      },
    });
    await logs('default/edge: EnvoyFilter istio-system/ids keeps request ids that clients send (preserve_external_request_id)');
  });

  it('it is an Event of that release, too, and the next controllers tell it no second time', async () => {
    const told = async (): Promise<readonly string[]> => {
      const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
      const events = body['items'] as readonly Readonly<Record<'reason' | 'type' | 'note', string> & { regarding: { name: string } }>[];
      return events
        .filter(({ reason }) => reason === 'MeshWarning')
        .map(({ type, note, regarding }) => `${type} ${regarding.name} ${note}`)
        .toSorted();
    };
    const hint = 'visitor ids are made of request ids: leave their making to the gateways where ids are issued';
    const all = [
      `Warning edge EnvoyFilter istio-system/ids keeps request ids that clients send (preserve_external_request_id) (PERCH3092); ${hint}`,
      'Warning edge Istio 1.24.3 is older than 1.25: its gateways keep the request ids of clients with private addresses (PERCH3091); such a client may choose its cohort, and is on stable with an id that is none; upgrade Istio',
      `Warning edge meshConfig.defaultConfig.proxyHeaders.requestId.disabled: no request ids are made (PERCH3092); ${hint}`,
    ];
    const ofEdge = (notes: readonly string[]) => notes.filter((note) => note.startsWith('Warning edge '));
    await expect.poll(async () => ofEdge(await told())).toEqual(all);
    const before = await told();
    for (let starts = 0; starts < 2; starts++) {
      await controller.stop();
      controller = startController(cluster.controllerKubeconfig);
      await logs('default/edge: EnvoyFilter istio-system/ids keeps request ids');
      await edge.ask('promote');
      await edge.ask('rollback');
      await edge.reaches('RolledBack 0 %');
      await edge.ask('retry');
      await edge.reaches('Paused 20 %');
    }
    expect(await told()).toEqual(before);
    const { stdout } = await perch(['history', 'edge', '--limit', '200', '--kubeconfig', cluster.kubeconfig]);
    expect(stdout).toMatch(/MeshWarning +Istio 1\.24\.3 is older than 1\.25/);
  });
});
