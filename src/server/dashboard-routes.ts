import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import type { ApiEnv } from './api-guards.ts';
import { DashboardBundle } from './dashboard-bundle.ts';
import { problem, problemResponse } from './problem.ts';

/** Nothing from elsewhere, nothing inline, nobody's frame (CSP level 3). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const compress = promisify(gzip);

/** Whether a client takes gzip, as browsers say it (RFC 9110, section 12.5.3); a weight of 0 is left to those who write one. */
function takesGzip(c: Context<ApiEnv>): boolean {
  return /(^|[\s,])gzip([\s,;]|$)/i.test(c.req.header('accept-encoding') ?? '');
}

/**
 * The dashboard: `/` and what it loads. It holds nothing secret and asks the API like anybody else, so it needs no token. Answers carry a
 * Content-Security-Policy that allows what the page has and nothing more.
 */
export function dashboardRoutes(bundle: DashboardBundle = new DashboardBundle()): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  /** Compressed files by name: few, and their names never stand for something else. */
  const compressed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  const headers = (type: string, caching: string): Record<string, string> => ({
    'content-type': type,
    'cache-control': caching,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  });

  routes.get('/', async (c) => {
    const page = await bundle.page();
    if ('missing' in page) return c.body(`${page.missing}\n`, 503, headers('text/plain; charset=utf-8', 'no-store'));
    return c.body(page.html, 200, headers('text/html; charset=utf-8', 'no-store'));
  });

  routes.get('/assets/:name', async (c) => {
    const name = c.req.param('name');
    const content = await bundle.asset(name);
    if (content === undefined) return problemResponse(problem(404, 'PERCH4004', `there is nothing at ${c.req.path}`));
    const found = headers(TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', 'private, max-age=31536000, immutable');
    if (!takesGzip(c)) return c.body(new Uint8Array(content), 200, { ...found, vary: 'accept-encoding' });
    const small = compressed.get(name) ?? compress(content, { level: 9 }).then((bytes) => new Uint8Array(bytes));
    compressed.set(name, small);
    return c.body(await small, 200, { ...found, vary: 'accept-encoding', 'content-encoding': 'gzip' });
  });

  return routes;
}
