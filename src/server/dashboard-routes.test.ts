import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DashboardBundle } from './dashboard-bundle.ts';
import { dashboardRoutes } from './dashboard-routes.ts';

/** SHA-256 of `x`. */
const DIGEST = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
const SCRIPT = 'console.log("a".repeat(1000));'.repeat(20);

let root: string;

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

function bundle(): void {
  write('dist/dashboard/index.html', '<!doctype html><title>Perch</title>');
  write('dist/dashboard/assets/main-1.js', SCRIPT);
  write('dist/dashboard/assets/old.js', 'left over');
  write('dist/dashboard/manifest.json', JSON.stringify({ assets: ['main-1.js'], inputs: { 'src/dashboard/main.tsx': DIGEST } }));
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  dashboardRoutes(new DashboardBundle(pathToFileURL(`${root}/`))).request(path, { headers });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'perch-dashboard-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('a page that was never bundled says what to run', async () => {
  const answer = await get('/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toBe('The dashboard is not built: run npm run build, and reload this page.\n');
});

test('a page of other sources than those beside it says so; of a package without sources there is none to compare', async () => {
  bundle();
  expect((await get('/')).status).toBe(200);
  write('src/dashboard/main.tsx', 'x');
  expect((await get('/')).status).toBe(200);
  write('src/dashboard/main.tsx', 'y');
  const answer = await get('/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('built from other sources than these: run npm run build');
});

test('files are handed out as they are or compressed, and only those of the manifest', async () => {
  bundle();
  const plain = await get('/assets/main-1.js');
  expect(await plain.text()).toBe(SCRIPT);
  expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const small = await get('/assets/main-1.js', { 'accept-encoding': 'br, gzip' });
  expect(small.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(await small.bytes()).toString()).toBe(SCRIPT);
  for (const name of ['old.js', '..%2findex.html', '..%2f..%2f..%2fetc%2fpasswd', 'main-1.js%00', '__proto__']) {
    expect((await get(`/assets/${name}`)).status, name).toBe(404);
  }
});

test('nothing may be embedded, inlined or sent elsewhere', async () => {
  bundle();
  for (const path of ['/', '/assets/main-1.js']) {
    const { headers } = await get(path);
    expect(headers.get('content-security-policy'), path).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
    expect(headers.get('content-security-policy'), path).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
  }
});
