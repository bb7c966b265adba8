import { describe, expect, test } from 'vitest';
import { hitWithin } from '../../src/core/probe/binomial.ts';
import type { SiteDiagnosis } from '../../src/core/probe/diagnose-site.ts';
import { type Shop, startEdgeShop } from '../visits/shop.ts';
import { codesOf, examine } from './doctor.ts';
import { startRoutedSite } from './routed-site.ts';

const TO = (version: string, more = '') => `{destination: {host: web, subset: ${version}, port: {number: 9080}}${more}}`;

/** Enough for what is not about shares. */
const FEWER = { visitors: 120, requests: 4 };

async function withSite(start: Promise<{ url: URL; close(): Promise<void> }>, look: (url: URL) => Promise<void>): Promise<void> {
  const site = await start;
  try {
    await look(site.url);
  } finally {
    await site.close();
  }
}

async function edgeShop(seed: number, mode: 'visitor' | 'canaryOnly'): Promise<Shop & { url: URL }> {
  const shop = await startEdgeShop(seed, mode);
  await shop.ask('promote', ({ phase, weight }) => phase === 'Paused' && weight === 25);
  return { ...shop, url: new URL(`http://127.0.0.1:${shop.ingressPort}/`) };
}

/** Every row within 3.3 standard deviations of the binomial distribution of its visitors, at the weight of a scheme that draws at each request. */
function expectDrift({ stickiness }: SiteDiagnosis, weight: number): void {
  for (const { requests, visitors, share } of stickiness.drift) {
    const chance = hitWithin(weight, requests);
    expect(Math.abs(share - chance), `after ${requests}`).toBeLessThan(3.3 * Math.sqrt((chance * (1 - chance)) / visitors));
  }
}

describe('synthetic visitors of a site behind the embedded gateway', () => {
  test('a release in mode visitor pins the visitor: nothing to find', async () => {
    await withSite(edgeShop(31, 'visitor'), async (url) => {
      const diagnosis = await examine(url);
      const { stickiness, cookies, pages, withoutCookies, requestIds } = diagnosis;
      expect(diagnosis.findings).toEqual([]);
      expect(stickiness).toMatchObject({
        verdict: 'pinsVisitor',
        canary: { version: 'v2', why: 'the rarer at first visits' },
        moves: { toCanary: 0, back: 0 },
      });
      expect(diagnosis.verdict).toMatch(
        /^Pins the visitor: \d\d\.\d % of 200 visitors were on v2 at first sight, and nobody moved in 800 returns\.$/,
      );
      expect(stickiness.drift.map(({ share }) => share)).toEqual(Array(5).fill(stickiness.drift[0]?.share));
      expect(cookies).toMatchObject([{ name: 'perch', role: 'visitor', isUuid: true, values: 300, given: 300 }]);
      expect(pages).toEqual({ groups: 20, mixed: 0 });
      // Assets do not issue ids and are on stable; a client that keeps nothing is a new visitor each time.
      expect(withoutCookies.assets).toEqual({ answers: 20, onCanary: 0, givenCookie: 0 });
      expect(withoutCookies.documents.givenCookie).toBe(20);
      expect(requestIds).toMatchObject({ takesOver: false, inCookie: undefined });
    });
  });

  test('a release in mode canaryOnly pins the outcome, and its drift is that of draws', async () => {
    await withSite(edgeShop(32, 'canaryOnly'), async (url) => {
      const diagnosis = await examine(url);
      expect(diagnosis.stickiness).toMatchObject({ verdict: 'pinsOutcome', canary: { version: 'v2' }, moves: { back: 0 } });
      expectDrift(diagnosis, 0.25);
      expect(diagnosis.verdict).toMatch(
        /^Pins the outcome, not the visitor: a canary of 2\d\.\d % reaches 7\d\.\d % of visitors in five requests, and 9\d\.\d % in ten if each request is drawn\.$/,
      );
      // Its cookie is the same for all, and ends after six hours; parts of a page draw for themselves.
      expect(codesOf(diagnosis)).toEqual(['PERCH5002', 'PERCH5004', 'PERCH5012', 'PERCH5014']);
      expect(diagnosis.cookies).toMatchObject([{ name: 'perch-web', role: 'outcome', version: 'v2', values: 1 }]);
    });
  });

  test('sticky sessions as Flagger has them, without a cookie of the primary: the same', async () => {
    const http = `[
      {match: [{headers: {cookie: {regex: ".*flagger-cookie.*LpsIaLdoNZ.*"}}}], route: [${TO('v2')}]},
      {route: [${TO('v1', ', weight: 85')}, ${TO('v2', ', weight: 15, headers: {response: {add: {Set-Cookie: flagger-cookie=LpsIaLdoNZ; Max-Age=86400}}}')}]}]`;
    await withSite(startRoutedSite(33, http), async (url) => {
      const diagnosis = await examine(url, { by: 'guess' }, FEWER);
      expect(diagnosis.stickiness).toMatchObject({ verdict: 'pinsOutcome', canary: { version: 'v2' }, moves: { back: 0 } });
      expectDrift(diagnosis, 0.15);
      expect(codesOf(diagnosis)).toEqual(['PERCH5002', 'PERCH5004', 'PERCH5014']);
    });
  });

  test('with a cookie of the primary nobody moves while it lasts: it is found to end soon', async () => {
    const pin = (name: string, version: string) =>
      `{match: [{headers: {cookie: {regex: ".*${name}.*ApvLdqCoMF.*"}}}], route: [${TO(version)}]}`;
    const add = (name: string, maxAge: number) => `, headers: {response: {add: {Set-Cookie: ${name}=ApvLdqCoMF; Max-Age=${maxAge}}}}`;
    const http = `[${pin('flagger-cookie', 'v2')}, ${pin('primary-cookie', 'v1')},
      {route: [${TO('v1', `, weight: 85${add('primary-cookie', 60)}`)}, ${TO('v2', `, weight: 15${add('flagger-cookie', 86_400)}`)}]}]`;
    await withSite(startRoutedSite(34, http), async (url) => {
      const diagnosis = await examine(url, { by: 'guess' }, FEWER);
      expect(diagnosis.stickiness.verdict).toBe('pinsVisitor');
      expect(diagnosis.findings.map(({ code, object }) => [code, object])).toEqual([
        ['PERCH5014', 'cookie flagger-cookie'],
        ['PERCH5012', 'cookie primary-cookie'],
        ['PERCH5014', 'cookie primary-cookie'],
      ]);
    });
  });

  test('weights alone are not sticky', async () => {
    await withSite(startRoutedSite(35, `[{route: [${TO('v1', ', weight: 80')}, ${TO('v2', ', weight: 20')}]}]`), async (url) => {
      const diagnosis = await examine(url, { by: 'guess' }, FEWER);
      expect(diagnosis.stickiness.verdict).toBe('notSticky');
      expect(codesOf(diagnosis)).toEqual(['PERCH5001', 'PERCH5004']);
      expect(diagnosis.verdict).toMatch(/^Not sticky: \d+ of \d+ returns of visitors on v2 \([78]\d\.\d %\) led away from it/);
    });
  });

  test('one version: how small a canary would have gone unnoticed', async () => {
    await withSite(startRoutedSite(36, `[{route: [${TO('v1')}]}]`), async (url) => {
      const diagnosis = await examine(url, { by: 'guess' }, { visitors: 60, requests: 2 });
      expect(diagnosis.findings).toEqual([]);
      expect(diagnosis.verdict).toBe(
        'Only one version seen (v1): among 60 first visits a canary of 4.9 % or more would have shown itself, with a chance of 95 %.',
      );
    });
  });
});
