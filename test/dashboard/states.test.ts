import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { Closers } from '../harness/closers.ts';
import { startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startWebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { DashboardPage } from './dashboard-page.ts';
import { bringVisitors } from './traffic.ts';

const MANUAL = [20, 50, 100].map((weight) => ({ weight, hold: 'manual' }));

describeWithChromium('what the dashboard says', (executable) => {
  let browser: Browser;
  const running = new Closers();
  const open = async (server: string, query = '') => running.keep(await DashboardPage.open(browser, server, query));

  beforeAll(async () => {
    [browser] = await Promise.all([launchChromium(executable), bundleDashboard()]);
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    await running.close();
  });

  test('nothing yet while it asks, then that there is no release, then the release that is applied', async () => {
    const seeded = running.keep(await startSeededRuntime(1));
    const dashboard = await open('about:blank#');
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => (answer = resolve));
    await dashboard.page.route('**/api/v1/releases', async (route) => {
      await asked;
      await route.continue();
    });
    await dashboard.page.goto(`http://127.0.0.1:${seeded.runtime.apiPort}/`);
    await expect.poll(() => dashboard.page.getByRole('main').innerText()).toBe('Asking what is being released …');
    answer();
    await expect.poll(() => dashboard.page.getByRole('heading').innerText()).toBe('There is no release.');
    await seeded.serve([
      {
        apiVersion: 'perch.dev/v1alpha1',
        kind: 'CanaryRelease',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          service: { host: 'web', port: 9080 },
          stable: { subset: 'v1' },
          canary: { subset: 'v2' },
          route: { adopt: { virtualService: 'web' } },
          steps: MANUAL,
        },
      },
    ]);
    await expect.poll(() => dashboard.phase.innerText()).toContain('Pending');
    expect(await dashboard.headline()).toContain('web v2 has not started. Waiting:');
    expect(await dashboard.buttons()).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
  });

  test('several releases: one in focus, by its address; one that is gone', async () => {
    const scene = running.keep(await startWebScene(2, { steps: MANUAL }));
    const release = await scene.release();
    const other = { apiVersion: release.apiVersion, kind: release.kind, metadata: { name: 'api', namespace: 'shop' }, spec: release.spec };
    const put = await fetch(`${scene.api}/api/v1/releases/shop/api`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(other),
    });
    expect(put.status).toBe(200);
    const dashboard = await open(scene.api);
    const nav = dashboard.page.getByRole('navigation', { name: 'Releases' });
    await expect.poll(() => nav.getByRole('link').count()).toBe(2);
    // The one that is under way.
    expect(await nav.locator('[aria-current=page]').innerText()).toContain('default/web');
    await nav.getByRole('link', { name: 'shop/api' }).click();
    await expect.poll(() => dashboard.page.url()).toContain('?release=shop/api');
    await expect.poll(() => dashboard.page.title()).toBe('api Pending · Perch');
    await dashboard.page.goBack();
    await expect.poll(() => dashboard.page.title()).toBe('web 20 % · Perch');
    await dashboard.goto('?release=shop/api');
    await expect.poll(() => dashboard.phase.innerText()).toContain('Pending');
    await fetch(`${scene.api}/api/v1/releases/shop/api`, { method: 'DELETE' });
    await expect.poll(() => dashboard.page.getByRole('heading', { level: 1 }).innerText()).toBe('There is no release shop/api.');
    await dashboard.page.getByRole('main').getByRole('link', { name: 'default/web' }).click();
    await expect.poll(() => dashboard.phase.innerText()).toContain('Paused');
    expect(dashboard.complaints).toEqual([]);
  });

  test('who sees the canary, measured; errors of both versions; then the countdown, the pause, the end', async () => {
    const steps = [MANUAL[0], { weight: 50, hold: '1h' }, { weight: 100, hold: 'manual' }];
    const scene = running.keep(
      await startWebScene(3, { steps }, (version, _, response) => {
        response.statusCode = version === 'v2' ? 500 : 200;
        response.end(version);
      }),
    );
    const dashboard = await open(scene.api);
    await bringVisitors(scene.ingressPort, 60);
    await expect
      .poll(() => dashboard.headline())
      .toMatch(/web v2 is seen by \d+\.\d % of visitors\. Errors: 0 % of v1’s answers, 100\.0 % of v2’s\./);
    const { exposure } = await scene.release();
    if (exposure?.counts !== 'visitors') throw new Error('visitors are not counted');
    const figures = dashboard.page.getByRole('region', { name: 'Figures of both versions' });
    const { total, canary } = exposure.visitors;
    await expect.poll(() => figures.getByRole('row', { name: 'Visitors' }).innerText()).toBe(`Visitors\t${total - canary}\t${canary}`);
    expect(await figures.getByRole('row', { name: 'Errors' }).innerText()).toBe(`Errors\t0 (0 %)\t${exposure.errors.canary} (100.0 %)`);
    expect(await figures.getByRole('row', { name: '99 % within' }).innerText()).toMatch(/^99 % within(\t\d+(\.\d+)? m?s){2}$/);
    // The chart has a description, and a table.
    const chart = dashboard.page.getByRole('img', { name: /^Exposure of web v2 over time: asked 20 %, measured \d/ });
    await expect.poll(() => chart.count()).toBe(1);
    await dashboard.page.getByText('The same as a table').click();
    await expect
      .poll(() => dashboard.page.getByRole('region', { name: 'Exposure by step' }).getByRole('row').nth(1).innerText())
      .toMatch(/^20 %\t\d+\.\d %\t\d+\.\d … \d+\.\d %\t60$/);

    await dashboard.ask('Promote to 50 %');
    await expect.poll(() => dashboard.headline()).toMatch(/Next: 100 % in (1 h|59 min)/);
    await expect
      .poll(() => dashboard.page.locator('.steps [aria-current=step]').innerText())
      .toMatch(/50 %\s+now\s+since \d\d:\d\d:\d\d, (1 h|59 min)/);
    expect(await dashboard.phase.innerText()).toContain('Progressing');
    expect(await dashboard.buttons()).toEqual(['Promote to 100 %', 'Pause', 'Roll back']);
    await dashboard.ask('Pause', 'Ann');
    await expect.poll(() => dashboard.headline()).toMatch(/It is paused with (1 h|59 min[\d a-z]*) of its hold left\./);
    expect(await dashboard.buttons()).toEqual(['Promote to 100 %', 'Resume', 'Roll back']);
    await expect.poll(() => dashboard.page.locator('.history').innerText()).toMatch(/Requested\s+pause asked for by Ann/);
    await dashboard.ask('Resume');
    await expect.poll(() => dashboard.phase.innerText()).toContain('Progressing');
    await dashboard.ask('Promote to 100 %');
    await expect.poll(() => dashboard.buttons()).toEqual(['Promote to the end', 'Roll back']);
    await dashboard.ask('Promote to the end');
    await expect.poll(() => dashboard.headline()).toContain('web v2 is the live version: everyone is on it.');
    expect(dashboard.complaints).toEqual([]);
  });

  test('requests, not visitors, in mode canaryOnly', async () => {
    const scene = running.keep(await startWebScene(4, { affinity: { mode: 'canaryOnly' } }));
    const dashboard = await open(scene.api);
    await bringVisitors(scene.ingressPort, 30, 4);
    await expect
      .poll(() => dashboard.headline())
      .toMatch(/web v2 answers \d+\.\d % of requests\. How many visitors see it cannot be known in mode canaryOnly\./);
    expect(await dashboard.page.getByRole('heading', { name: 'Requests over time' }).count()).toBe(1);
    expect(await dashboard.page.getByText('In mode canaryOnly visitors cannot be counted').count()).toBe(1);
    expect(await dashboard.page.getByRole('row', { name: 'Visitors' }).count()).toBe(0);
    expect(dashboard.complaints).toEqual([]);
  });

  test('what others wrote stays text', async () => {
    const scene = running.keep(await startWebScene(5, { steps: MANUAL }));
    const dashboard = await open(scene.api, '?release=<img src=x onerror=alert(1)>');
    await expect.poll(() => dashboard.page.getByRole('heading', { level: 1 }).innerText()).toContain('<img src=x onerror=alert(1)>');
    await dashboard.goto();
    const by = '<script>alert(1)</script><b>Ann</b>';
    await dashboard.ask('Roll back', by);
    await expect.poll(() => dashboard.headline()).toContain(`by ${by}`);
    await expect.poll(() => dashboard.page.locator('.history').innerText()).toContain(by);
    expect(await dashboard.page.locator('#page :is(script, b, img)').count()).toBe(0);
    expect(dashboard.complaints).toEqual([]);
  });
});
