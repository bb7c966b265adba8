import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleDashboard } from '../../tools/bundle-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { DashboardPage } from './dashboard-page.ts';
import { bringVisitors } from './traffic.ts';

const WIDTHS = [360, 1280, 3840];
const SCHEMES = ['light', 'dark'] as const;
/** What all of the page may weigh on the wire, in bytes: index.html, script, style sheet and icon. */
const MOST_BYTES = 60_000;
/** In ms, on loopback: one load in so many at least, as the machine may be busy with something else. */
const FIRST_PAINT_MS = 300;
const LOADS = 30;

/** Elements that stick out of the window, by tag and text; what scrolls by itself may. */
const STICKING_OUT = `[...document.querySelectorAll('body *:not(.scrolls *):not(.hidden)')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5 || element.getBoundingClientRect().left < -0.5)
  .map((element) => element.tagName + ' ' + (element.textContent ?? '').trim().slice(0, 40))`;

/** Texts of the large chart that lie on each other, in pairs. */
const OVERLAPPING = `(() => {
  const texts = [...document.querySelectorAll('.chart .axis, .chart .step')].map((element) => [element.textContent, element.getBoundingClientRect()]);
  return texts.flatMap(([one, a], index) => texts.slice(index + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3)
    .map(([other]) => one + ' and ' + other));
})()`;

/** What has the keyboard's focus, and whether one sees that. */
const FOCUSED = `({
  name: (document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent).trim(),
  outline: getComputedStyle(document.activeElement).outlineStyle,
})`;

