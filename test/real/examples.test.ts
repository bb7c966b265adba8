import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { BOOKINFO_PORTS } from '../../src/demo/bookinfo/start-bookinfo.ts';
import { ARTICLE_COOKIE, demoManifests } from '../../src/demo/demo-manifests.ts';
import { type ArticleSite, lastStagesCases, thirdStageCases } from '../article/article-stages.cases.ts';
import { launchChromium } from '../browser/chromium.ts';
import { bucketByHand, visitorId } from '../browser/product-page.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { describeWithChromium, describeWithMesh, type MeshParts } from '../requirements.ts';
import { REVIEWS } from '../visits/released-page.ts';
import { type BookinfoMesh, startBookinfoMesh } from './bookinfo-mesh.ts';
import { withManualSteps } from './cluster-release.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';
import { INGRESS, type Istiod, type MeshEnvoy, PRODUCTPAGE, startIstiod, startMeshEnvoy } from './mesh.ts';
import { versionsExpected } from './mesh-visitors.ts';

// The files of examples/ as they are: their Envoys listen at the ports that stand there, which no other suite does.

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const ARTICLE = `${EXAMPLES}article/`;
const [INGRESS_PORT, MESH_PORT] = [8080, 9080];
/** Ports of the endpoints in the example. */
const EXAMPLE_PORTS = { v1: 19083, v2: 19084, v3: 19085 };

describeWithMesh('the article’s files, byte for byte, in a real mesh: the same answers as from our own gateway', (parts) => {
  let cluster: IstioCluster;
  let istiod: Istiod;
  let gateway: MeshEnvoy;
  let productpage: MeshEnvoy;
  const versions: VersionServer[] = [];
  const agent = connections();

  beforeAll(async () => {
    let endpoints = JSON.stringify(objectsOf(`${ARTICLE}endpoints.yaml`));
    for (const [version, port] of Object.entries(EXAMPLE_PORTS)) {
      const server = await startVersion(version);
      versions.push(server);
      expect(endpoints).toContain(`"http":${port}}`);
      endpoints = endpoints.replace(`"http":${port}}`, `"http":${server.port}}`);
    }
    cluster = await startIstioCluster(parts);
    const files = ['1-gateway', '2-destination-rule', '3-ten-percent'].map((name) => `${ARTICLE}${name}.yaml`);
    await cluster.apply(...objectsOf(...files), ...(JSON.parse(endpoints) as readonly KubeObject[]));
    istiod = await startIstiod(parts.istiod, cluster.kubeconfig);
    gateway = await startMeshEnvoy(parts.envoy, istiod, INGRESS, INGRESS_PORT);
    productpage = await startMeshEnvoy(parts.envoy, istiod, PRODUCTPAGE, MESH_PORT);
  });
  afterAll(async () => {
    agent.destroy();
    await productpage?.stop();
    await gateway?.stop();
    await istiod?.stop();
    await cluster?.stop();
    await Promise.all(versions.map((server) => server.close()));
  });

  /** What the sidecar was told of routes, by its version of them. */
  const toldRoutes = (): Promise<string> =>
    productpage.admin('/config_dump?resource=dynamic_route_configs&mask=route_config.name,version_info');
  const site = (): ArticleSite => ({
    agent,
    meshPort: MESH_PORT,
    ingressPort: INGRESS_PORT,
    async apply(file, edit = (text) => text) {
      const before = await toldRoutes();
      await cluster.apply(parse(edit(readFileSync(`${ARTICLE}${file}`, 'utf8'))) as KubeObject);
      await expect.poll(toldRoutes).not.toBe(before);
    },
  });

  thirdStageCases(site);
  lastStagesCases(site);
});

/** Bookinfo as an example has it; `change`: what a test must do to its release. */
const startExample = (parts: MeshParts, files: readonly string[], change = (object: KubeObject) => object): Promise<BookinfoMesh> =>
  startBookinfoMesh(parts, {
    gatewayPort: INGRESS_PORT,
    servicePort: MESH_PORT,
    workloads: BOOKINFO_PORTS,
    manifests: () => objectsOf(...files.map((file) => `${EXAMPLES}${file}.yaml`)).map(change),
  });

const BOOKINFO = ['gateway', 'bookinfo', 'destination-rules', 'endpoints'].map((name) => `bookinfo/${name}`);

