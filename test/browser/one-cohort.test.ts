import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Response } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { type LoggedBookinfo, startLoggedBookinfo } from './logged-bookinfo.ts';
import { visitorCookies, visitorId } from './product-page.ts';

const IMAGES = 6;
/** At half of the visitors, this many draws without both cohorts are a chance of one in 10^12. */
const MAX_DRAWS = 40;

/** Role and cohort of a woven rule, by its name (docs/architecture.md); undefined for a rule of nobody's release. */
function wovenPart(name: string | null): string | undefined {
  return /^perch:default\/reviews:(\w+:\w+):/.exec(name ?? '')?.[1];
}

/** A page of another site, with images of Bookinfo's on it. */
async function startElsewhere(bookinfo: string): Promise<Server> {
  const images = Array.from({ length: IMAGES }, (_, index) => `<img alt="" src="${new URL(`/static/cover.svg?${index}`, bookinfo)}">`);
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>elsewhere</title>${images.join('')}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describeWithChromium('all requests of one page', (executable) => {
  let browser: Browser;
  let bookinfo: LoggedBookinfo;
  let elsewhere: Server;

  beforeAll(async () => {
    [browser, bookinfo] = await Promise.all([launchChromium(executable), startLoggedBookinfo()]);
    elsewhere = await startElsewhere(bookinfo.page);
  });

  afterAll(async () => {
    await browser?.close();
    await bookinfo?.close();
    elsewhere?.close();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** What the gateway did with the requests of a profile, which it knows by their user agent. */
  const routedOf = (userAgent: string) =>
    bookinfo.log
      .filter((entry) => entry.user_agent === userAgent)
      .map(({ path, route_name, upstream_cluster }) => ({ path, woven: wovenPart(route_name), subset: upstream_cluster?.split('|')[2] }));

  test('are in one cohort and bring one id, on a first visit with its assets in parallel', async () => {
    const cohorts = new Set<string>();
    for (let draw = 0; draw < MAX_DRAWS && (draw < 4 || cohorts.size < 2); draw++) {
      const userAgent = `first visit ${draw}`;
      const profile = await browser.newContext({ userAgent });
      const responses: Response[] = [];
      profile.on('response', (response) => responses.push(response));
      await (await profile.newPage()).goto(bookinfo.page);

      const issued = (await Promise.all(responses.map((response) => response.headerValues('set-cookie')))).flat();
      const id = await visitorId(profile, bookinfo.page);
      expect(issued).toEqual([`perch=${id}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`]);
      // No shared cache may hand the id to someone else.
      expect(await responses[0]?.headerValue('cache-control')).toContain('private');

      const routed = routedOf(userAgent);
      const cohort = routed.find(({ path }) => path === '/productpage')?.woven?.split(':')[1] ?? 'none';
      cohorts.add(cohort);
      const known = { woven: `known:${cohort}`, subset: '' };
      expect(routed).toEqual(
        expect.arrayContaining([
          { path: '/productpage', woven: `new:${cohort}`, subset: '' },
          { path: '/static/bookinfo.css', ...known },
          { path: '/static/cover.svg', ...known },
          { path: '/static/logo.svg', ...known },
          { path: '/reviews/0', woven: `told:${cohort}`, subset: cohort === 'canary' ? 'v2' : 'v1' },
        ]),
      );
      const others = routed.filter(({ woven }) => woven !== undefined && !woven.endsWith(`:${cohort}`));
      expect(others).toEqual([]);
      expect(routed.filter(({ woven }) => woven?.startsWith('new:'))).toHaveLength(1);
      await profile.close();
    }
    expect([...cohorts].sort()).toEqual(['canary', 'stable']);
  });

  test('issue none where nobody asked for a document: images on a page of another site', async () => {
    const userAgent = 'from elsewhere';
    const profile = await browser.newContext({ userAgent });
    const page = await profile.newPage();
    const responses: Response[] = [];
    page.on('response', (response) => responses.push(response));
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);

    const images = responses.filter((response) => response.url().includes('/static/cover.svg'));
    expect(images.map((image) => image.status())).toEqual(Array.from({ length: IMAGES }, () => 200));
    expect((await Promise.all(images.map((image) => image.headerValues('set-cookie')))).flat()).toEqual([]);
    expect(await visitorCookies(profile, bookinfo.page)).toEqual([]);
    const routed = routedOf(userAgent);
    expect(routed).toHaveLength(IMAGES);
    expect(new Set(routed.map(({ woven }) => woven))).toEqual(new Set(['rest:stable']));

    await page.goto(bookinfo.page);
    expect(await visitorCookies(profile, bookinfo.page)).toHaveLength(1);
  });
});
