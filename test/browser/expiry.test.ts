import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { bucketByHand, visitorCookies, visitorId } from './product-page.ts';

const MAX_AGE_S = 3;
/** Visitors whose cookie goes; at half, this many without a move are a chance of one in 2^24. */
const LOST = 24;

describeWithChromium('an id that goes while a release is at half of its visitors', (executable) => {
  let browser: Browser;
  let scene: WebScene;
  let versionOf: (id: string) => string;
  let address: string;

  beforeAll(async () => {
    const cookie = { maxAge: `${MAX_AGE_S}s` };
    [browser, scene] = await Promise.all([launchChromium(executable), startWebScene(31, { visitorId: { cookie } })]);
    const { cutoff, offset } = bucketDraw(await scene.status());
    versionOf = (id) => (bucketByHand(id, offset) < cutoff ? 'v2' : 'v1');
    address = `http://localhost:${scene.ingressPort}/`;
  });

  afterAll(async () => {
    await browser?.close();
    await scene?.close();
  });

  const visit = async (page: Page): Promise<string> => (await (await page.goto(address))?.text()) ?? '';

  test('by its age: it is counted from the first visit, no visit renews it, and then the visitor is a new one', async () => {
    const profile = await browser.newContext();
    const page = await profile.newPage();
    const version = await visit(page);
    const [first] = await visitorCookies(profile, address);
    expect(version).toBe(versionOf(first?.value ?? ''));
    expect(Math.abs((first?.expires ?? 0) - Date.now() / 1000 - MAX_AGE_S)).toBeLessThan(MAX_AGE_S);
    expect(await visit(page)).toBe(version);
    expect(await visitorCookies(profile, address)).toEqual([first]);

    await expect.poll(() => visitorCookies(profile, address)).toEqual([]);
    const next = await visit(page);
    const id = await visitorId(profile, address);
    expect(id).not.toBe(first?.value);
    expect(next).toBe(versionOf(id));
    await profile.close();
  });

  test(`by deletion: ${LOST} visitors are drawn anew, and move as two independent draws do`, async () => {
    let moved = 0;
    for (let index = 0; index < LOST; index++) {
      const profile = await browser.newContext();
      const page = await profile.newPage();
      const before = await visit(page);
      await profile.clearCookies();
      const after = await visit(page);
      expect(after).toBe(versionOf(await visitorId(profile, address)));
      if (before !== after) moved += 1;
      await profile.close();
    }
    console.info(`${moved} of ${LOST} visitors who lost their id at 50 % moved`);
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(LOST);
  });
});
