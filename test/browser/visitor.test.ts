import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium, launchProfile } from './chromium.ts';
import { bucketByHand, ProductPage, visitorCookies, visitorId } from './product-page.ts';
import { type RunningDemo, startDemo } from './running-demo.ts';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DAY_S = 86_400;
const REFRESHES = 30;
const PROFILES = 12;
/** At half of the visitors, this many draws without both versions are a chance of one in 10^12. */
const MAX_DRAWS = 40;

describeWithChromium('a visitor', (executable) => {
  let browser: Browser;
  let demo: RunningDemo;
  let cutoff: number;
  let offset: number;
  const directories: string[] = [];

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(executable), startDemo()]);
    await demo.promote();
    ({ cutoff, offset } = bucketDraw(await demo.promote()));
    expect(cutoff).toBe(2048);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.close();
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  const versionByHand = (id: string): string => (bucketByHand(id, offset) < cutoff ? 'v2' : 'v1');

  /** A profile that was sorted into this version by its own draw. */
  async function profileOn(version: string): Promise<{ readonly profile: BrowserContext; readonly tab: ProductPage }> {
    const profile = await browser.newContext();
    const tab = await ProductPage.open(profile, demo.page);
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      if ((await tab.read()).version === version) return { profile, tab };
      await tab.clickNewVisitor();
    }
    throw new Error(`nobody of ${MAX_DRAWS} is on ${version} at 50 %`);
  }

  test('gets one cookie, which no script reads and every link carries, for 400 days', async () => {
    const profile = await browser.newContext();
    const tab = await ProductPage.open(profile, demo.page);
    const [cookie, ...others] = await visitorCookies(profile, demo.page);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/', secure: false, domain: 'localhost' });
    expect(cookie?.value).toMatch(ID);
    const lifetime = ((cookie?.expires ?? 0) - Date.now() / 1000) / DAY_S;
    expect(lifetime).toBeGreaterThan(399.9);
    expect(lifetime).toBeLessThan(400.1);
    expect(await tab.page.evaluate('document.cookie')).toBe('');
  });

  test.each(['v1', 'v2'])(`on %s stays there: ${REFRESHES} refreshes, a new tab, a link from elsewhere`, async (version) => {
    const { profile, tab } = await profileOn(version);
    const id = await visitorId(profile, demo.page);
    const first = await tab.read();
    expect(first).toMatchObject({ version, hasStars: version === 'v2', cohort: version === 'v2' ? 'canary' : 'stable' });
    expect(first.bucket).toBe(bucketByHand(id, offset));
    expect(first.sentence.startsWith(`visitor …${id.slice(-4)}, bucket ${first.bucket} of 4096: reviews ${version}`)).toBe(true);

    for (let refresh = 0; refresh < REFRESHES; refresh++) {
      // F5, the page's own link, and the address typed again.
      await [() => tab.reload(), () => tab.clickRefresh(), () => tab.goto()][refresh % 3]?.();
      expect(await tab.read()).toEqual(first);
    }
    const other = await ProductPage.open(profile, demo.page);
    expect(await other.read()).toEqual(first);

    // Another site: SameSite=Lax lets the cookie come along where a person follows a link.
    await other.page.goto(`data:text/html,<a href="${demo.page}">a link</a>`);
    await other.page.getByRole('link').click();
    await other.page.waitForURL(demo.page);
    expect(await other.read()).toEqual(first);
    expect(await visitorId(profile, demo.page)).toBe(id);
  });

  test('is still there when the browser was closed and opened again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'perch-profile-'));
    directories.push(directory);
    const before = await launchProfile(executable, directory);
    const seen = await (await ProductPage.open(before, demo.page)).read();
    const id = await visitorId(before, demo.page);
    await before.close();

    const after = await launchProfile(executable, directory);
    try {
      expect(await visitorId(after, demo.page)).toBe(id);
      expect(await (await ProductPage.open(after, demo.page)).read()).toEqual(seen);
      expect(await visitorId(after, demo.page)).toBe(id);
    } finally {
      await after.close();
    }
  });

  test(`is one of ${PROFILES} who draw their own ids, and whose versions are what arithmetic says`, async () => {
    const ids = new Set<string>();
    for (let index = 0; index < PROFILES; index++) {
      const profile = await browser.newContext();
      const tab = await ProductPage.open(profile, demo.page);
      const id = await visitorId(profile, demo.page);
      ids.add(id);
      // The first page, when the browser came without an id, and the second, when it brought one.
      for (const visit of [() => tab.read(), () => tab.reload().then(() => tab.read())]) {
        const reading = await visit();
        expect(reading.version).toBe(versionByHand(id));
        expect(reading.bucket).toBe(bucketByHand(id, offset));
        expect(reading.sentence).toContain(`…${id.slice(-4)}, bucket ${reading.bucket} of 4096: reviews ${reading.version}`);
      }
      expect(await visitorId(profile, demo.page)).toBe(id);
      await profile.close();
    }
    expect(ids.size).toBe(PROFILES);
  });

  test('becomes a new one by a click: another id is drawn, and nothing of the old one is sent again', async () => {
    const profile = await browser.newContext();
    const tab = await ProductPage.open(profile, demo.page);
    await tab.signIn('jason');
    const drawn = [await visitorId(profile, demo.page)];
    const versions = new Set([(await tab.read()).version]);
    for (let draw = 0; draw < MAX_DRAWS && (draw < 3 || versions.size < 2); draw++) {
      const requests: { readonly method: string; readonly cookie: string }[] = [];
      const record = tab.page.waitForRequest(async (request) => {
        if (!request.isNavigationRequest()) return false;
        requests.push({ method: request.method(), cookie: (await request.allHeaders())['cookie'] ?? '' });
        return requests.length === 2;
      });
      await tab.clickNewVisitor();
      await record;
      const id = await visitorId(profile, demo.page);
      const old = drawn.at(-1) ?? '';
      expect(requests).toMatchObject([
        { method: 'POST', cookie: expect.stringContaining(`perch=${old}`) },
        { method: 'GET', cookie: expect.not.stringContaining('perch=') },
      ]);
      expect(drawn).not.toContain(id);
      drawn.push(id);
      const reading = await tab.read();
      expect(reading.version).toBe(versionByHand(id));
      expect(reading.sentence).toContain(`…${id.slice(-4)}, `);
      versions.add(reading.version);
      // It stays, as any other.
      await tab.reload();
      expect(await tab.read()).toEqual(reading);
    }
    expect([...versions].sort()).toEqual(['v1', 'v2']);
    // Only the visitor is another one: not who is signed in.
    expect(await tab.page.getByText('Signed in as jason').isVisible()).toBe(true);
  });
});
