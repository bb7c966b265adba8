import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';

/** Whatever a page can do to make its browser ask the API of this machine; gives what it could read. */
const ATTACK = `async (api) => {
  const read = [];
  const note = (what, promise) => promise.then((value) => read.push(what + ': ' + value), () => undefined);
  const promote = JSON.stringify({ action: 'promote', by: 'evil' });
  const at = api + '/api/v1/releases/default/web/requests';
  const text = (response) => response.text();
  await note('get', fetch(api + '/api/v1/releases').then(text));
  await note('get without cors', fetch(api + '/api/v1/releases', { mode: 'no-cors' }).then(text).then((got) => got || Promise.reject()));
  await note('put', fetch(api + '/api/v1/objects', { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } }).then(text));
  await note('delete', fetch(api + '/api/v1/releases/default/web', { method: 'DELETE' }).then(text));
  await note('post', fetch(at, { method: 'POST', body: promote, headers: { 'content-type': 'application/json' } }).then(text));
  await note('plain post', fetch(at, { method: 'POST', body: promote, mode: 'no-cors' }).then(text).then((got) => got || Promise.reject()));
  navigator.sendBeacon(at, new Blob([promote], { type: 'text/plain' }));
  await note('events', new Promise((resolve, reject) => {
    const source = new EventSource(api + '/api/v1/events');
    source.onopen = resolve;
    source.onerror = reject;
  }));
  await note('script', new Promise((resolve, reject) => {
    const script = document.createElement('script');
    Object.assign(script, { src: api + '/api/v1/openapi.json', onload: resolve, onerror: reject });
    document.head.append(script);
  }));
  const frame = document.createElement('iframe');
  frame.name = 'target';
  document.body.append(frame);
  const form = document.createElement('form');
  Object.assign(form, { method: 'POST', enctype: 'text/plain', action: at, target: 'target' });
  form.append(Object.assign(document.createElement('input'), { name: promote.slice(0, -2), value: '"}' }));
  document.body.append(form);
  const framed = new Promise((resolve) => frame.addEventListener('load', resolve));
  form.submit();
  await framed;
  return read;
}`;

describeWithChromium('pages of others, and the API that asks for no token', (executable) => {
  let browser: Browser;
  let elsewhere: VersionServer;
  let scene: WebScene;
  let page: Page;
  /** Method and status of what the API answered. */
  let answered: string[];

  beforeAll(async () => {
    browser = await launchChromium(executable);
    const html = '<!doctype html><meta charset="utf-8"><title>elsewhere</title><body></body>';
    elsewhere = await startVersion('', (_request, response) => response.setHeader('content-type', 'text/html').end(html));
  });
  afterAll(async () => {
    await browser?.close();
    await elsewhere?.close();
  });
  beforeEach(async () => {
    scene = await startWebScene(43);
    page = await (await browser.newContext()).newPage();
    answered = [];
    page.on('response', (response) => {
      if (response.url().startsWith(scene.api)) answered.push(`${response.request().method()} ${response.status()}`);
    });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await scene.close();
  });

  test.each(['evil.test', 'localhost', '127.0.0.1'])('a page of %s, at another port, reads nothing and changes nothing', async (host) => {
    await page.goto(`http://${host}:${elsewhere.port}/`);
    const before = await scene.release();
    expect(await page.evaluate(`(${ATTACK})(${JSON.stringify(scene.api)})`)).toEqual([]);
    // Of most calls the browser tells nobody what was answered; of the form it does.
    await expect.poll(() => answered.some((each) => each.startsWith('POST '))).toBe(true);
    expect(answered.filter((each) => !/ (403|405|415)$/.test(each))).toEqual([]);
    const after = await scene.release();
    expect([after.status, after.metadata.deletionTimestamp, after.spec]).toEqual([before.status, undefined, before.spec]);
  });

  test('a name that was rebound to this machine gets a refusal, from wherever it asks', async () => {
    const { port } = new URL(scene.api);
    const rebound = await page.goto(`http://evil.test:${port}/`);
    expect(rebound?.status()).toBe(403);
    expect(await rebound?.json()).toMatchObject({ code: 'PERCH4001' });
    const asked = (await page.evaluate("fetch('/api/v1/releases').then((response) => response.text())")) as string;
    expect(JSON.parse(asked)).toMatchObject({ status: 403, code: 'PERCH4001' });
  });

  test('a link that its user follows leads there', async () => {
    await page.goto(`http://evil.test:${elsewhere.port}/`);
    await page.evaluate(`document.body.innerHTML = '<a href="${scene.api}/healthz">there</a>'`);
    const [response] = await Promise.all([page.waitForResponse((each) => each.url().startsWith(scene.api)), page.click('a')]);
    expect(response.status()).toBe(200);
  });
});
