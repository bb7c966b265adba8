import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Closers } from '../harness/closers.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { freePort } from './free-port.ts';
import { comeAtEachStep, startFront, untoldAreOnStable, versionsBehind } from './front.ts';
import { gatewayAt, ownAddress, routeAtEdge, routeOfService, serviceAt } from './gateway-api-scene.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { INGRESS, type MeshEnvoy, startIstiod, startMeshEnvoy } from './mesh.ts';
import { startController } from './start-controller.ts';
import { makeWaypoint, startWaypoint, type Waypoint } from './waypoint.ts';

/** 20,000 in `npm run test:all`. */
const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 2000);

/**
 * The waypoint is a real Envoy that a real istiod tells its routes. What is not there is ztunnel and HBONE between them, for which stock Envoy lacks an object of
 * Istio's build: connections come in behind the end of the tunnel.
 */
describeWithMesh(
  'a release in an HTTPRoute of a Service in an ambient namespace: istiod, an Envoy at the gateway and one as waypoint',
  (parts) => {
    const closers = new Closers();
    const agent = connections();
    let cluster: IstioCluster;
    let gateway: MeshEnvoy;
    let waypoint: Waypoint;
    let port: number;
    let release: ReleaseHandle;
    const visitors: Visitor[] = [];

    const to = (name: string) => ({ backendRefs: [{ name, port: 80 }] });
    const label = async (path: string, labels: object): Promise<void> => {
      const { status } = await cluster.send('PATCH', path, { metadata: { labels } }, { 'content-type': 'application/merge-patch+json' });
      expect(status).toBe(200);
    };

    beforeAll(async () => {
      cluster = closers.keep(await startIstioCluster(parts));
      await cluster.addGatewayApi();
      release = new ReleaseHandle(cluster, 'web');
      port = await freePort();
      await label('/api/v1/namespaces/default', { 'istio.io/dataplane-mode': 'ambient' });
      const front = closers.keep(await startFront('web', () => waypoint.port, false));
      await serviceAt(cluster, 'front', 80, front.port);
      for (const [name, answer] of [
        ['web-v1', 'v1'],
        ['web-v2', 'v2'],
        ['web', 'either'],
        ['beside', 'beside'],
      ] as const) {
        const server = closers.keep(await startVersion(answer, undefined, ownAddress()));
        await serviceAt(cluster, name, 80, server.port);
      }
      await gatewayAt(cluster, port);
      await makeWaypoint(cluster);
      await cluster.apply(
        routeAtEdge('edge', [to('front')]),
        routeOfService('web', { name: 'web' }, [
          to('web-v1'),
          { matches: [{ headers: [{ name: 'x-pin', value: 'old' }] }], ...to('beside') },
        ]),
        {
          apiVersion: 'perch.dev/v1alpha1',
          kind: 'CanaryRelease',
          metadata: { name: 'web', namespace: 'default' },
          spec: {
            service: { host: 'web-v1', port: 80 },
            stable: { host: 'web-v1' },
            canary: { host: 'web-v2' },
            route: { adopt: { httpRoute: 'web' } },
            visitorId: { issueAt: { httpRoute: 'edge' } },
            steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })),
          },
        },
      );
      const istiod = closers.keep(await startIstiod(parts.istiod, cluster.kubeconfig, { gatewayApi: true, ambient: true }));
      gateway = closers.keep(await startMeshEnvoy(parts.envoy, istiod, INGRESS, port));
      const { body } = await cluster.send('GET', '/api/v1/namespaces/default/services/web');
      const { clusterIP } = body['spec'] as { readonly clusterIP: string };
      waypoint = closers.keep(await startWaypoint(parts.envoy, istiod, `${clusterIP}:80`));
      // Where istiod could not be asked, no step would be confirmed in this test.
      closers.keep(startController(cluster.controllerKubeconfig, ['--istiod', istiod.debugUrl, '--settle', '90s', '--patience', '90s']));
    });
    afterAll(async () => {
      agent.destroy();
      await closers.close();
    });

    const useWaypoint = (name: string, waypoint: string | null) =>
      label(`/api/v1/namespaces/default/services/${name}`, { 'istio.io/use-waypoint': waypoint });
    const says = (message: string) => expect.poll(async () => (await release.status())?.message, { timeout: 20_000 }).toContain(message);

    it('waits while the Service that clients call has no waypoint, or one of its versions', async () => {
      await useWaypoint('web-v1', 'waypoint');
      await says('waiting: Service default/web is in the ambient mesh and has no waypoint');
      await useWaypoint('web', 'waypoint');
      await says(
        'waiting: Service default/web-v2 is in the ambient mesh and has no waypoint: the waypoint of the Service that is called would forget',
      );
      expect((await release.status())?.phase).toBe('Pending');
    });

    it(`${VISITORS} visitors at the waypoint: the shares that were asked for, nobody wrong, nobody flips back`, {
      timeout: 900_000,
    }, async () => {
      // A Service is the waypoint's a moment after it is labelled.
      const direct = async () => (await new Visitor(agent, waypoint.port).get('/', { host: 'web' })).body;
      await expect.poll(direct, { timeout: 20_000 }).toBe('v1');
      await useWaypoint('web-v2', 'waypoint');
      for (let index = 0; index < VISITORS; index++) visitors.push(new Visitor(agent, port));
      await comeAtEachStep(visitors, release, [10, 50, 100]);
    });

    it('behind a front that hands on neither all are on stable, what is narrower stays first, and no id is issued there', async () => {
      await untoldAreOnStable(visitors.slice(0, 50));
      const { headers, body } = await new Visitor(agent, waypoint.port).visit('/', { host: 'web' });
      expect([body, headers['set-cookie']]).toEqual(['v1', undefined]);
    });

    it('rolled back, all are on stable with their next request; on a connection that is open with the one after it, and none fails', async () => {
      // Routes of a waypoint come with its listener: who has a connection to the one of before is told to close it.
      const open = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
      const cookie = `perch=${visitors[0]?.cookies.get('perch')}`;
      const askEach = () =>
        Promise.all(
          open.map(async (connection) => {
            const { status, body, headers } = await new Visitor(connection, waypoint.port).get('/', { host: 'web', cookie });
            return `${status} ${body} ${headers.connection ?? 'kept'}`;
          }),
        );
      expect(new Set(await askEach())).toEqual(new Set(['200 v2 kept']));
      await release.ask('rollback');
      await release.reaches('RolledBack 0 %');
      expect(new Set(await versionsBehind(visitors))).toEqual(new Set(['v1']));
      expect(new Set(await askEach())).toEqual(new Set(['200 v2 close']));
      expect(new Set(await askEach())).toEqual(new Set(['200 v1 kept']));
      for (const connection of open) connection.destroy();
    });

    it('neither Envoy rejected any of what istiod made of it', async () => {
      for (const envoy of [gateway, waypoint]) {
        const stats = await envoy.admin('/stats?filter=update_rejected');
        expect(stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'))).toEqual([]);
      }
    });
  },
);
