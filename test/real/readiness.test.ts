import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
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

/** A shop whose pods are of one Service, as Kubernetes has it; nobody runs them: their objects are all that counts. */
describeWithKubernetes('readiness in a cluster: the pods of a Service, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;

  const send = async (method: string, path: string, body?: object): Promise<void> => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { status, body: answer } = await cluster.send(method, path, body, { 'content-type': type });
    expect([status < 300, answer.message]).toEqual([true, undefined]);
  };
  const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  const endpoints = (v2: boolean) =>
    ['v1', 'v2'].map((version, index) => ({
      addresses: [`10.1.0.${index + 1}`],
      conditions: { ready: version === 'v1' || v2 },
      targetRef: { kind: 'Pod', namespace: 'default', name: `web-${version}` },
    }));
  const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
  /** What its controller, which is not there, would say of three replicas. */
  const rolledOut = (available: number, replicas = 3) =>
    send('PATCH', `${DEPLOYMENTS}/web-v2/status`, {
      status: {
        observedGeneration: generation,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: available,
        availableReplicas: available,
      },
    });
  let generation = 1;
  const scale = async (replicas: number) => {
    await send('PATCH', `${DEPLOYMENTS}/web-v2`, { spec: { replicas } });
    generation += 1;
  };
  const ready = (v2: boolean) => send('PATCH', `${SLICES}/web-1`, { endpoints: endpoints(v2) });
  let release: ReleaseHandle;
  const says = (message: string) => expect.poll(async () => (await release.status())?.message).toContain(message);

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    release = new ReleaseHandle(cluster, 'web');
    await send('POST', '/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    for (const version of ['v1', 'v2']) {
      await send('POST', '/api/v1/namespaces/default/pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `web-${version}`, labels: { app: 'web', version } },
        spec: { containers: [{ name: 'web', image: 'web' }] },
      });
    }
    for (const version of ['v1', 'v2']) {
      const labels = { app: 'web', version };
      await send('POST', DEPLOYMENTS, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `web-${version}` },
        spec: {
          replicas: 3,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
        },
      });
    }
    await send('POST', SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: endpoints(false),
    });
    const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }];
    const subsets = ['v1', 'v2'].map((name) => ({ name, labels: { version: name } }));
    await cluster.apply(
      istio('Gateway', 'edge', { selector: { istio: 'ingressgateway' }, servers }),
      istio('DestinationRule', 'web', { host: 'web', subsets }),
      istio('VirtualService', 'web', {
        hosts: ['shop.test'],
        gateways: ['edge'],
        http: [{ route: [{ destination: { host: 'web', port: { number: 80 } } }] }],
      }),
      {
        apiVersion: 'perch.dev/v1alpha1',
        kind: 'CanaryRelease',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          service: { host: 'web', port: 80 },
          stable: { subset: 'v1' },
          canary: { subset: 'v2' },
          route: { adopt: { virtualService: 'web' } },
          readiness: { grace: '2s' },
          steps: [
            { weight: 20, hold: 'manual' },
            { weight: 100, hold: 'manual' },
          ],
        },
      },
    );
    controller = startController(cluster.controllerKubeconfig);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('a release waits for a ready pod of the canary, and says what is missing', async () => {
    await release.reaches('Pending 0 %');
    expect((await release.status())?.message).toContain(
      'none of the 1 endpoints of subset v2 of web.default.svc.cluster.local:80 is ready',
    );
    expect((await release.status())?.endpoints).toEqual([
      { version: { subset: 'v2' }, ready: 0, total: 1 },
      { version: { subset: 'v1' }, ready: 1, total: 1 },
    ]);
  });

  it('its Deployment has to be rolled out, too: which one, and how far it is, is said; stable’s does not matter', async () => {
    await ready(true);
    await says('waiting: Deployment default/web-v2 was changed just now');
    await rolledOut(2);
    await says('waiting: Deployment default/web-v2 is rolled out, 2 of 3 replicas are available');
    expect(await release.phase()).toBe('Pending 0 %');
  });

  it('it starts once all is there', async () => {
    await rolledOut(3);
    await release.reaches('Paused 20 %');
  });

  it('under way a rollout keeps it from widening, and moves nobody', async () => {
    await scale(4);
    await rolledOut(3, 4);
    await expect
      .poll(async () => {
        await release.ask('promote');
        return (await release.status())?.lastRequest?.message;
      })
      .toContain('Deployment default/web-v2 is rolled out, 3 of 4 replicas are available');
    expect(await release.phase()).toBe('Paused 20 %');
    await rolledOut(4, 4);
  });

  it('a canary whose pods crash is held, and taken back once the grace is over', async () => {
    await ready(false);
    await rolledOut(0, 4);
    await expect.poll(async () => (await release.status())?.canaryLostSince).toBeDefined();
    await release.reaches('RolledBack 0 %');
    expect((await release.status())?.rollback?.reason).toContain('ready endpoints');
  });

  it('a machine outside counts as a pod of the Service that its labels are of, while its agent says that it is healthy', async () => {
    const health = (status: string) =>
      send('PATCH', '/apis/networking.istio.io/v1/namespaces/default/workloadentries/vm/status', {
        status: { conditions: [{ type: 'Healthy', status }] },
      });
    const count = async () => (await release.status())?.endpoints?.[0];
    await send('POST', '/apis/networking.istio.io/v1/namespaces/default/workloadentries', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata: { name: 'vm', annotations: { 'proxy.istio.io/health-checks-enabled': 'true' } },
      spec: { address: '10.1.9.9', labels: { app: 'web', version: 'v2' } },
    });
    await rolledOut(4, 4);
    await release.ask('retry');
    await says('none of the 1 endpoints of subset v2');
    await health('True');
    await release.reaches('Paused 20 %');
    expect(await count()).toEqual({ version: { subset: 'v2' }, ready: 1, total: 2 });
    await health('False');
    await release.reaches('RolledBack 0 %');
  });

  it('so is one that is scaled to zero', async () => {
    await ready(true);
    await rolledOut(4, 4);
    await release.ask('retry');
    await release.reaches('Paused 20 %');
    await scale(0);
    await rolledOut(0, 0);
    await send('PATCH', `${SLICES}/web-1`, { endpoints: endpoints(true).slice(0, 1) });
    await expect.poll(async () => (await release.status())?.canaryLostSince).toBeDefined();
    await release.reaches('RolledBack 0 %');
  });
});