describeWithChromium('the dashboard', (executable) => {
  let browser: Browser;
  let scene: WebScene;

  beforeAll(async () => {
    [browser, scene] = await Promise.all([
      launchChromium(executable),
      startWebScene(11, {
        steps: [
          { weight: 25, hold: 'manual' },
          { weight: 50, hold: '30m' },
          { weight: 100, hold: '30m' },
        ],
      }),
      bundleDashboard(),
    ]);
    await bringVisitors(scene.ingressPort, 40);
  });
  afterAll(async () => {
    await browser?.close();
    await scene?.close();
  });

  test('fits windows from 360 px to 4K in light and dark, and axe finds nothing wrong', async () => {
    const dashboard = await DashboardPage.open(browser, scene.api);
    await expect.poll(() => dashboard.headline()).toContain('is seen by');
    await expect.poll(() => dashboard.page.locator('.is-routes .line').count()).toBeGreaterThan(0);
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const where = `${width}-${colorScheme}`;
        await dashboard.page.setViewportSize({ width, height: width > 2000 ? 2160 : 800 });
        await dashboard.page.emulateMedia({ colorScheme });
        await dashboard.picture(where);
        expect(await dashboard.page.evaluate('document.documentElement.scrollWidth'), where).toBeLessThanOrEqual(width);
        expect(await dashboard.page.evaluate(STICKING_OUT), where).toEqual([]);
        expect(await dashboard.axe(), where).toEqual([]);
      }
    }
    await dashboard.page.setViewportSize({ width: 360, height: 800 });
    await dashboard.button('Roll back').click();
    await expect.poll(() => dashboard.dialog.locator('.forecast').innerText()).not.toContain('Counting');
    await dashboard.picture('dialog-360-dark');
    expect(await dashboard.axe()).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
    await dashboard.close();
  });

  test('is used with the keyboard alone, and one sees where one is', async () => {
    const dashboard = await DashboardPage.open(browser, scene.api, '', { reducedMotion: 'reduce' });
    const { keyboard } = dashboard.page;
    await expect.poll(() => dashboard.page.locator('.is-routes .line').count()).toBeGreaterThan(0);
    const visited: { readonly name: string; readonly outline: string }[] = [];
    for (let tab = 0; tab < 16; tab++) {
      await keyboard.press('Tab');
      visited.push((await dashboard.page.evaluate(FOCUSED)) as (typeof visited)[number]);
    }
    for (const { name, outline } of visited) expect(outline, name).not.toBe('none');
    const names = visited.map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual([
      'Promote to 50 %',
      'Promote to the end',
      'Roll back',
      'Other schemes, simulated',
      'Exposure of web v2 at a time',
    ]);
    expect(names[5]).toBe('The same as a table');
    expect(names).toContain('What is woven in');

    await dashboard.button('Promote to 50 %').focus();
    await keyboard.press('Enter');
    // The safe choice has the focus, and Escape leaves.
    await expect.poll(() => dashboard.page.evaluate(FOCUSED)).toMatchObject({ name: 'Cancel' });
    await keyboard.press('Escape');
    await expect.poll(() => dashboard.dialog.count()).toBe(0);
    expect(await dashboard.page.evaluate(FOCUSED)).toMatchObject({ name: 'Promote to 50 %' });
    await keyboard.press('Enter');
    await expect.poll(() => dashboard.page.evaluate(FOCUSED)).toMatchObject({ name: 'Cancel' });
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await expect.poll(() => dashboard.result.innerText()).toContain('done');
    expect((await scene.status()).weight).toBe(50);
    await dashboard.close();
  });

  test('charts tell time and figures of a point, by pointer and by keyboard', async () => {
    const dashboard = await DashboardPage.open(browser, scene.api);
    const { page } = dashboard;
    const chart = page.getByRole('slider', { name: 'Exposure of web v2 at a time' });
    const readout = page.locator('p.readout');
    await expect.poll(() => page.locator('.chart path.share').getAttribute('d')).toContain('M');
    // No two labels of the axis and the steps lie on each other.
    expect(await page.evaluate(OVERLAPPING)).toEqual([]);
    expect(await readout.innerText()).toContain('Figures at a time');
    const told = /^(?:\d+ \w+ )?\d\d:\d\d(?::\d\d)?: asked (?:25|50) %, (?:measured \d+\.\d %|nobody was counted)/;
    await chart.hover();
    await expect.poll(() => readout.innerText()).toMatch(told);
    expect(await page.locator('.chart .cursor').count()).toBe(1);
    await page.mouse.move(5, 5);
    await expect.poll(() => readout.innerText()).toContain('Figures at a time');

    await chart.focus();
    const newest = await readout.innerText();
    expect(newest).toMatch(told);
    const { keyboard } = page;
    await keyboard.press('Home');
    await expect.poll(() => readout.innerText()).toMatch(/asked 25 %/);
    expect(await chart.getAttribute('aria-valuenow')).toBe('0');
    expect(await chart.getAttribute('aria-valuetext')).toBe(await readout.innerText());
    await keyboard.press('ArrowRight');
    await expect.poll(() => chart.getAttribute('aria-valuenow')).toBe('1');
    for (const width of [360, 1280]) {
      for (const colorScheme of SCHEMES) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await chart.focus();
        await keyboard.press('End');
        await keyboard.press('ArrowLeft');
        await dashboard.picture(`readout-${width}-${colorScheme}`);
        expect(await page.evaluate(STICKING_OUT), `${width}`).toEqual([]);
      }
    }
    // What the pointer brought stays when it was pressed, until the focus goes elsewhere.
    await chart.click({ position: { x: 80, y: 60 } });
    await page.mouse.move(5, 5);
    expect(await readout.innerText()).toMatch(told);
    await keyboard.press('Escape');
    await expect.poll(() => readout.innerText()).toContain('Figures at a time');

    const requests = page.locator('.small-chart').filter({ hasText: 'Requests per second' });
    for (let count = 0; count < 3; count++) {
      await bringVisitors(scene.ingressPort, 5);
      await sleep(1500);
    }
    await expect.poll(() => requests.getByRole('slider').count()).toBe(1);
    await requests.getByRole('slider').hover();
    await expect.poll(() => requests.locator('figcaption').innerText()).toMatch(/, at .*\d\d:\d\d/);
    expect(await requests.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/: v1 \d+\.\d, v2 \d+\.\d$/);
    expect(await dashboard.axe()).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
    await dashboard.close();
  });

  test('other schemes are laid over the chart, dashed, and said to be simulated', async () => {
    const dashboard = await DashboardPage.open(browser, scene.api);
    const { page } = dashboard;
    // The steps of the test before: 50 % for half an hour now.
    await expect.poll(() => dashboard.headline()).toContain('Next: 100 %');
    await page.getByRole('checkbox', { name: 'Other schemes, simulated' }).check();
    const legend = page.getByRole('list', { name: 'Simulated schemes' });
    await expect.poll(() => legend.getByRole('listitem').count()).toBe(4);
    expect(await legend.innerText()).toMatch(/article.*: \d+\.\d %/);
    const lengths = "[...document.querySelectorAll('.chart path.scheme')].map((path) => path.getTotalLength())";
    for (const length of (await page.evaluate(lengths)) as number[]) expect(length).toBeGreaterThan(100);
    expect(await page.getByText('Simulated, not measured:').count()).toBe(1);
    expect(await page.locator('.chart path.scheme').count()).toBe(4);
    const dashes = "[...document.querySelectorAll('.chart path.scheme')].map((path) => getComputedStyle(path).strokeDasharray)";
    const drawn = (await page.evaluate(dashes)) as string[];
    // All dashed, and no two alike: not told apart by colour.
    expect(new Set(drawn).size).toBe(4);
    expect(drawn).not.toContain('none');
    expect(await dashboard.axe()).toEqual([]);
    await dashboard.picture('schemes');
    await page.getByRole('checkbox', { name: 'Other schemes, simulated' }).uncheck();
    expect(await page.locator('.chart path.scheme').count()).toBe(0);
    expect(dashboard.complaints).toEqual([]);
    await dashboard.close();
  });

  test('takes nothing from elsewhere, is small, and quick to paint', async () => {
    const dashboard = await DashboardPage.open(browser, scene.api);
    await expect.poll(() => dashboard.connection.innerText()).toMatch(/^\s*live$/);
    const html = await fetch(`${scene.api}/`);
    expect(html.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const text = await html.text();
    expect(text).not.toMatch(/<style|<script(?! type="module" src=)|style=|\son\w+=/);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(files).toHaveLength(3);
    let bytes = text.length;
    for (const path of files) {
      const file = await fetch(`${scene.api}/${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect(file.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
      expect(file.headers.get('content-encoding')).toBe('gzip');
      bytes += Number(file.headers.get('content-length'));
    }
    expect(bytes).toBeGreaterThan(5000);
    expect(bytes).toBeLessThan(MOST_BYTES);

    const origins = 'performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin)';
    expect(new Set((await dashboard.page.evaluate(origins)) as string[])).toEqual(new Set([scene.api]));
    const paints: number[] = [];
    while (paints.length < LOADS && !paints.some((paint) => paint < FIRST_PAINT_MS)) {
      await dashboard.page.reload();
      await expect.poll(() => dashboard.connection.innerText()).toMatch(/^\s*live$/);
      paints.push((await dashboard.page.evaluate('performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 1e9')) as number);
    }
    expect(Math.min(...paints), paints.join(', ')).toBeLessThan(FIRST_PAINT_MS);
    // The policy refused nothing, and does refuse what is not the page's.
    expect(dashboard.complaints).toEqual([]);
    await dashboard.page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "x"' }))`,
    );
    await expect.poll(() => dashboard.complaints.join(' ')).toContain('Content Security Policy');
    await dashboard.close();
  });
});
