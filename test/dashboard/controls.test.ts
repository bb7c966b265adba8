import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { DashboardPage } from './dashboard-page.ts';

describeWithChromium('the dashboard’s controls', (executable) => {
  let browser: Browser;
  let scene: WebScene;
  let dashboard: DashboardPage;

  beforeAll(async () => {
    [browser] = await Promise.all([launchChromium(executable), bundleDashboard()]);
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    scene = await startWebScene(7, { steps: [20, 50, 100].map((weight) => ({ weight, hold: 'manual' })) });
    dashboard = await DashboardPage.open(browser, scene.api);
  });
  afterEach(async () => {
    expect(dashboard.complaints).toEqual([]);
    await dashboard.close();
    await scene.close();
  });

  test('promote asks once more, then widens, and says so', async () => {
    await expect.poll(() => dashboard.headline()).toContain('It waits until somebody promotes it to 50 %.');
    expect(await dashboard.buttons()).toEqual(['Promote to 50 %', 'Promote to the end', 'Roll back']);
    await dashboard.button('Promote to 50 %').click();
    await expect.poll(() => dashboard.dialog.getByRole('heading').innerText()).toBe('Promote web v2 to 50 % now?');
    await dashboard.dialog.getByRole('button', { name: 'Cancel' }).click();
    expect((await scene.status()).step).toBe(0);
    await dashboard.ask('Promote to 50 %', 'Ann');
    await expect.poll(() => dashboard.result.innerText()).toMatch(/^Promote to 50 %: done/);
    await expect.poll(() => dashboard.headline()).toContain('promotes it to 100 %.');
    expect(await scene.status()).toMatchObject({ step: 1, weight: 50, lastRequest: { by: 'Ann', outcome: 'done' } });
  });

  test('roll back takes everyone back, and retry starts again', async () => {
    await dashboard.ask('Roll back', 'Ann');
    await expect.poll(() => dashboard.headline()).toContain('web v2 was rolled back from 20 %');
    expect(await dashboard.phase.innerText()).toContain('RolledBack');
    expect(await dashboard.buttons()).toEqual(['Retry']);
    await dashboard.ask('Retry');
    await expect.poll(async () => (await scene.status()).phase).toBe('Paused');
    await expect.poll(() => dashboard.buttons()).toContain('Promote to 50 %');
  });

  test('what is not possible any more cannot be confirmed, and the dialog says why', async () => {
    await dashboard.button('Promote to 50 %').click();
    await scene.rollBack();
    await expect.poll(() => dashboard.dialog.innerText()).toContain('the release was rolled back; retry starts it again');
    expect(await dashboard.dialog.getByRole('button', { name: 'Promote to 50 %' }).isDisabled()).toBe(true);
  });

  test('what is refused meanwhile is said in the words of the problem', async () => {
    // A page that does not hear in time that it is not possible any more.
    await dashboard.page.route('**/forecast?*', (route) => route.fulfill({ status: 503, body: '' }));
    await dashboard.button('Promote to 50 %').click();
    await scene.rollBack();
    await dashboard.dialog.getByRole('button', { name: 'Promote to 50 %' }).click();
    await expect
      .poll(() => dashboard.dialog.getByRole('alert').innerText())
      .toContain('the release was rolled back; retry starts it again');
    expect(await dashboard.dialog.getByRole('alert').innerText()).toContain('PERCH4008');
    await dashboard.dialog.getByRole('button', { name: 'Close' }).click();
    expect(await dashboard.dialog.count()).toBe(0);
  });

  test('what would do something else by now is not confirmed', async () => {
    await dashboard.button('Promote to 50 %').click();
    await expect.poll(() => dashboard.dialog.innerText()).toContain('Promote to 50 %: ');
    await scene.promote();
    await expect.poll(() => dashboard.dialog.innerText()).toContain('The release has moved on since you asked');
    const confirm = dashboard.dialog.getByRole('button', { name: 'Promote to 50 %' });
    expect(await confirm.isDisabled()).toBe(true);
    await dashboard.dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(await dashboard.buttons()).toEqual(['Promote to 100 %', 'Roll back']);
    expect(await scene.status()).toMatchObject({ step: 1, weight: 50 });
  });

  test('is clean for axe', async () => {
    await expect.poll(() => dashboard.connection.innerText()).toContain('live');
    await dashboard.picture('first');
    expect(await dashboard.axe()).toEqual([]);
  });
});
