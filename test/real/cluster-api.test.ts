import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { comparisonView } from '../../src/core/view/comparison-view.ts';
import { forecastView } from '../../src/core/view/forecast-view.ts';
import { routeTrialView } from '../../src/core/view/route-trial-view.ts';
import { timelineView } from '../../src/core/view/timeline-view.ts';
import { wovenRoutesView } from '../../src/core/view/woven-routes-view.ts';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { DashboardPage } from '../dashboard/dashboard-page.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithChromium, describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, bookinfoFile, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';
import { type Person, tokenOf } from './kubernetes-api.ts';
import { startController } from './start-controller.ts';
import { bindRole } from './team.ts';

const REVIEWS = '/api/v1/releases/default/reviews';

/** Ada may release in the namespace, Vera may look, Eve may nothing. */
describeWithKubernetes('the HTTP API of a controller, for those whom a real kube-apiserver knows', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  let origin = '';
  let reviews: ReleaseHandle;

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
    await cluster.create(...objectsOf(fileURLToPath(new URL('../../deploy/api.yaml', import.meta.url))));
    await bindRole(cluster, 'ada', 'perch-author');
    await bindRole(cluster, 'vera', 'perch-viewer');
    await cluster.apply(...bookinfoBases(), reviewsRelease([10, 25, 50, 100]));
    controller = startController(cluster.controllerKubeconfig, ['--api-port', '0']);
    origin = (await controller.until(/API +(http:\/\/127\.0\.0\.1:\d+)/))[1] ?? '';
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  interface Answer {
    readonly status: number;
    readonly body: Readonly<Record<string, unknown>>;
  }

  async function call(person: Person | undefined, path: string, init: RequestInit = {}): Promise<Answer> {
    const authorization = person === undefined ? {} : { authorization: `Bearer ${tokenOf(person)}` };
    const response = await fetch(`${origin}${path}`, { ...init, headers: { 'content-type': 'application/json', ...authorization } });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
  const ask = (person: Person, action: string, by: string = person): Promise<Answer> =>
    call(person, `${REVIEWS}/requests?wait=30000`, { method: 'POST', body: JSON.stringify({ action, by }) });
  const namesOf = ({ body }: Answer) => (body['items'] as readonly { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

  it('nobody sees anything without a token that the cluster knows', async () => {
    expect(await call(undefined, '/api/v1/releases')).toMatchObject({ status: 401, body: { code: 'PERCH4080' } });
    for (const authorization of ['Bearer made-up', 'Basic YWRhOmFkYQ==', `Bearer ${'x'.repeat(20_000)}`]) {
      const response = await fetch(`${origin}/api/v1/releases`, { headers: { authorization } }).catch(() => undefined);
      expect([401, 431]).toContain(response?.status);
      if (response?.status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer realm="perch"');
    }
  });

  it('shows what the apiserver would let them see', async () => {
    await reviews.reaches('Paused 10 %');
    for (const person of ['ada', 'vera'] as const) {
      expect(namesOf(await call(person, '/api/v1/releases'))).toEqual(['reviews']);
      expect(await call(person, REVIEWS)).toMatchObject({ status: 200, body: { status: { phase: 'Paused', weight: 10 } } });
      expect(namesOf(await call(person, '/api/v1/objects?kind=VirtualService'))).toEqual(['bookinfo', 'reviews']);
      expect((await call(person, `${REVIEWS}/history`)).status).toBe(200);
    }
    expect(namesOf(await call('eve', '/api/v1/releases'))).toEqual([]);
    expect(namesOf(await call('eve', '/api/v1/objects?kind=VirtualService'))).toEqual([]);
    for (const path of [
      REVIEWS,
      `${REVIEWS}/findings`,
      '/api/v1/objects/VirtualService/default/reviews',
      '/api/v1/releases/default/none',
    ]) {
      expect([path, await call('eve', path)]).toMatchObject([path, { status: 403, body: { code: 'PERCH4081' } }]);
    }
    expect((await call('eve', `${REVIEWS}/history`)).status).toBe(403);
  });

  describeWithChromium('in a browser', (executable) => {
    it('the page asks for a token, shows what the routes ask for, and says that nothing counts visitors', async () => {
      const [browser] = await Promise.all([launchChromium(executable), bundleDashboard()]);
      const dashboard = await DashboardPage.open(browser, origin);
      try {
        await expect.poll(() => dashboard.page.getByRole('heading').innerText()).toBe('Who asks?');
        await dashboard.page.getByLabel('Token').fill(tokenOf('vera'));
        await dashboard.button('Use this token').click();
        await expect
          .poll(() => dashboard.headline())
          .toContain('reviews v2 is for 10 % of visitors, as its routes say: nothing here counts them.');
        await expect.poll(() => dashboard.page.locator('.is-exposure .note').innerText()).toContain('Nothing here counts visitors');
        await expect.poll(() => dashboard.page.getByRole('img', { name: /^Exposure of reviews v2/ }).count()).toBe(1);
        await expect.poll(() => dashboard.page.locator('.is-routes').textContent()).toContain('perch:default/reviews:');
        await dashboard.picture('cluster');
        expect(await dashboard.axe()).toEqual([]);
        // Vera may look.
        await dashboard.ask('Promote to 25 %');
        await expect.poll(() => dashboard.dialog.getByRole('alert').innerText()).toContain('PERCH4081');
        expect(dashboard.complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    });
  });

  it('shows releases as the dashboard does, without what nobody measures', async () => {
    for (const person of ['ada', 'vera'] as const) {
      const view = async (path: string) => (await call(person, `${REVIEWS}/${path}`)).body;
      expect(timelineView.parse(await view('timeline'))).toMatchObject({ items: [] });
      const { items } = wovenRoutesView.parse(await view('routes'));
      expect(items.map(({ name }) => name).toSorted()).toEqual(['bookinfo', 'reviews']);
      expect(items.every(({ lines }) => lines.some(({ sign, text }) => sign === '+' && text.includes('perch:default/reviews')))).toBe(true);
      expect(forecastView.parse(await view('forecast?action=promote'))).toEqual({
        ...{ action: 'promote', allowed: true },
        sentence: 'Promote to 25 %: 15 % of visitors move from v1 to v2 with their next request',
      });
      expect(comparisonView.parse(await view('comparison')).schemes).toHaveLength(4);
    }
    for (const path of ['timeline', 'routes', 'forecast?action=promote', 'comparison']) {
      expect([path, (await call('eve', `${REVIEWS}/${path}`)).status]).toEqual([path, 403]);
    }
  });

  it('tries a request on the routes that the caller may see', async () => {
    const trial = { listener: 'mesh', method: 'GET', url: 'http://reviews:9080/reviews/0', headers: [['baggage', 'perch.reviews=canary']] };
    const tried = async (person: Person) => {
      const { body } = await call(person, '/api/v1/route-trials', { method: 'POST', body: JSON.stringify(trial) });
      return routeTrialView.parse(body);
    };
    const { outcome, sentence } = await tried('vera');
    expect(outcome).toMatchObject({
      kind: 'forward',
      destinations: [{ host: 'reviews.default.svc.cluster.local', subset: 'v2', port: 9080 }],
    });
    expect(sentence).toContain('by rule “told by the edge: canary (default/reviews)” of VirtualService default/reviews');
    expect((await tried('eve')).outcome).toMatchObject({ destinations: [{ percent: 100, port: 9080 }] });
    expect((await tried('eve')).sentence).not.toContain('VirtualService');
  });

  it('what weaving finds is for those who see all of what it looks at', async () => {
    expect(await call('ada', `${REVIEWS}/findings`)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/ada may not list/) as string },
    });
  });

  it('does what the apiserver would let them do, in their own name', async () => {
    expect(await ask('ada', 'promote')).toMatchObject({ status: 200, body: { outcome: 'done' } });
    expect(await reviews.phase()).toBe('Paused 25 %');
    expect((await reviews.status())?.lastRequest).toMatchObject({ action: 'promote', by: 'ada' });
    for (const person of ['vera', 'eve'] as const) {
      // Whatever they call themselves.
      expect(await ask(person, 'rollback', 'ada')).toMatchObject({ status: 403, body: { code: 'PERCH4081' } });
      expect(await call(person, REVIEWS, { method: 'DELETE' })).toMatchObject({ status: 403 });
    }
    expect(await reviews.phase()).toBe('Paused 25 %');
    const managers = await cluster.send('GET', '/apis/perch.dev/v1alpha1/namespaces/default/canaryreleases/reviews');
    expect(JSON.stringify(managers.body['metadata'])).toContain('"manager":"perch-api"');
  });

  it('objects are not applied here', async () => {
    const body = JSON.stringify({ objects: [reviewsRelease([100])] });
    const { status, body: said } = await call('ada', '/api/v1/objects', { method: 'PUT', body });
    expect([status, said['diagnostics']]).toMatchObject([422, [{ code: 'PERCH4082' }]]);
  });

  it('foreign pages get nothing, token or not', async () => {
    const headers = { authorization: `Bearer ${tokenOf('ada')}`, origin: 'https://evil.example' };
    expect((await fetch(`${origin}${REVIEWS}`, { headers })).status).toBe(403);
  });

  it('events come as releases change, to those who may see them', async () => {
    const end = new AbortController();
    const stream = async (person: Person) => {
      const response = await fetch(`${origin}/api/v1/events`, {
        headers: { authorization: `Bearer ${tokenOf(person)}` },
        signal: end.signal,
      });
      let text = '';
      void (async () => {
        for await (const part of response.body ?? []) text += new TextDecoder().decode(part);
      })().catch(() => undefined);
      return () => text;
    };
    const [ada, eve] = await Promise.all([stream('ada'), stream('eve')]);
    await expect.poll(ada).toContain('"weight":25');
    expect(await ask('ada', 'rollback')).toMatchObject({ status: 200 });
    await expect.poll(ada).toContain('"phase":"RolledBack"');
    expect(eve()).not.toContain('reviews');
    end.abort();
  });

  it('who is deleted from a role sees nothing within ten seconds', async () => {
    expect(namesOf(await call('vera', '/api/v1/releases'))).toEqual(['reviews']);
    await cluster.send('DELETE', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/perch-viewer-vera');
    await expect.poll(async () => namesOf(await call('vera', '/api/v1/releases')), { timeout: 15_000 }).toEqual([]);
  });

  it('a release that is deleted here takes itself out of its routes first', async () => {
    expect((await call('ada', REVIEWS, { method: 'DELETE' })).status).toBe(202);
    await expect.poll(() => reviews.get()).toBeUndefined();
    const routed = await cluster.get({ kind: 'VirtualService', name: 'reviews' });
    expect(routed?.spec).toEqual(objectsOf(bookinfoFile('reviews'))[0]?.spec);
  });
});
