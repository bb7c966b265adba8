import { expect, test } from 'vitest';
import type { SiteDiagnosis } from '../../src/core/probe/diagnose-site.ts';
import { startEdgeShop } from '../visits/shop.ts';
import { startCachingProxy } from './caching-proxy.ts';
import { codesOf, examine } from './doctor.ts';
import { startRoutedSite } from './routed-site.ts';

async function behindCache(seed: number, keptFor: number): Promise<SiteDiagnosis> {
  const shop = await startEdgeShop(seed);
  for (const step of [25, 50]) await shop.ask('promote', ({ phase, weight }) => phase === 'Paused' && weight === step);
  const proxy = await startCachingProxy(new URL(`http://127.0.0.1:${shop.ingressPort}/`), keptFor);
  try {
    return await examine(proxy.url, { by: 'guess' }, { visitors: 60, requests: 3 });
  } finally {
    await proxy.close();
    await shop.close();
  }
}

test('a shared cache that gives everyone the first visitor’s id is found out', async () => {
  const diagnosis = await behindCache(41, 100_000);
  expect(codesOf(diagnosis)).toEqual(['PERCH5015', 'PERCH5022']);
  expect(diagnosis.findings[0]).toMatchObject({
    code: 'PERCH5015',
    severity: 'error',
    object: 'cookie perch',
    message: expect.stringMatching(/^160 new visitors got the id …[0-9a-f]{6}, and 160 new visitors 1 value in all$/),
  });
  expect(diagnosis.stickiness.verdict).toBe('oneVersion');
});

test('one that keeps each answer for a few requests too, and it breaks the stickiness', async () => {
  const diagnosis = await behindCache(42, 7);
  expect(codesOf(diagnosis)).toEqual(expect.arrayContaining(['PERCH5001', 'PERCH5015', 'PERCH5022']));
});

test('pages that any cache may keep, with the canary’s cookie in them', async () => {
  const to = (version: string, weight: number) => `{destination: {host: web, subset: ${version}, port: {number: 9080}}, weight: ${weight}`;
  const http = `[{route: [${to('v1', 70)}}, ${to('v2', 30)}, headers: {response: {add: {Set-Cookie: canary=yes; Max-Age=86400}}}}]}]`;
  const site = await startRoutedSite(43, http, (version, _, response) =>
    response.setHeader('cache-control', 'public, max-age=60').end(version),
  );
  try {
    const diagnosis = await examine(site.url, { by: 'guess' }, { visitors: 60, requests: 3 });
    expect(diagnosis.findings.filter(({ code }) => code.startsWith('PERCH502'))).toMatchObject([
      { code: 'PERCH5020', severity: 'error', message: expect.stringContaining('(Cache-Control: public, max-age=60)') },
      { code: 'PERCH5021', severity: 'warning' },
    ]);
  } finally {
    await site.close();
  }
});
