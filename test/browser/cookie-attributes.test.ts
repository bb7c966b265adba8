import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { browserRefusal, isLoopback } from '../../src/core/cookies/browser-refusal.ts';
import { parseSetCookie } from '../../src/core/cookies/parse-set-cookie.ts';
import { expireVisitorCookie, type VisitorCookie } from '../../src/demo/bookinfo/visitor-cookie.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';

const DEFAULTS: VisitorCookie = { name: 'perch', path: '/', httpOnly: true, sameSite: 'Lax' };

/** What a release can ask for and what Chromium keeps; `seen` at the address that the id is issued at. */
const KEPT: readonly (readonly [name: string, cookie: Partial<VisitorCookie>, jar: object])[] = [
  ['the defaults', {}, { domain: 'www.shop.localhost', path: '/', secure: false, httpOnly: true, sameSite: 'Lax' }],
  ['Secure', { secure: true }, { secure: true }],
  ['readable by scripts', { httpOnly: false }, { httpOnly: false }],
  ['Strict', { sameSite: 'Strict' }, { sameSite: 'Strict' }],
  ['None, Secure', { sameSite: 'None', secure: true }, { sameSite: 'None', secure: true }],
  ['a path', { path: '/shop' }, { path: '/shop' }],
  ['a domain', { domain: 'shop.localhost' }, { domain: '.shop.localhost' }],
  ['__Secure-', { name: '__Secure-perch', secure: true }, { name: '__Secure-perch', secure: true }],
  ['__Secure-, a domain', { name: '__Secure-perch', secure: true, domain: 'shop.localhost' }, { domain: '.shop.localhost' }],
  ['__Host-', { name: '__Host-perch', secure: true }, { name: '__Host-perch', path: '/', domain: 'www.shop.localhost' }],
  ['Partitioned', { secure: true, partitioned: true }, { secure: true, partitionKey: 'http://shop.localhost' }],
  [
    'everything',
    { name: '__Secure-perch', domain: 'shop.localhost', path: '/shop', secure: true, httpOnly: false, sameSite: 'None', partitioned: true },
    { domain: '.shop.localhost', path: '/shop', httpOnly: false, sameSite: 'None', partitionKey: 'http://shop.localhost' },
  ],
];

/** Set-Cookie lines, each of which browsers keep or drop. */
const LINES = [
  'Path=/',
  'Path=/; Secure',
  'Path=/; SameSite=None',
  'Path=/; SameSite=None; Secure',
  'Path=/; Partitioned',
  'Path=/; Partitioned; Secure',
  'Path=/; Partitioned; Secure; SameSite=None',
  'Path=/; Domain=shop.HOST',
  'Path=/; Domain=.shop.HOST',
  'Path=/; Domain=www.shop.HOST',
  'Path=/; Domain=other.HOST',
  'Path=/; Domain=op.HOST',
  'Path=/; Domain=a.www.shop.HOST',
  'Path=/shop; Secure',
  'Domain=shop.HOST; Secure; Path=/',
];
const NAMES = ['perch', '__Secure-perch', '__secure-perch', '__Host-perch', '__HOST-perch'];

