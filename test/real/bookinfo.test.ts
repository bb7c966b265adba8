import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { BOOKINFO_PORTS, FREE_PORTS, type Workload } from '../../src/demo/bookinfo/start-bookinfo.ts';
import { type AffinityMode, ARTICLE_COOKIE, demoManifests } from '../../src/demo/demo-manifests.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { describeWithMesh, type MeshParts } from '../requirements.ts';
import { REVIEWS } from '../visits/released-page.ts';
import { type BookinfoMesh, startBookinfoMesh } from './bookinfo-mesh.ts';
import { withManualSteps } from './cluster-release.ts';
import { freePort } from './free-port.ts';
import { objectsOf } from './istio-cluster.ts';
import { deviation, versionsExpected } from './mesh-visitors.ts';

/** A tenth of what the edge gets: each page of Bookinfo is several requests. */
const VISITORS = Math.ceil(Number(process.env['PERCH_VISITORS'] ?? 2000) / 10);
const SDS = 3.3;

const BOOKINFO = fileURLToPath(new URL('../../examples/bookinfo/', import.meta.url));
const FILES = ['gateway', 'bookinfo', 'destination-rules', 'endpoints', 'reviews', 'release'].map((name) => `${BOOKINFO}${name}.yaml`);
/** Ports in the files: of the gateway, and of the services. */
const [GATEWAY_PORT, SERVICE_PORT] = [8080, 9080];

/** As in examples/, but at ports that are free, and with steps that wait. */
async function startShop(parts: MeshParts, mode: AffinityMode): Promise<BookinfoMesh> {
  const [gatewayPort, servicePort] = await Promise.all([freePort(), freePort()]);
  return await startBookinfoMesh(parts, {
    gatewayPort,
    servicePort,
    workloads: FREE_PORTS,
    manifests: (workloads) => {
      const ports = new Map((Object.keys(BOOKINFO_PORTS) as Workload[]).map((name) => [BOOKINFO_PORTS[name], workloads[name]]));
      const moved = JSON.stringify(demoManifests(objectsOf(...FILES), { ports, mode }))
        .replaceAll(`"number":${GATEWAY_PORT}`, `"number":${gatewayPort}`)
        .replaceAll(`"number":${SERVICE_PORT}`, `"number":${servicePort}`)
        .replaceAll(`"port":${SERVICE_PORT}`, `"port":${servicePort}`);
      return (JSON.parse(moved) as readonly KubeObject[]).map(atLoopback).map((object) => withManualSteps(object, [10, 50, 100]));
    },
  });
}

describeWithMesh('Bookinfo in a real mesh: reviews released behind productpage', (parts) => {
  const agent = connections();
  afterAll(() => agent.destroy());
  /** The version of reviews on the visitor's page. */
  const look = async (visitor: Visitor): Promise<string | undefined> => {
    const { status, body } = await visitor.visit(REVIEWS.path);
    expect(status).toBe(200);
    return REVIEWS.version(body);
  };
  const visitorsOf = ({ gatewayPort }: BookinfoMesh, count: number) => Array.from({ length: count }, () => new Visitor(agent, gatewayPort));

  it(`${VISITORS} visitors see the version that their id says, from 10 to 100 %, and v1 after a rollback`, {
    timeout: 900_000,
  }, async () => {
    const shop = await startShop(parts, 'visitor');
    try {
      const { reviews } = shop;
      const visitors = visitorsOf(shop, VISITORS);
      let before: readonly (string | undefined)[] = [];
      for (const weight of [10, 50, 100]) {
        if (weight > 10) await reviews.ask('promote');
        await reviews.reaches(`Paused ${weight} %`);
        const now = await inParallel(visitors, 16, look);
        expect(now).toEqual(await versionsExpected(visitors, reviews));
        expect(deviation(now, ((await reviews.status())?.cutoff ?? 0) / 4096)).toBeLessThanOrEqual(SDS);
        expect(now.filter((version, index) => version === 'v1' && before[index] === 'v2')).toEqual([]);
        before = now;
      }
      await reviews.ask('rollback');
      await reviews.reaches('RolledBack 0 %');
      expect(new Set(await inParallel(visitors, 16, look))).toEqual(new Set(['v1']));
    } finally {
      await shop.close();
    }
  });

  it('the article’s scheme: each page is drawn until v2 comes, which then stays; after a rollback nobody has it', {
    timeout: 900_000,
  }, async () => {
    const shop = await startShop(parts, 'canaryOnly');
    try {
      const { reviews } = shop;
      const visitors = visitorsOf(shop, VISITORS);
      const holds = (visitor: Visitor) => visitor.cookies.get(ARTICLE_COOKIE.name) === ARTICLE_COOKIE.value;
      await reviews.reaches('Paused 10 %');
      const first = await inParallel(visitors, 16, look);
      // Envoy draws: with its own source of chance, so that the bound is wider.
      expect(deviation(first, 0.1)).toBeLessThanOrEqual(5);
      expect(visitors.map(holds)).toEqual(first.map((version) => version === 'v2'));
      const drawn = visitors.filter(holds);
      for (let round = 0; round < 3; round++) expect(new Set(await inParallel(drawn, 16, look))).toEqual(new Set(['v2']));
      await reviews.ask('rollback');
      await reviews.reaches('RolledBack 0 %');
      expect(new Set(await inParallel(visitors, 16, look))).toEqual(new Set(['v1']));
    } finally {
      await shop.close();
    }
  });
});

/** Envoy's own address would be that of a pod. */
function atLoopback(object: KubeObject): KubeObject {
  if (object.kind !== 'Gateway') return object;
  const spec = object.spec as { readonly servers: readonly object[] };
  return { ...object, spec: { ...spec, servers: spec.servers.map((server) => ({ ...server, bind: '127.0.0.1' })) } };
}
