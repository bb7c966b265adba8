import type { Browser, BrowserContext, Cookie } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { ProductPage } from './product-page.ts';
import { type RunningDemo, startDemo } from './running-demo.ts';

const REFRESHES = 30;
/** At 10 %, this many draws without the canary are a chance of one in 10^9. */
const MAX_DRAWS = 200;
const HOURS_S = 3_600;

/** The cookie of those on the canary, in a profile's jar. */
async function canaryCookies(profile: BrowserContext, url: string): Promise<readonly Cookie[]> {
  return (await profile.cookies(url)).filter(({ name }) => name === 'reviews-cookie');
}

/** The article's last step: opens the page and refreshes until reviews v2 appears. Gives the tab, and how often the page was loaded. */
async function refreshUntilV2(profile: BrowserContext, url: string): Promise<{ readonly tab: ProductPage; readonly draws: number }> {
  const tab = await ProductPage.open(profile, url);
  for (let draws = 1; draws <= MAX_DRAWS; draws++) {
    const { version, sentence } = await tab.read();
    if (version === 'v2') return { tab, draws };
    expect(sentence).toBe('reviews v1: you drew it this time. Refresh to draw again: 10 % of draws are v2');
    expect(await canaryCookies(profile, url)).toEqual([]);
    await tab.clickRefresh();
  }
  throw new Error(`no v2 in ${MAX_DRAWS} draws at 10 %`);
}

describeWithChromium('the article’s own experience (mode canaryOnly)', (executable) => {
  let browser: Browser;
  let demo: RunningDemo;

  beforeAll(async () => {
    browser = await launchChromium(executable);
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    demo = await startDemo('canaryOnly');
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await demo?.close();
  });

  test(`refresh until v2 appears, then ${REFRESHES} times v2, in a new tab too; after the finish the cookie is gone`, async () => {
    const profile = await browser.newContext();
    const { tab } = await refreshUntilV2(profile, demo.page);
    const seen = await tab.read();
    // Already the page that drew it says so.
    expect(seen).toMatchObject({ hasStars: true, cohort: 'canary', sentence: 'reviews v2: you drew it, and a cookie keeps you on it' });
    expect(seen.bucket).toBeUndefined();

    const [cookie, ...others] = await canaryCookies(profile, demo.page);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ value: 'REVIRES-V2', path: '/', domain: 'localhost' });
    expect((cookie?.expires ?? 0) - Date.now() / 1000).toBeGreaterThan(5.9 * HOURS_S);
    expect((cookie?.expires ?? 0) - Date.now() / 1000).toBeLessThan(6.1 * HOURS_S);

    for (let refresh = 0; refresh < REFRESHES; refresh++) {
      await [() => tab.reload(), () => tab.clickRefresh(), () => tab.goto()][refresh % 3]?.();
      expect(await tab.read()).toEqual(seen);
    }
    const other = await ProductPage.open(profile, demo.page);
    expect(await other.read()).toEqual(seen);

    for (const weight of [25, 50, 100]) {
      expect(await demo.promote()).toMatchObject({ weight });
      await tab.reload();
      expect(await tab.read()).toEqual(seen);
    }
    // Everyone is on v2 now, and everyone's cookie is set: also of a profile that has none.
    const late = await browser.newContext();
    expect(await (await ProductPage.open(late, demo.page)).read()).toEqual(seen);
    expect(await canaryCookies(late, demo.page)).toHaveLength(1);

    await demo.promote();
    expect(await demo.run('status', 'reviews', '--wait', 'succeeded', '--timeout', '20s')).toMatchObject({ code: 0 });
    for (const [context, page] of [
      [profile, tab],
      [late, await ProductPage.open(late, demo.page)],
    ] as const) {
      await page.reload();
      expect(await page.read()).toMatchObject({ version: 'v2', sentence: 'reviews v2, as everyone: it is the live version' });
      expect(await canaryCookies(context, demo.page)).toEqual([]);
    }
  });

  test('a rollback takes v2 away with the next page, and the cookie too', async () => {
    const profile = await browser.newContext();
    const { tab } = await refreshUntilV2(profile, demo.page);
    expect(await canaryCookies(profile, demo.page)).toHaveLength(1);
    expect((await demo.run('rollback', 'reviews')).code).toBe(0);
    await tab.reload();
    expect(await tab.read()).toMatchObject({ version: 'v1', sentence: 'reviews v1, as everyone: v2 was rolled back' });
    expect(await canaryCookies(profile, demo.page)).toEqual([]);
  });

  test('“be a new visitor” draws anew', async () => {
    const profile = await browser.newContext();
    const { tab } = await refreshUntilV2(profile, demo.page);
    const versions = new Set<string>();
    for (let draw = 0; draw < MAX_DRAWS && !versions.has('v1'); draw++) {
      await tab.clickNewVisitor();
      versions.add((await tab.read()).version);
    }
    expect(versions).toContain('v1');
    expect(await canaryCookies(profile, demo.page)).toEqual([]);
  });

  test('requests are shown, and no share of visitors', async () => {
    await refreshUntilV2(await browser.newContext(), demo.page);
    const { stdout } = await demo.run('status', 'reviews');
    expect(stdout).toMatch(/on v2 +\d+\.\d % of \d+ requests \(each draw 10 %\)/);
    expect(stdout).toMatch(/visitors +not counted/);
    expect(stdout).not.toMatch(/% of \d+ visitors/);
    expect((await demo.run('get', 'release', '-o', 'json')).stdout).not.toMatch(/"(?:share|chance|moved|cutoff|offset)"/);
  });
});
