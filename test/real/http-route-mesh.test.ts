import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpRouteRule, rulesOf } from '../../src/core/gateway-api/http-route.ts';
import { Closers } from '../harness/closers.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { freePort } from './free-port.ts';
import { comeAtEachStep, startFront, untoldAreOnStable, versionsBehind } from './front.ts';
import { gatewayAt, ownAddress, routeAtEdge, routeOfService, serviceAt } from './gateway-api-scene.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { INGRESS, type MeshEnvoy, startIstiod, startMeshEnvoy, type Workload } from './mesh.ts';
import { versionsExpected } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';
import { istio } from './web-mesh.ts';

/** 20,000 in `npm run test:all`; the bounds follow from the number. */
const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 2000);
/** What browsers reach, with a sidecar. */
const FRONT: Workload = { type: 'sidecar', address: '10.255.0.2', name: 'front', namespace: 'default', labels: { app: 'front' } };
describeWithMesh(
  'a release in an HTTPRoute of a Service: istiod, an Envoy at the gateway, the sidecar of who calls the service',
  (parts) => {
    const closers = new Closers();
    const agent = connections();
    let cluster: IstioCluster;
    let controller: PerchProcess;
    let sidecar: MeshEnvoy;
    let gateway: MeshEnvoy;
    let port: number;
    let servicePort: number;
    let release: ReleaseHandle;

    const to = (name: string): HttpRouteRule => ({ backendRefs: [{ name, port: servicePort }] });
    const rules = (): readonly HttpRouteRule[] => [
      to('web-v1'),
      { matches: [{ headers: [{ name: 'x-pin', value: 'old' }] }], ...to('beside') },
    ];

    beforeAll(async () => {
      cluster = closers.keep(await startIstioCluster(parts));
      await cluster.addGatewayApi();
      release = new ReleaseHandle(cluster, 'web');
      [port, servicePort] = await Promise.all([freePort(), freePort()]);
      const front = closers.keep(await startFront(`web:${servicePort}`, () => servicePort));
      await serviceAt(cluster, 'front', 80, front.port);
      for (const [name, answer] of [
        ['web-v1', 'v1'],
        ['web-v2', 'v2'],
        ['web', 'either'],
        ['beside', 'beside'],
      ] as const) {
        const server = closers.keep(await startVersion(answer, undefined, ownAddress()));
        await serviceAt(cluster, name, servicePort, server.port);
      }
      await gatewayAt(cluster, port);
      // Else the sidecar would listen at the port of the gateway, too: for calls of that Service.
      await cluster.apply(istio('Sidecar', 'own', { egress: [{ hosts: ['./*'] }] }));
      await cluster.apply(
        routeAtEdge('edge', [{ name: 'pages', backendRefs: [{ name: 'front', port: 80 }] }]),
        routeOfService('web', { name: 'web' }, rules()),
        {
          apiVersion: 'perch.dev/v1alpha1',
          kind: 'CanaryRelease',
          metadata: { name: 'web', namespace: 'default' },
          spec: {
            service: { host: 'web-v1', port: servicePort },
            stable: { host: 'web-v1' },
            canary: { host: 'web-v2' },
            route: { adopt: { httpRoute: 'web' } },
            visitorId: { issueAt: { httpRoute: 'edge' } },
            steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })),
          },
        },
      );
      const istiod = closers.keep(await startIstiod(parts.istiod, cluster.kubeconfig, { gatewayApi: true }));
      gateway = closers.keep(await startMeshEnvoy(parts.envoy, istiod, INGRESS, port));
      sidecar = closers.keep(await startMeshEnvoy(parts.envoy, istiod, FRONT, servicePort));
      // Where istiod could not be asked, no step would be confirmed in this test.
      controller = closers.keep(
        startController(cluster.controllerKubeconfig, ['--istiod', istiod.debugUrl, '--settle', '90s', '--patience', '90s']),
      );
    });
    afterAll(async () => {
      agent.destroy();
      await closers.close();
    });

    const visitors: Visitor[] = [];
    it(`${VISITORS} visitors: from the first page on the shares that were asked for, nobody wrong, nobody flips back`, {
      timeout: 900_000,
    }, async () => {
      for (let index = 0; index < VISITORS; index++) visitors.push(new Visitor(agent, port));
      await comeAtEachStep(visitors, release, [10, 50, 100]);
    });

    it('behind a front that hands on neither all are on stable, and what is narrower stays first', async () => {
      await untoldAreOnStable(visitors.slice(0, 50));
    });

    it('ids are issued at the edge only', async () => {
      const { headers } = await new Visitor(agent, port).visit('/both');
      expect(headers['set-cookie']).toHaveLength(1);
      const text = JSON.stringify(await cluster.get({ kind: 'HTTPRoute', name: 'web' }));
      expect(text).toContain('perch.default.web.told.canary');
      expect(text).not.toContain('Set-Cookie');
    });

    it('rolled back, all are on stable; where a VirtualService takes the requests instead, no release starts', async () => {
      await release.ask('rollback');
      await release.reaches('RolledBack 0 %');
      expect(new Set(await versionsBehind(visitors))).toEqual(new Set(['v1']));
      const rival = {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name: 'web', namespace: 'default' },
        spec: { hosts: ['web'], exportTo: ['.'], http: [{ route: [{ destination: { host: 'beside', port: { number: servicePort } } }] }] },
      };
      await cluster.apply(rival);
      await expect.poll(async () => (await visitors[0]?.visit('/both'))?.body).toBe('beside');
      await release.ask('retry');
      const said = 'VirtualService default/web and HTTPRoute default/web both route web.default.svc.cluster.local in the mesh';
      await expect.poll(async () => (await release.status())?.message).toContain(said);
      await cluster.send('DELETE', '/apis/networking.istio.io/v1/namespaces/default/virtualservices/web');
      await release.reaches('Paused 10 %');
      expect(await versionsBehind(visitors)).toEqual(await versionsExpected(visitors, release));
    });

    it('deleted, it leaves both routes as they were', async () => {
      await release.ask('rollback');
      await release.reaches('RolledBack 0 %');
      await release.delete();
      await expect.poll(() => release.get(), { timeout: 20_000 }).toBeUndefined();
      const [edge, web] = await Promise.all(['edge', 'web'].map(async (name) => await cluster.get({ kind: 'HTTPRoute', name })));
      expect(edge === undefined ? [] : rulesOf(edge)).toMatchObject([{ name: 'pages', backendRefs: [{ name: 'front', port: 80 }] }]);
      expect(JSON.stringify([edge?.spec, web?.spec])).not.toContain('perch');
      expect(web === undefined ? [] : rulesOf(web)).toMatchObject(rules());
    });

    it('neither Envoy rejected any of what istiod made of it', async () => {
      for (const envoy of [gateway, sidecar]) {
        const stats = await envoy.admin('/stats?filter=update_rejected');
        expect(stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'))).toEqual([]);
      }
      expect(controller.stderr).not.toContain('Error');
    });
  },
);
