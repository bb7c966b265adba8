import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseManifests } from '../../src/core/source/manifests.ts';
import { makeCertificate } from '../harness/certificates.ts';
import { type SeededRuntime, startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion } from '../harness/version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';

const VISITORS = 5;

describeWithChromium('a release behind HTTPS', (executable) => {
  let browser: Browser;
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    browser = await launchChromium(executable);
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** `web` at https://localhost with a release at half of its visitors; `spec` has fields of the release. */
  async function start(spec: object): Promise<SeededRuntime> {
    const credentials = mkdtempSync(join(tmpdir(), 'perch-credentials-'));
    cleanups.push(() => rmSync(credentials, { recursive: true }));
    makeCertificate(join(credentials, 'web'));
    const versions = await Promise.all(
      ['v1', 'v2'].map((version) =>
        startVersion(version, (_request, response) => response.setHeader('content-type', 'text/html').end(version)),
      ),
    );
    cleanups.push(() => Promise.all(versions.map((version) => version.close())));
    const [v1 = 0, v2 = 0] = versions.map(({ port }) => port);
    const basics = webBasicsYaml({ v1, v2 }).replace(
      'name: http, protocol: HTTP}',
      'name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: web}',
    );
    const { objects, diagnostics } = parseManifests([basics, WEB_ROUTES_YAML, webReleaseYaml()].join('---\n'), 'web.yaml');
    expect(diagnostics).toEqual([]);
    const seeded = await startSeededRuntime(21, { credentials });
    cleanups.push(() => seeded.close());
    const steps = [
      { weight: 50, hold: 'manual' },
      { weight: 100, hold: 'manual' },
    ];
    await seeded.serve(
      objects.map(({ object }) =>
        object.kind === 'CanaryRelease' ? { ...object, spec: { ...(object.spec as object), steps, ...spec } } : object,
      ),
    );
    return seeded;
  }

  test('HTTP/2; the id’s cookie is Secure and keeps its name with __Host-; each visitor stays', async () => {
    const seeded = await start({ visitorId: { cookie: { name: '__Host-perch' } } });
    const at = `https://localhost:${seeded.ingressPort()}/`;
    const seen: (string | undefined)[] = [];
    for (let visitor = 0; visitor < VISITORS; visitor += 1) {
      const profile = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await profile.newPage();
      const first = await (await page.goto(at))?.text();
      expect(await profile.cookies()).toMatchObject([
        { name: '__Host-perch', secure: true, httpOnly: true, domain: 'localhost', path: '/' },
      ]);
      const protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
      expect(protocol).toBe('h2');
      for (let visit = 0; visit < 3; visit += 1) expect(await (await page.goto(at))?.text()).toBe(first);
      seen.push(first);
      await profile.close();
    }
    // Both versions: 2^-4 that a seed shows one alone, and this one does not.
    expect(new Set(seen)).toEqual(new Set(['v1', 'v2']));
  });

  test('canaryOnly: the article’s cookie, which is never Secure, keeps its holder there too', async () => {
    const seeded = await start({ affinity: { mode: 'canaryOnly' } });
    const at = `https://localhost:${seeded.ingressPort()}/`;
    const profile = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await profile.newPage();
    await expect.poll(async () => (await page.goto(at))?.text()).toBe('v2');
    expect(await profile.cookies()).toMatchObject([{ secure: false, domain: 'localhost' }]);
    for (let visit = 0; visit < 5; visit += 1) expect(await (await page.goto(at))?.text()).toBe('v2');
  });
});
