import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { visitorCookies } from './product-page.ts';

/*
 * Racing first requests of one visitor, counted. The lines that it prints are those of docs/guides/browsers.md:
 * PERCH_CHROMIUM=$(node tools/provide-chromium.ts) npx vitest run test/browser/races.test.ts
 */

const ASSETS = 6;
const PROFILES = 8;

/** A page with images and fetches of `site`, which say on the page when all of them are answered. */
function pageWithAssets(site: string): string {
  const images = Array.from({ length: ASSETS }, (_, index) => `<img alt="" src="${site}/image.svg?${index}">`);
  const fetches = `Promise.allSettled(Array.from({ length: ${ASSETS} }, (_, index) => fetch('${site}/data?' + index, { credentials: 'include' })))`;
  return `<!doctype html><title>page</title><script>const fetched = ${fetches}; addEventListener('load', () => fetched.then(() => { document.title = 'done'; }));</script>${images.join('')}`;
}

function answer(version: string, request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origin !== undefined) response.setHeader('access-control-allow-origin', origin).setHeader('access-control-allow-credentials', 'true');
  if (request.url?.startsWith('/image.svg') === true) {
    response.setHeader('content-type', 'image/svg+xml').end('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>');
  } else if (request.url === '/page') {
    response.setHeader('content-type', 'text/html').end(pageWithAssets(''));
  } else {
    response.setHeader('content-type', 'text/plain').end(version);
  }
}

/** What one profile's first page came to. */
interface Race {
  /** Answers that carried a new id. */
  readonly issued: number;
  /** Ids in the jar when all is answered. */
  readonly kept: number;
  /** Cohorts that the page's requests were in. */
  readonly cohorts: number;
}

describeWithChromium('first requests that race', (executable) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(executable);
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  async function openWithAssets(page: Page, address: string): Promise<void> {
    await page.goto(address);
    await page.waitForFunction('document.title === "done"');
  }

  /** The roles and cohorts of a profile's requests. */
  const routed = (scene: WebScene, userAgent: string) =>
    scene.log
      .filter((entry) => entry.user_agent === userAgent && !entry.path.includes('favicon'))
      .map(({ route_name }) => route_name?.split(':').slice(2, 4) ?? []);

  /** Opens the page as a new visitor. */
  async function race(scene: WebScene, address: string, userAgent: string): Promise<Race & { readonly profile: BrowserContext }> {
    const profile = await browser.newContext({ userAgent });
    const page = await profile.newPage();
    const site = `http://api.shop.localhost:${scene.ingressPort}/`;
    await openWithAssets(page, address);
    const first = routed(scene, userAgent);
    const kept = await visitorCookies(profile, site);
    return {
      profile,
      issued: first.filter(([role]) => role === 'new').length,
      kept: kept.length,
      cohorts: new Set(first.map(([, cohort]) => cohort)).size,
    };
  }

  /** The same visitor once more: whether the id that was kept last decides everything from now on. */
  async function expectSettled(scene: WebScene, address: string, profile: BrowserContext, userAgent: string): Promise<void> {
    const site = `http://api.shop.localhost:${scene.ingressPort}/`;
    const kept = await visitorCookies(profile, site);
    const before = routed(scene, userAgent).length;
    await openWithAssets(profile.pages()[0] ?? (await profile.newPage()), address);
    const later = routed(scene, userAgent).slice(before);
    expect(later.length).toBeGreaterThanOrEqual(ASSETS);
    expect(new Set(later.map(([role]) => role))).toEqual(new Set(['known']));
    expect(new Set(later.map(([, cohort]) => cohort)).size).toBe(1);
    expect(await visitorCookies(profile, site)).toEqual(kept);
  }

  async function measure(scene: WebScene, address: string, what: string): Promise<readonly Race[]> {
    const races: Race[] = [];
    for (let index = 0; index < PROFILES; index++) {
      const userAgent = `${what} ${index}`;
      const { profile, ...counted } = await race(scene, address, userAgent);
      races.push(counted);
      if (counted.kept > 0) await expectSettled(scene, address, profile, userAgent);
      await profile.close();
    }
    const span = (numbers: readonly number[]) => `${Math.min(...numbers)} to ${Math.max(...numbers)}`;
    const mixed = races.filter(({ cohorts }) => cohorts > 1).length;
    console.info(
      `${what}: ${span(races.map(({ issued }) => issued))} ids issued, ${span(races.map(({ kept }) => kept))} kept, ${mixed} of ${PROFILES} first pages mixed`,
    );
    return races;
  }

  describe('documents', () => {
    let scene: WebScene;
    beforeAll(async () => {
      scene = await startWebScene(21, {}, answer);
    });
    afterAll(() => scene?.close());

    test('a page from the gateway: one id, and its assets bring it', async () => {
      const races = await measure(
        scene,
        `http://api.shop.localhost:${scene.ingressPort}/page`,
        'page from the gateway, issueOn: documents',
      );
      expect(races).toEqual(races.map(() => ({ issued: 1, kept: 1, cohorts: 1 })));
    });

    test('several tabs opened at once: as many ids as tabs, of which one stays', async () => {
      const userAgent = 'tabs';
      const profile = await browser.newContext({ userAgent });
      const address = `http://api.shop.localhost:${scene.ingressPort}/page`;
      const tabs = await Promise.all(Array.from({ length: 3 }, () => profile.newPage()));
      await Promise.all(tabs.map((tab) => openWithAssets(tab, address)));
      expect(await visitorCookies(profile, address)).toHaveLength(1);
      await expectSettled(scene, address, profile, userAgent);
    });
  });

  describe('issueOn: all', () => {
    let scene: WebScene;
    let elsewhere: VersionServer;
    beforeAll(async () => {
      scene = await startWebScene(22, { visitorId: { issueOn: 'all' } }, answer);
      const page = pageWithAssets(`http://api.shop.localhost:${scene.ingressPort}`);
      elsewhere = await startVersion('', (_request, response) => response.setHeader('content-type', 'text/html').end(page));
    });
    afterAll(async () => {
      await scene?.close();
      await elsewhere?.close();
    });

    test('a page from the gateway: one id too', async () => {
      const races = await measure(scene, `http://api.shop.localhost:${scene.ingressPort}/page`, 'page from the gateway, issueOn: all');
      expect(races).toEqual(races.map(() => ({ issued: 1, kept: 1, cohorts: 1 })));
    });

    test('a page from elsewhere on the same site: its assets race for several ids, and one stays', async () => {
      const races = await measure(scene, `http://www.shop.localhost:${elsewhere.port}/`, 'page from elsewhere, issueOn: all');
      for (const { issued, kept } of races) {
        expect(kept).toBe(1);
        expect(issued).toBeGreaterThanOrEqual(1);
        expect(issued).toBeLessThanOrEqual(2 * ASSETS);
      }
      expect(Math.max(...races.map(({ issued }) => issued))).toBeGreaterThan(1);
    });

    test('a page of another site: SameSite=Lax keeps none, so each asset is drawn anew', async () => {
      const races = await measure(scene, `http://other.localhost:${elsewhere.port}/`, 'page of another site, issueOn: all');
      expect(races.map(({ issued, kept }) => [issued, kept])).toEqual(races.map(() => [2 * ASSETS, 0]));
    });
  });
});
