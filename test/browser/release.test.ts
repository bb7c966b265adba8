import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { describeWithChromium } from '../requirements.ts';
import { launchChromium } from './chromium.ts';
import { bucketByHand, ProductPage, type Reading, visitorId } from './product-page.ts';
import { type RunningDemo, startDemo } from './running-demo.ts';

const WEIGHTS = [10, 25, 50, 100];
/** Cutoffs by hand: weight x 4096, rounded. A visitor of the band `i` moves when the release goes to WEIGHTS[i]. */
const CUTOFFS = [410, 1024, 2048, 4096];
const PROFILES_PER_BAND = 2;
/** The narrowest band has 10 % of visitors: it stays empty once in a billion runs. */
const MAX_DRAWS = 200;

interface Profile {
  readonly tab: ProductPage;
  readonly context: BrowserContext;
  readonly id: string;
  /** Index into WEIGHTS of the step that brings v2. */
  readonly band: number;
  readonly seen: string[];
}

/** The sentence about a visitor who sees `version` says so, and says when it changes, or when it did. */
function expectAgreement(reading: Reading, version: string): void {
  expect(reading.version).toBe(version);
  expect(reading.hasStars).toBe(version === 'v2');
  expect(reading.sentence).toContain(`, bucket ${reading.bucket} of 4096: reviews ${version}`);
  expect(reading.cohort).toBe(version === 'v2' ? 'canary' : 'stable');
}

describeWithChromium('a release, seen by browsers', (executable) => {
  let browser: Browser;
  let demo: RunningDemo;
  const profiles: Profile[] = [];

  /** Every profile presses F5; what they then read, in their order. */
  async function everyoneReloads(): Promise<Reading[]> {
    const readings: Reading[] = [];
    for (const { tab, seen } of profiles) {
      await tab.reload();
      const reading = await tab.read();
      seen.push(reading.version);
      readings.push(reading);
    }
    return readings;
  }

  /** Everyone reloads, reads the version that their band has at this step, and is told so. */
  async function expectEveryone(step: number): Promise<void> {
    const weight = WEIGHTS[step] ?? Number.NaN;
    for (const [index, reading] of (await everyoneReloads()).entries()) {
      const hasMoved = (profiles[index]?.band ?? Number.NaN) <= step;
      expectAgreement(reading, hasMoved ? 'v2' : 'v1');
      const passes = Number(/ (?:passes|passed) (\d+(?:\.\d)?) %$/.exec(reading.sentence)?.[1]);
      // Whom 50 % does not reach moves when the release passes just that.
      if (hasMoved) expect(passes).toBeLessThan(weight);
      else expect(passes).toBeGreaterThanOrEqual(weight);
    }
  }

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(executable), startDemo()]);
    const { offset } = bucketDraw(await demo.status());
    const bands = WEIGHTS.map(() => 0);
    for (let draw = 0; draw < MAX_DRAWS && bands.some((count) => count === 0); draw++) {
      const context = await browser.newContext();
      // The first visit without a window: a hundred of those would take a minute. The jar is the profile's own.
      await context.request.get(demo.page, { headers: { accept: 'text/html' } });
      const id = await visitorId(context, demo.page);
      const bucket = bucketByHand(id, offset);
      const band = CUTOFFS.findIndex((cutoff) => bucket < cutoff);
      if ((bands[band] ?? 0) >= PROFILES_PER_BAND) {
        await context.close();
        continue;
      }
      bands[band] = (bands[band] ?? 0) + 1;
      profiles.push({ tab: await ProductPage.open(context, demo.page), context, band, id, seen: [] });
    }
    expect(Math.min(...bands)).toBeGreaterThan(0);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.close();
  });

  test('a visitor moves once, when the release reaches them, and never back; the page says so at every step', async () => {
    expect(await demo.status()).toMatchObject({ step: 0, weight: 10, cutoff: CUTOFFS[0] });
    await expectEveryone(0);
    for (const [step, weight] of [...WEIGHTS.entries()].slice(1)) {
      const mover = profiles.find(({ band }) => band === step);
      // What the page learnt a moment before must not be what it says a moment after.
      await mover?.tab.reload();
      expect(await demo.promote()).toMatchObject({ step, weight, cutoff: CUTOFFS[step] });
      await mover?.tab.reload();
      if (mover !== undefined) expectAgreement(await mover.tab.read(), 'v2');
      await expectEveryone(step);
      await expectEveryone(step);
    }
    for (const { seen, context, id } of profiles) {
      expect(seen.join(' ')).toMatch(/^(v1 )*v2( v2)*$/);
      expect(await visitorId(context, demo.page)).toBe(id);
    }
  });

  test('perch rollback brings everyone to v1 with their next request, and they stay who they are', async () => {
    expect(await demo.run('rollback', 'reviews')).toMatchObject({
      code: 0,
      stdout: 'reviews: rolled back, everyone is on v1 with their next request\n',
    });
    for (const reading of [...(await everyoneReloads()), ...(await everyoneReloads())]) {
      expectAgreement(reading, 'v1');
      expect(reading.sentence).toMatch(/as everyone: v2 was rolled back$/);
    }
    for (const { context, id } of profiles) expect(await visitorId(context, demo.page)).toBe(id);
  });
});