describeWithChromium('the visitor id’s cookie', (executable) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(executable);
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** What a profile keeps for any address below the site. */
  const jarOf = async (profile: BrowserContext) => await profile.cookies();

  describe.each(KEPT)('with %s', (_, changes, jar) => {
    const cookie = { ...DEFAULTS, ...changes };
    let scene: WebScene;

    beforeAll(async () => {
      scene = await startWebScene(11, { visitorId: { cookie } }, (version, request, response) => {
        if (request.url?.endsWith('/forget') === true) response.setHeader('set-cookie', expireVisitorCookie(cookie, request.headers));
        response.setHeader('content-type', 'text/html').end(version);
      });
    });
    afterAll(() => scene?.close());

    test('is kept as it is set, comes back with each page, and goes by a deletion with the same attributes', async () => {
      const profile = await browser.newContext();
      const page = await profile.newPage();
      const at = `http://www.shop.localhost:${scene.ingressPort}/shop/`;
      const texts = new Set([await (await page.goto(at))?.text()]);
      const kept = await jarOf(profile);
      expect(kept).toMatchObject([{ name: cookie.name, value: expect.stringMatching(/^[0-9a-f-]{36}$/), ...jar }]);
      for (let visit = 0; visit < 3; visit++) texts.add(await (await page.goto(at))?.text());
      // Nothing was issued again, so the gateway knew it each time.
      expect(await jarOf(profile)).toEqual(kept);
      expect(texts.size).toBe(1);
      await page.goto(`${at}forget`);
      expect(await jarOf(profile)).toEqual([]);
    });
  });

  test('with a domain is one visitor at all hosts below it', async () => {
    const scene = await startWebScene(12, { visitorId: { cookie: { domain: 'shop.localhost' } } });
    try {
      const profile = await browser.newContext();
      const page = await profile.newPage();
      for (const host of ['www.shop.localhost', 'shop.localhost', 'api.shop.localhost', 'www.shop.localhost']) {
        await page.setExtraHTTPHeaders({ accept: 'text/html' });
        await page.goto(`http://${host}:${scene.ingressPort}/`);
      }
      expect(await jarOf(profile)).toHaveLength(1);
      const roles = scene.log.filter(({ path }) => path === '/').map(({ route_name }) => route_name?.split(':')[2]);
      expect(roles).toEqual(['new', 'known', 'known', 'known']);
    } finally {
      await scene.close();
    }
  });

  test.each([
    ['path', { path: '/' }, { path: '/shop' }],
    ['domain', { domain: 'shop.localhost' }, { domain: undefined }],
    ['partition', { secure: true, partitioned: true }, { partitioned: false }],
  ])('is not deleted by another %s', async (_, set, other) => {
    const cookie = { ...DEFAULTS, ...set } as VisitorCookie;
    const scene = await startWebScene(13, { visitorId: { cookie } }, (version, request, response) => {
      const line = expireVisitorCookie({ ...cookie, ...other } as VisitorCookie, request.headers);
      if (request.url?.endsWith('/forget') === true) response.setHeader('set-cookie', line);
      response.setHeader('content-type', 'text/html').end(version);
    });
    try {
      const profile = await browser.newContext();
      const page = await profile.newPage();
      await page.goto(`http://www.shop.localhost:${scene.ingressPort}/shop/`);
      const kept = await jarOf(profile);
      expect(kept).toHaveLength(1);
      await page.goto(`http://www.shop.localhost:${scene.ingressPort}/shop/forget`);
      expect(await jarOf(profile)).toEqual(kept);
    } finally {
      await scene.close();
    }
  });

  describe('what Perch says that browsers drop is what Chromium drops', () => {
    let server: VersionServer;
    let line = '';

    beforeAll(async () => {
      server = await startVersion('', (request, response) => {
        // Not for the icon, which Chromium asks for by itself, some time.
        if (request.url === '/shop/') response.setHeader('set-cookie', line);
        response.end('page');
      });
    });
    afterAll(() => server?.close());

    // Loopback names count as secure; `test` is a plain HTTP site to the browser.
    test.each(['localhost', 'test'])(`${NAMES.length * LINES.length} cookies at www.shop.%s`, async (top) => {
      const host = `www.shop.${top}`;
      const wrong: string[] = [];
      const kinds = new Set<boolean>();
      const profile = await browser.newContext();
      const page = await profile.newPage();
      for (const name of NAMES) {
        for (const attributes of LINES) {
          line = `${name}=1; ${attributes.replaceAll('HOST', top)}`;
          await page.goto(`http://${host}:${server.port}/shop/`);
          const kept = (await jarOf(profile)).length === 1;
          const parsed = parseSetCookie(line, 0);
          const refused = parsed === undefined ? 'is none' : browserRefusal(parsed, { secure: false, host });
          if (kept !== (refused === undefined)) wrong.push(`${line}: kept ${kept}, but ${refused ?? 'nothing against it'}`);
          kinds.add(kept);
          await profile.clearCookies();
        }
      }
      expect(wrong).toEqual([]);
      expect([...kinds].sort()).toEqual([false, true]);
      expect(isLoopback(host)).toBe(top === 'localhost');
    });
  });
});
