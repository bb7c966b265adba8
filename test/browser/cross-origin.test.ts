import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { perch } from '../harness/perch-process.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';

const CALLS = 20;

/** An API that lets scripts of other sites in; requests with the header `x-call` need a preflight. */
function api(version: string, request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origin !== undefined) {
    response.setHeader('access-control-allow-origin', origin).setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'x-call').setHeader('access-control-max-age', '0');
  }
  response.end(version);
}

/** What a script of the page gets, one call after the other. */
const CALL = `async ([address, credentials, count]) => {
  const versions = [];
  for (let index = 0; index < count; index++) {
    versions.push(await (await fetch(address, { credentials, headers: { 'x-call': '1' } })).text());
  }
  return versions;
}`;

describeWithChromium('a script that calls an API of another site', (executable) => {
  let browser: Browser;
  let scene: WebScene | undefined;
  let elsewhere: VersionServer;

  beforeAll(async () => {
    browser = await launchChromium(executable);
    elsewhere = await startVersion('', (_request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
  });
  afterAll(async () => {
    await browser?.close();
    await elsewhere?.close();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await scene?.close();
    scene = undefined;
  });

  async function start(
    visitorId: object,
  ): Promise<{ readonly at: WebScene; readonly profile: BrowserContext; call(credentials: string): Promise<string[]> }> {
    const at = await startWebScene(41, { visitorId }, api);
    scene = at;
    const profile = await browser.newContext();
    const page = await profile.newPage();
    await page.goto(`http://app.localhost:${elsewhere.port}/`);
    const address = `http://api.shop.localhost:${at.ingressPort}/data`;
    return {
      at,
      profile,
      call: async (credentials) => (await page.evaluate(`(${CALL})(${JSON.stringify([address, credentials, CALLS])})`)) as string[],
    };
  }

  const callsOf = ({ log }: WebScene) =>
    log.filter(({ path }) => path === '/data').map(({ method, route_name }) => `${method} ${route_name?.split(':')[2]}`);

  test('without credentials stays on stable and nobody is counted, and that is said', async () => {
    const { at, profile, call } = await start({});
    expect(new Set(await call('same-origin'))).toEqual(new Set(['v1']));
    expect(await profile.cookies()).toEqual([]);
    // A preflight before each.
    expect(callsOf(at)).toEqual(Array.from({ length: CALLS }, () => ['OPTIONS rest', 'GET rest']).flat());
    const { exposure } = await at.release();
    expect(exposure).toMatchObject({ visitors: { total: 0 }, edge: { requests: CALLS, issued: 0, oddRequestIds: 0, crossSite: CALLS } });
    const said = '% of the requests at the edge in this step';
    expect(at.warnings).toEqual([
      expect.stringMatching(new RegExp(`100 ${said} .* they stay on stable; fetch with credentials: include, .*\\(PERCH3081\\)$`)),
    ]);
    expect((await perch(['status', 'web'], { PERCH_SERVER: at.api })).stdout).toContain(
      `${CALLS} of ${CALLS} requests are of other sites’ scripts, without id (PERCH3081)`,
    );
    expect((await perch(['describe', 'release', 'web'], { PERCH_SERVER: at.api })).stdout).toContain(`100 ${said}`);
  });

  test('without credentials, where any request issues: every call is another draw, of which the browser keeps nothing', async () => {
    const { at, profile, call } = await start({ issueOn: 'all', cookie: { sameSite: 'None', secure: true } });
    expect(new Set(await call('same-origin'))).toEqual(new Set(['v1', 'v2']));
    expect(await profile.cookies()).toEqual([]);
    // Answers to preflights carry an id too, which no browser takes, and which counts for nobody.
    expect(callsOf(at)).toEqual(Array.from({ length: CALLS }, () => ['OPTIONS new', 'GET new']).flat());
    expect((await at.release()).exposure).toMatchObject({ visitors: { total: CALLS } });
    expect(at.warnings).toEqual([expect.stringContaining('without credentials each draws anew')]);
  });

  test('with credentials and a cookie of its own for each site around it is one visitor; its preflights never say who it is', async () => {
    const { at, call } = await start({ issueOn: 'all', cookie: { sameSite: 'None', secure: true, partitioned: true } });
    expect(new Set(await call('include')).size).toBe(1);
    const calls = Array.from({ length: CALLS }, (_, index) => ['OPTIONS new', index === 0 ? 'GET new' : 'GET known']);
    expect(callsOf(at)).toEqual(calls.flat());
    expect((await at.release()).exposure).toMatchObject({ visitors: { total: 1 }, edge: { crossSite: 1 } });
    expect(at.warnings).toEqual([]);
  });

  // A fresh context is as a private window, where Chromium blocks cookies of other sites that are not partitioned.
  test.each([
    ['SameSite=Lax', {}],
    ['SameSite=None, not partitioned, in a private window', { sameSite: 'None', secure: true }],
  ])('with credentials and %s is as without: the browser neither keeps nor sends the id', async (_, cookie) => {
    const { at, profile, call } = await start({ issueOn: 'all', cookie });
    await call('include');
    expect(await profile.cookies()).toEqual([]);
    expect(new Set(callsOf(at))).toEqual(new Set(['OPTIONS new', 'GET new']));
    expect(at.warnings).toEqual([expect.stringContaining('PERCH3081')]);
  });
});
