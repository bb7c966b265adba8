import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { webReleaseYaml } from '../harness/web-manifests.ts';
import { describeWithChromium } from '../requirements.ts';
import { DashboardPage } from './dashboard-page.ts';
import { bringVisitors } from './traffic.ts';

const LOOK = 'look-6f1c1d3b0f0e4a7c9a5b8d2e4f607182';
const ACT = 'act-93a4b5c6d7e8f9016f1c1d3b0f0e4a7c9';

describeWithChromium('the dashboard’s connection', (executable) => {
  let browser: Browser;
  let scene: Scene;
  let dashboard: DashboardPage | undefined;

  beforeAll(async () => {
    [browser] = await Promise.all([launchChromium(executable), bundleDashboard()]);
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    scene = await createScene();
    await writeFile(join(scene.files, 'release.yaml'), webReleaseYaml());
  });
  afterEach(async () => {
    await dashboard?.close();
    await scene.close();
  });

  test('a runtime that dies is noticed and said, and one that comes back is followed again', async () => {
    const first = await scene.serve('-f', scene.files);
    await bringVisitors(Number(new URL(first.ingress).port), 20);
    dashboard = await DashboardPage.open(browser, first.server);
    await expect.poll(() => dashboard?.headline()).toMatch(/seen by \d+\.\d % of visitors/);
    const seen = await dashboard.headline();
    await first.process.stop('SIGKILL');
    await expect.poll(() => dashboard?.connection.innerText()).toContain('connection lost, retrying');
    // What was known stays, with its age.
    expect(await dashboard.headline()).toBe(seen);
    expect(await dashboard.page.getByText(/^Figures are \d+ s old; next try in \d+ s/).count()).toBe(1);
    await dashboard.picture('lost');

    await dashboard.button('Try now').click();
    expect(await dashboard.connection.innerText()).toContain('connection lost, retrying');

    // On its own, as soon as there is somebody.
    const port = new URL(first.server).port;
    await scene.serve('-f', scene.files, '--api-port', port);
    await expect.poll(() => dashboard?.connection.innerText()).toMatch(/^\s*live$/);
    // Whole, as the new process knows it: it has counted nobody yet.
    await expect.poll(() => dashboard?.headline()).toContain('none came yet in this step');
  });

  test('more tabs than a browser has connections: only what is seen follows, and it is current again on return', async () => {
    const { server, ingress } = await scene.serve('-f', scene.files);
    dashboard = await DashboardPage.open(browser, server);
    const tabs = [dashboard];
    for (let count = 1; count <= 8; count++) {
      const tab = tabs.at(-1);
      await expect.poll(() => tab?.connection.innerText()).toMatch(/^\s*live$/);
      await tab?.setVisible('hidden');
      await expect.poll(() => tab?.connection.innerText()).toContain('paused while hidden');
      // Nothing that may be old in the meantime.
      await expect.poll(() => tab?.page.title()).toBe('web · Perch');
      if (count < 8) tabs.push(await dashboard.anotherTab());
    }
    await bringVisitors(Number(new URL(ingress).port), 20);
    await perch(['promote', 'web'], { PERCH_SERVER: server });
    expect(await dashboard.headline()).toContain('10 %');
    await dashboard.setVisible('visible');
    await expect.poll(() => dashboard?.connection.innerText()).toMatch(/^\s*live$/);
    await expect.poll(() => dashboard?.page.title()).toBe('web 50 % · Perch');
    expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
  });

  test('where the API wants a token the page asks for one, and says what one that may only look cannot do', async () => {
    const tokens = join(scene.dir, 'tokens');
    await writeFile(tokens, `view ${LOOK}\nact ${ACT}\n`, { mode: 0o600 });
    const { server } = await scene.serve('-f', scene.files, '--api-token-file', tokens);
    dashboard = await DashboardPage.open(browser, server);
    const field = dashboard.page.getByLabel('Token');
    await expect.poll(() => dashboard?.page.getByRole('heading').innerText()).toBe('Who asks?');
    expect(await dashboard.axe()).toEqual([]);
    await field.fill('wrong-6f1c1d3b0f0e4a7c9a5b8d2e4f607182');
    await dashboard.button('Use this token').click();
    await expect.poll(() => dashboard?.page.getByRole('heading').innerText()).toBe('This token does not open the page.');
    await field.fill(LOOK);
    await dashboard.button('Use this token').click();
    await expect.poll(() => dashboard?.phase.innerText()).toContain('Paused');
    await dashboard.ask('Roll back');
    await expect.poll(() => dashboard?.dialog.getByRole('alert').innerText()).toMatch(/It was refused: .*\(PERCH\d{4}\)/);
    // Kept for this tab, and nowhere else.
    expect(
      await dashboard.page.evaluate('[JSON.stringify(localStorage).includes("look-"), sessionStorage.length, document.cookie]'),
    ).toEqual([false, 1, '']);
    await dashboard.page.reload();
    await expect.poll(() => dashboard?.phase.innerText()).toContain('Paused');
  });
});