describeWithMesh('Bookinfo of examples/, released by forms of its own', (parts) => {
  const agent = connections();
  afterAll(() => agent.destroy());

  it.each([
    { form: 'delegate', files: [...BOOKINFO, 'delegate/reviews', 'delegate/release'] },
    { form: 'managed', files: [...BOOKINFO, 'managed/release'] },
  ])('examples/$form: each visitor sees what the id says, at 10 and 50 %, and v2 once it has succeeded', async ({ files }) => {
    const mesh = await startExample(parts, files);
    try {
      const visitors = Array.from({ length: 100 }, () => new Visitor(agent, INGRESS_PORT));
      const look = (): Promise<(string | undefined)[]> =>
        inParallel(visitors, 8, async (visitor) => REVIEWS.version((await visitor.visit(REVIEWS.path)).body));
      const { reviews } = mesh;
      for (const [weight, reached] of [
        [10, 'Progressing 10 %'],
        [50, 'Paused 50 %'],
      ] as const) {
        if (weight > 10) await reviews.ask('promote');
        await reviews.reaches(reached);
        // A hold begins once the Envoys have its routes.
        await expect.poll(async () => (await reviews.status())?.stepStartedAt).toBeDefined();
        expect(await look()).toEqual(await versionsExpected(visitors, reviews));
      }
      await reviews.ask('promote');
      await reviews.reaches('Progressing 100 %');
      await reviews.ask('promote');
      await reviews.reaches('Succeeded 100 %');
      expect(new Set(await look())).toEqual(new Set(['v2']));
    } finally {
      await mesh.close();
    }
  });
});

describeWithMesh('the article’s job with one resource, in a real mesh', (parts) => {
  describeWithChromium('seen by Chromium', (executable) => {
    const page = `http://localhost:${INGRESS_PORT}/productpage`;
    const files = [...BOOKINFO, 'bookinfo/reviews', 'bookinfo/release'];
    let browser: Browser;
    let mesh: BookinfoMesh | undefined;

    beforeAll(async () => {
      browser = await launchChromium(executable);
    });
    afterAll(() => browser?.close());
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close();
      await mesh?.close();
    });

    /** The version of reviews on the page. */
    const versionOn = async (tab: Page): Promise<string> => (await tab.locator('#reviews-version').getAttribute('data-version')) ?? '';

    it('visitors move when the release reaches their bucket, once; after a rollback everyone is on v1, with the same ids', async () => {
      mesh = await startExample(parts, files, (object) => withManualSteps(object));
      const { reviews } = mesh;
      await reviews.reaches('Paused 10 %');
      const profiles = await Promise.all(Array.from({ length: 12 }, () => browser.newContext()));
      const tabs = await inParallel(profiles, 4, async (profile) => {
        const tab = await profile.newPage();
        await tab.goto(page);
        return tab;
      });
      const ids = await Promise.all(profiles.map((profile) => visitorId(profile, page)));
      expect(new Set(ids).size).toBe(profiles.length);
      const versions = () => Promise.all(tabs.map(versionOn));
      const reload = () => inParallel(tabs, 4, (tab) => tab.reload());
      const seen: (readonly string[])[] = [];
      for (const weight of [10, 25, 50, 100]) {
        if (weight > 10) await reviews.ask('promote');
        await reviews.reaches(`Paused ${weight} %`);
        const { cutoff = 0, offset = 0 } = (await reviews.status()) ?? {};
        // At the first weight it is the very page that brought the id.
        if (weight > 10) await reload();
        seen.push(await versions());
        expect(seen.at(-1)).toEqual(ids.map((id) => (bucketByHand(id, offset) < cutoff ? 'v2' : 'v1')));
      }
      for (const index of tabs.keys()) expect(seen.map((all) => all[index]).join(' ')).toMatch(/^(v1 )*v2( v2)*$/);
      await reviews.ask('rollback');
      await reviews.reaches('RolledBack 0 %');
      await reload();
      expect(new Set(await versions())).toEqual(new Set(['v1']));
      expect(await Promise.all(profiles.map((profile) => visitorId(profile, page)))).toEqual(ids);
    });

    it('in the article’s own mode: refresh until v2 appears, which stays; at the end everyone is on v2, and the cookie is gone', async () => {
      mesh = await startExample(parts, files, (object) => withManualSteps(asInTheArticle(object)));
      const { reviews } = mesh;
      const profile = await browser.newContext();
      const cookies = async () => (await profile.cookies(page)).filter(({ name }) => name === ARTICLE_COOKIE.name);
      await reviews.reaches('Paused 10 %');
      const tab = await profile.newPage();
      await tab.goto(page);
      // At 10 %, 200 draws without the canary are a chance of one in 10^9.
      for (let draws = 1; draws < 200 && (await versionOn(tab)) !== 'v2'; draws++) {
        expect(await cookies()).toEqual([]);
        await tab.reload();
      }
      for (let refresh = 0; refresh < 10; refresh++) {
        expect([await versionOn(tab), (await cookies()).map(({ value }) => value)]).toEqual(['v2', [ARTICLE_COOKIE.value]]);
        await tab.reload();
      }
      for (const reached of ['Paused 25 %', 'Paused 50 %', 'Paused 100 %', 'Succeeded 100 %']) {
        await reviews.ask('promote');
        await reviews.reaches(reached);
        await tab.reload();
        expect(await versionOn(tab)).toBe('v2');
      }
      expect(await cookies()).toEqual([]);
    });
  });
});

function asInTheArticle(object: KubeObject): KubeObject {
  const [changed = object] = demoManifests([object], { ports: new Map(), mode: 'canaryOnly' });
  return object.kind === 'CanaryRelease' ? changed : object;
}
