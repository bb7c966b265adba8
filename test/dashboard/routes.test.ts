import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { DashboardPage } from './dashboard-page.ts';

/** Bucket 0 and bucket 4095 in every draw. */
const FIRST = '00000000-0000-4000-8000-000000000000';
const LAST = 'ffffffff-ffff-4fff-bfff-ffffffffffff';

describeWithChromium('the dashboard’s routes', (executable) => {
  let browser: Browser;
  let scene: WebScene;
  let dashboard: DashboardPage;

  beforeAll(async () => {
    [browser, scene] = await Promise.all([launchChromium(executable), startWebScene(13), bundleDashboard()]);
  });
  afterAll(async () => {
    await browser?.close();
    await scene?.close();
  });
  beforeEach(async () => {
    dashboard = await DashboardPage.open(browser, scene.api);
  });
  afterEach(async () => {
    expect(dashboard.complaints).toEqual([]);
    await dashboard.close();
  });

  test('are shown as a diff, as applied, and as served', async () => {
    const routes = dashboard.page.getByRole('region', { name: 'Routes', exact: true });
    const code = (shown: string) => routes.getByRole('region', { name: `${shown}: VirtualService default/web` });
    // Not innerText, which breaks lines at what only screen readers are told.
    const textOf = (shown: string) => code(shown).textContent();
    await expect.poll(() => textOf('What is woven in')).toMatch(/\+ added: {5}- name: perch:default\/web:known:canary:v1:all/);
    // Not by colour alone, and not by signs alone.
    expect(await code('What is woven in').locator('.is-added .hidden').first().textContent()).toBe('added: ');
    expect(await textOf('What is woven in')).not.toContain('apiVersion');
    await routes
      .getByRole('button', { name: /lines that stay: show them/ })
      .first()
      .click();
    await expect.poll(() => textOf('What is woven in')).toContain('apiVersion');
    await routes.getByRole('radio', { name: 'As applied' }).check();
    await expect.poll(() => textOf('As applied')).toContain('name: all');
    expect(await textOf('As applied')).not.toContain('perch:');
    await routes.getByRole('radio', { name: 'As served' }).check();
    await expect.poll(() => textOf('As served')).toContain('perch:default/web:rest:stable:v1:all');
  });

  test('a request is tried: which rule takes it, and why not the ones before', async () => {
    const trial = dashboard.page.getByRole('region', { name: 'Try a request' });
    const said = trial.locator('[aria-live]');
    await expect.poll(() => trial.getByLabel('URL').inputValue()).toBe('http://localhost:8080/');
    await trial.getByLabel('Visitor id').fill(FIRST);
    await trial.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => said.locator('.outcome').innerText()).toContain('v2');
    expect(await said.locator('.trail').innerText()).toContain('perch:default/web:known:canary:v1:all');
    await dashboard.picture('trial');

    await trial.getByLabel('Visitor id').fill('');
    await trial.getByLabel('Cookie').fill(`perch=${LAST}`);
    await trial.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => said.locator('.outcome').innerText()).toContain('v1');
    const steps = await said.getByRole('listitem').allTextContents();
    expect(steps.filter((step) => step.includes('not taken: ') && step.includes('known:canary'))).toHaveLength(1);
    expect(steps.filter((step) => step.includes('taken: ') && !step.includes('not taken') && step.includes('known:stable'))).toHaveLength(
      1,
    );
    expect(await dashboard.axe()).toEqual([]);

    // What cannot be a request is said beside the form.
    await trial.getByLabel('Headers, one a line').fill('no header');
    await trial.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => said.innerText()).toContain('“no header” is no header');
    await trial.getByLabel('Headers, one a line').fill('');
    await trial.getByLabel('URL').fill('ftp://localhost/');
    await trial.getByRole('button', { name: 'Try it' }).click();
    await expect.poll(() => said.innerText()).toMatch(/\(PERCH\d{4}\)|✗/);
  });
});
