import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { ProductPage, visitorId } from './product-page.ts';
import { type RunningDemo, startDemo } from './running-demo.ts';

const WIDTHS = [320, 360, 1280];
const SCHEMES = ['light', 'dark'] as const;
/** At half of the visitors, this many draws without both versions are a chance of one in 10^12. */
const MAX_DRAWS = 40;
/** `PERCH_SCREENSHOTS=1 ... npx vitest run test/browser/look.test.ts` leaves pictures there. */
const SCREENSHOTS = process.env['PERCH_SCREENSHOTS'] ? new URL('../../screenshots/', import.meta.url).pathname : undefined;

/** Elements that stick out of the window, by tag and text. */
const STICKING_OUT = `[...document.querySelectorAll('body *')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5 || element.getBoundingClientRect().left < -0.5)
  .map((element) => element.tagName + ' ' + (element.textContent ?? '').trim().slice(0, 40))`;

/** Contrast of each text with the background behind it, at its worst (WCAG 2.2, relative luminance). */
const LOWEST_CONTRAST = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter(
    (element) => !element.closest('.stars') && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''),
  );
  return texts
    .map((element) => {
      const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
      return { text: element.textContent.trim().slice(0, 40), contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
    })
    .sort((one, other) => one.contrast - other.contrast)[0];
})()`;

/** What has the keyboard's focus, and whether one sees that. */
const FOCUSED = `({
  name: document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim(),
  outline: getComputedStyle(document.activeElement).outlineStyle,
})`;

describeWithChromium('the product page', (executable) => {
  let browser: Browser;
  let demo: RunningDemo;
  /** One visitor for each version, told by their cookie to any window. */
  const visitors = new Map<string, string>();

  /** A profile with this visitor's cookie, in a window of this kind. */
  async function windowOf(version: string, width: number, colorScheme: 'light' | 'dark'): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, deviceScaleFactor: 1 });
    await context.addCookies([{ name: 'perch', value: visitors.get(version) ?? '', url: demo.page }]);
    return context;
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true });
  }

  /** The page fits, can be read, and says nothing on the console, in windows of all kinds. */
  async function expectLegible(visitor: string, name: string): Promise<void> {
    const context = await windowOf(visitor, 360, 'light');
    const complaints: string[] = [];
    context.on('console', (message) => complaints.push(message.text()));
    const { page } = await ProductPage.open(context, demo.page);
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const where = `${name}-${width}-${colorScheme}`;
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await picture(page, where);
        expect(await page.evaluate('document.documentElement.scrollWidth'), where).toBeLessThanOrEqual(width);
        expect(await page.evaluate(STICKING_OUT), where).toEqual([]);
        const worst = (await page.evaluate(LOWEST_CONTRAST)) as { readonly text: string; readonly contrast: number };
        expect(worst.contrast, `${where}: ${worst.text}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(complaints).toEqual([]);
    await context.close();
  }

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(executable), startDemo()]);
    await demo.promote();
    await demo.promote();
    const context = await browser.newContext();
    const tab = await ProductPage.open(context, demo.page);
    for (let draw = 0; draw < MAX_DRAWS && visitors.size < 2; draw++) {
      visitors.set((await tab.read()).version, await visitorId(context, demo.page));
      await tab.clickNewVisitor();
    }
    await context.close();
    expect([...visitors.keys()].sort()).toEqual(['v1', 'v2']);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.close();
  });

  test.each(['v1', 'v2'])('with reviews %s fits any window from 320 px, light and dark', async (version) => {
    await expectLegible(version, version);
  });

  test('is used with the keyboard alone, and one sees where one is', async () => {
    const context = await windowOf('v1', 360, 'light');
    const { page } = await ProductPage.open(context, demo.page);
    const visited: unknown[] = [];
    for (let tab = 0; tab < 5; tab++) {
      await page.keyboard.press('Tab');
      visited.push(await page.evaluate(FOCUSED));
    }
    const visible = (name: string) => ({ name, outline: 'solid' });
    expect(visited).toEqual(['Bookinfo', 'Your name', 'Sign in', 'Refresh', 'Be a new visitor'].map(visible));
    await picture(page, 'focus-360-light');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    expect(await visitorId(context, demo.page)).not.toBe(visitors.get('v1'));
    await context.close();
  });

  test('fits a window of 320 px with the longest name that may be signed in', async () => {
    const context = await windowOf('v2', 320, 'dark');
    const tab = await ProductPage.open(context, demo.page);
    await tab.signIn('Wolfeschlegelsteinhausenbergerdorff'.padEnd(64, 'x'));
    expect(await tab.page.getByText('Wolfeschlegelsteinhausenbergerdorff').count()).toBe(1);
    await picture(tab.page, 'signed-in-320-dark');
    expect(await tab.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    expect(await tab.page.evaluate(STICKING_OUT)).toEqual([]);
    await context.close();
  });

  test('after a rollback says so, and is as legible', async () => {
    expect((await demo.run('rollback', 'reviews')).code).toBe(0);
    await expectLegible('v2', 'rolled-back');
    const context = await windowOf('v2', 1280, 'light');
    const tab = await ProductPage.open(context, demo.page);
    expect(await tab.read()).toMatchObject({ version: 'v1', sentence: expect.stringContaining('v2 was rolled back') });
  });
});
