import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isSynthetic } from '../core/evidence/synthetic-visitor.ts';
import { startVisitors, type Visitors, type VisitorsOptions } from './visitors.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Seen {
  readonly path: string;
  readonly document: boolean;
  readonly id: string | undefined;
  readonly userAgent: string | undefined;
}

/** A little site: a page that issues an id to whoever has none, with two assets; `versionOf` says who gets which version of it. */
async function site(versionOf: (id: string, page: number) => { page: string; asset: string }, status = 200) {
  const seen: Seen[] = [];
  const pages = new Map<string, number>();
  let issued = 0;
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const cookie = /(?:^|; )id=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    const document = request.headers['sec-fetch-mode'] === 'navigate' && request.headers.accept?.includes('text/html') === true;
    seen.push({ path: request.url ?? '', document, id: cookie, userAgent: request.headers['user-agent'] });
    const id = cookie ?? `v${++issued}`;
    if (document) pages.set(id, (pages.get(id) ?? 0) + 1);
    const version = versionOf(id, pages.get(id) ?? 0);
    if (cookie === undefined) response.setHeader('set-cookie', `id=${id}; Path=/; HttpOnly`);
    response.setHeader('x-app-version', document ? version.page : version.asset);
    response.writeHead(status);
    response.end(
      document ? `<link rel="stylesheet" href="/a.css"><img src="b.svg"><img src="https://elsewhere.test/c.svg"><a href="/d">d</a>` : '',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { seen, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/page` };
}

function start(options: Omit<VisitorsOptions, 'random'>): Visitors {
  let state = 42;
  // Park and Miller's generator: the same visitors at every run.
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const visitors = startVisitors({ thinkTimeMs: 5, ...options, random });
  cleanups.push(() => visitors.close());
  return visitors;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not happen in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a visitor comes without an id, keeps the one they are given, and loads a page with its assets', async () => {
  const { seen, url } = await site(() => ({ page: 'v1', asset: 'v1' }));
  const visitors = start({ count: 1, url, leaveChance: 0 });
  await until(() => visitors.stats().pages >= 3);
  await visitors.close();
  expect(seen.slice(0, 3)).toEqual([
    { path: '/page', document: true, id: undefined, userAgent: expect.any(String) },
    { path: '/a.css', document: false, id: 'v1', userAgent: expect.any(String) },
    { path: '/b.svg', document: false, id: 'v1', userAgent: expect.any(String) },
  ]);
  expect(seen.slice(3).every(({ id }) => id === 'v1')).toBe(true);
  expect(seen.every(({ userAgent }) => isSynthetic(userAgent))).toBe(true);
  expect(visitors.stats()).toMatchObject({ visitors: 1, mixed: 0, switches: 0, returns: 0, failures: 0 });
});

test('each has an id of their own, and whoever leaves is followed by another', async () => {
  const { seen, url } = await site(() => ({ page: 'v1', asset: 'v1' }));
  const visitors = start({ count: 5, url, leaveChance: 0.5 });
  await until(() => visitors.stats().visitors >= 20);
  await visitors.close();
  const ids = new Set(seen.map(({ id }) => id).filter((id) => id !== undefined));
  expect(ids.size).toBeGreaterThanOrEqual(15);
  expect(visitors.stats().pages).toBeGreaterThanOrEqual(15);
});

test('a page of two versions is mixed; a new version on the next page is a switch; an old one again is a return', async () => {
  const { url } = await site((_, page) =>
    page === 1 ? { page: 'v1', asset: 'v1' } : page === 2 ? { page: 'v1', asset: 'v2' } : { page: 'v1', asset: 'v1' },
  );
  const visitors = start({ count: 1, url, leaveChance: 0 });
  await until(() => visitors.stats().pages >= 4);
  await visitors.close();
  expect(visitors.stats()).toMatchObject({ mixed: 1, switches: 2, returns: 1 });
});

test('a version that moves on is a switch, and nobody returns', async () => {
  const { url } = await site((_, page) => (page < 3 ? { page: 'v1', asset: 'v1' } : { page: 'v2', asset: 'v2' }));
  const visitors = start({ count: 2, url, leaveChance: 0 });
  await until(() => visitors.stats().pages >= 12);
  await visitors.close();
  expect(visitors.stats()).toMatchObject({ mixed: 0, switches: 2, returns: 0 });
});

test('pages that break are counted as such, and the visitors come again', async () => {
  const { url, server } = await site(() => ({ page: 'v1', asset: 'v1' }), 503);
  const visitors = start({ count: 2, url, leaveChance: 0 });
  await until(() => visitors.stats().failures >= 3);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const before = visitors.stats().failures;
  await until(() => visitors.stats().failures >= before + 3);
  expect(visitors.stats().pages).toBe(0);
});

test('close ends at once, whatever they are doing', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const visitors = start({ count: 3, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, thinkTimeMs: 1 });
  let asked = 0;
  server.on('request', () => {
    asked += 1;
  });
  await until(() => asked === 3);
  const begun = Date.now();
  await visitors.close();
  expect(Date.now() - begun).toBeLessThan(2_000);
  expect(visitors.stats()).toMatchObject({ pages: 0, failures: 0 });
});
