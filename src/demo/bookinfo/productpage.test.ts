import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { SYNTHETIC_USER_AGENT } from '../../core/evidence/synthetic-visitor.ts';
import { startDetails } from './details.ts';
import { type ProductpageOptions, startProductpage } from './productpage.ts';
import { startReviews } from './reviews.ts';

const ANNA = '3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a';
const DOCUMENT = { accept: 'text/html,*/*;q=0.8' };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A real server that answers as told; gives its port. */
async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function productpage(options: Omit<ProductpageOptions, 'port'> = {}): Promise<string> {
  const service = await startProductpage({ port: 0, ...options });
  cleanups.push(() => service.close());
  return `http://127.0.0.1:${service.port}`;
}

/** A shop with real details and reviews v2-like upstreams; env names where they are. */
async function shop(options: Omit<ProductpageOptions, 'port'> = {}): Promise<string> {
  const details = await startDetails({ port: 0 });
  const reviews = await startReviews({ port: 0, env: { SERVICE_VERSION: 'v1', HOSTNAME: 'reviews-v1-demo' } });
  cleanups.push(
    () => details.close(),
    () => reviews.close(),
  );
  return productpage({ ...options, env: { ...at('DETAILS', details.port), ...at('REVIEWS', reviews.port), ...options.env } });
}

const at = (name: string, port: number) => ({ [`${name}_HOSTNAME`]: '127.0.0.1', [`${name}_SERVICE_PORT`]: String(port) });

async function fetchPage(url: string, headers: Record<string, string> = DOCUMENT) {
  const response = await fetch(url, { headers, redirect: 'manual' });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

describe('the product page', () => {
  test('shows book, details, reviews and their version', async () => {
    const { status, headers, body } = await fetchPage(`${await shop()}/productpage`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    for (const text of ['The Comedy of Errors', 'William Shakespeare', '123-1234567890', 'Reviewer2', 'served by reviews-v1-demo']) {
      expect(body).toContain(text);
    }
    expect(body).toContain('data-version="v1">reviews v1<');
    expect(body).not.toContain('★');
    expect(body).not.toContain('<script');
  });

  test('names assets that exist', async () => {
    const base = await shop();
    const { body } = await fetchPage(`${base}/productpage`);
    const assets = [...body.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
    expect(new Set(assets)).toEqual(new Set(['/static/bookinfo.css', '/static/logo.svg', '/static/cover.svg']));
    for (const path of assets) {
      const asset = await fetchPage(`${base}${path}`, {});
      expect(asset.status).toBe(200);
      expect(asset.headers.get('content-type')).toMatch(path?.endsWith('.css') ? /^text\/css/ : /^image\/svg\+xml/);
    }
    expect((await fetchPage(`${base}/static/../package.json`, {})).status).toBe(404);
  });

  test.each([
    ['black', 'v2', '<p class="stars black" role="img" aria-label="4 of 5 stars, black">★★★★<span class="off">★</span></p>'],
    ['red', 'v3', '<p class="stars red" role="img" aria-label="5 of 5 stars, red">★★★★★</p>'],
  ])('shows %s stars for %s', async (color, version, markup) => {
    const reviews = await serve((_, response) => {
      response.setHeader('x-app-version', version);
      const rating = (stars: number) => ({ reviewer: 'R', text: 'T', rating: { stars, color } });
      response.end(JSON.stringify({ id: '0', podname: 'p', clustername: 'null', reviews: [rating(5), rating(4)] }));
    });
    const { body } = await fetchPage(`${await shop({ env: at('REVIEWS', reviews) })}/productpage`);
    expect(body).toContain(markup);
    expect(body).toContain(`data-version="${version}"`);
  });

  test('lets nothing that came over the network become markup', async () => {
    const evil = `<img src=x onerror=alert(1)>"'&`;
    const reviews = await serve((_, response) => {
      response.setHeader('x-app-version', evil);
      const review = { reviewer: evil, text: evil, rating: { error: evil } };
      response.end(JSON.stringify({ id: '0', podname: evil, reviews: [review, { ...review, rating: { stars: evil, color: evil } }] }));
    });
    const details = await serve((_, response) => {
      response.end(JSON.stringify(Object.fromEntries(['author', 'type', 'pages', 'publisher', 'language'].map((name) => [name, evil]))));
    });
    const perch = await serve((_, response) => {
      response.end(JSON.stringify({ sentence: evil, cohort: evil, bucket: 7, weight: 10 }));
    });
    const base = await shop({ env: { ...at('REVIEWS', reviews), ...at('DETAILS', details) }, perchApi: `http://127.0.0.1:${perch}` });
    const user = await fetch(`${base}/login`, { method: 'POST', body: new URLSearchParams({ username: evil }), redirect: 'manual' });
    const session = user.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { status, body } = await fetchPage(`${base}/productpage`, { ...DOCUMENT, cookie: `${session}; perch=${ANNA}` });
    expect(status).toBe(200);
    expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
    expect(body).not.toContain('<img src=x');
    expect(body.match(/onerror=alert/g)?.length).toBeGreaterThanOrEqual(10);
  });

  test.each([
    ['answers 503', 2, (_: IncomingMessage, response: ServerResponse) => response.writeHead(503).end()],
    ['hangs up', 2, (request: IncomingMessage) => request.socket.destroy()],
    ['talks nonsense', 1, (_: IncomingMessage, response: ServerResponse) => response.end('<html>')],
  ])('when reviews %s: a sentence in their place, after %i tries', async (_, tries, handler) => {
    let asked = 0;
    const reviews = await serve((request, response) => {
      asked += 1;
      handler(request, response);
    });
    const { status, body } = await fetchPage(`${await shop({ env: at('REVIEWS', reviews) })}/productpage`);
    expect(status).toBe(200);
    expect(body).toContain('Error fetching product reviews');
    expect(body).toContain('Sorry, product reviews are currently unavailable for this book.');
    expect(body).toContain('William Shakespeare');
    expect(asked).toBe(tries);
  });

  test('reviews that are too slow are given up after 3 s, twice: Bookinfo’s own bug', async () => {
    let asked = 0;
    const reviews = await serve(() => {
      asked += 1;
    });
    const begun = performance.now();
    const { status, body } = await fetchPage(`${await shop({ env: at('REVIEWS', reviews) })}/productpage`);
    expect(performance.now() - begun).toBeGreaterThan(5_900);
    expect(asked).toBe(2);
    expect(status).toBe(200);
    expect(body).toContain('Error fetching product reviews');
  });

  test('without details the reviews are still there', async () => {
    const details = await serve((_, response) => response.writeHead(500).end());
    const { status, body } = await fetchPage(`${await shop({ env: at('DETAILS', details) })}/productpage`);
    expect(status).toBe(200);
    expect(body).toContain('Sorry, product details are currently unavailable for this book.');
    expect(body).toContain('Reviewer1');
  });

  test('FLOOD_FACTOR asks reviews that often besides', async () => {
    let asked = 0;
    const reviews = await serve((_, response) => {
      asked += 1;
      response.end('{"podname":"p","reviews":[]}');
    });
    await fetchPage(`${await shop({ env: { ...at('REVIEWS', reviews), FLOOD_FACTOR: '4' } })}/productpage`);
    expect(asked).toBe(5);
  });
});

describe('the API', () => {
  test('lists the book, and passes on details, reviews and ratings', async () => {
    const ratings = await serve((_, response) => {
      response.end('{"id":0,"ratings":{"Reviewer1":5}}');
    });
    const base = await shop({ env: at('RATINGS', ratings) });
    const json = async (path: string) => JSON.parse((await fetchPage(base + path, {})).body) as unknown;
    expect(await json('/api/v1/products')).toEqual([{ id: 0, title: 'The Comedy of Errors', descriptionHtml: expect.any(String) }]);
    expect(await json('/api/v1/products/0')).toMatchObject({ id: 0, year: 1595 });
    expect(await json('/api/v1/products/0/reviews')).toMatchObject({ id: '0', reviews: [{}, {}] });
    expect(await json('/api/v1/products/0/ratings')).toEqual({ id: 0, ratings: { Reviewer1: 5 } });
    expect((await fetchPage(`${base}/api/v1/products/x`, {})).status).toBe(404);
  });

  test('passes on an upstream’s status, or 500 where there is none', async () => {
    const reviews = await serve((_, response) => response.writeHead(503).end());
    const gone = await serve((request) => request.socket.destroy());
    const base = await shop({ env: { ...at('REVIEWS', reviews), ...at('RATINGS', gone) } });
    expect(await fetchPage(`${base}/api/v1/products/0/reviews`, {})).toMatchObject({
      status: 503,
      body: '{"error":"Sorry, product reviews are currently unavailable for this book."}',
    });
    expect(await fetchPage(`${base}/api/v1/products/0/ratings`, {})).toMatchObject({
      status: 500,
      body: '{"error":"Sorry, product ratings are currently unavailable for this book."}',
    });
    const { body } = await fetchPage(`${base}/metrics`, {});
    expect(body).toContain('request_result_total{destination_app="ratings",response_code="500"} 1\n');
    expect(body).toContain('request_result_total{destination_app="reviews",response_code="503"} 2\n');
  });

  test('has the other paths', async () => {
    const base = await shop({ env: { SERVICE_VERSION: 'v1' } });
    expect(await fetchPage(`${base}/health`)).toMatchObject({ status: 200, body: 'Product page is healthy' });
    for (const path of ['/', '/index.html']) expect((await fetchPage(base + path)).body).toContain('href="/productpage"');
    expect((await fetchPage(`${base}/nothing`)).status).toBe(404);
    expect((await fetchPage(`${base}/demo/new-visitor`)).status).toBe(404);
    expect((await fetchPage(`${base}/health`)).headers.get('x-app-version')).toBe('v1');
  });
});

describe('logging in', () => {
  const login = (base: string, username: string, headers: Record<string, string> = {}) =>
    fetch(`${base}/login`, { method: 'POST', body: new URLSearchParams({ username }), headers, redirect: 'manual' });

  test('a session is a cookie, and its user is told to the upstreams; what a client claims is not', async () => {
    const users: (string | undefined)[] = [];
    const reviews = await serve((request, response) => {
      users.push(request.headers['end-user'] as string | undefined);
      response.end('{"podname":"p","reviews":[]}');
    });
    const base = await shop({ env: at('REVIEWS', reviews) });
    const response = await login(base, 'jason');
    expect(response.status).toBe(302);
    const line = response.headers.get('set-cookie') ?? '';
    expect(line).toMatch(/^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/);
    const session = line.split(';')[0] ?? '';
    expect((await fetchPage(`${base}/productpage`, { cookie: `a=1; ${session}` })).body).toContain('Signed in as <strong>jason</strong>');
    await fetchPage(`${base}/productpage`, { cookie: session.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')), 'end-user': 'jason' });
    expect(users).toEqual(['jason', undefined]);
  });

  test('goes back to where one was, on this site only', async () => {
    const base = await shop();
    expect((await login(base, 'j', { referer: `${base}/productpage?u=1` })).headers.get('location')).toBe('/productpage?u=1');
    expect((await login(base, 'j', { referer: 'https://elsewhere.test/phish' })).headers.get('location')).toBe('/productpage');
    expect((await login(base, 'j', { referer: `${base}//elsewhere.test` })).headers.get('location')).toBe('/productpage');
    expect((await login(base, '  ')).headers.get('set-cookie')).toBeNull();
  });

  test('logging out forgets the session', async () => {
    const { status, headers } = await fetchPage(`${await shop()}/logout`);
    expect(status).toBe(302);
    expect(headers.get('set-cookie')).toBe('session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax');
  });
});

describe('be a new visitor', () => {
  const ask = (base: string, headers: Record<string, string> = {}) =>
    fetch(`${base}/demo/new-visitor`, { method: 'POST', headers, redirect: 'manual' });

  test('expires the cookie with the attributes that the release sets it with, and shows the page again', async () => {
    const response = await ask(await shop());
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/productpage');
    expect(response.headers.get('set-cookie')).toBe('perch=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax');
  });

  test('Secure follows the browser’s connection', async () => {
    const response = await ask(await shop(), { 'x-forwarded-proto': 'https' });
    expect(response.headers.get('set-cookie')).toBe('perch=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax');
  });

  test('other attributes, where the release says so', async () => {
    const base = await shop({ visitorCookie: { name: '__Host-perch', path: '/shop', secure: true, httpOnly: false, sameSite: 'Strict' } });
    expect((await ask(base)).headers.get('set-cookie')).toBe('__Host-perch=; Max-Age=0; Path=/shop; Secure; SameSite=Strict');
    const embedded = {
      name: 'perch',
      path: '/',
      domain: 'shop.example',
      secure: true,
      httpOnly: true,
      sameSite: 'None',
      partitioned: true,
    } as const;
    expect((await ask(await shop({ visitorCookie: embedded }))).headers.get('set-cookie')).toBe(
      'perch=; Max-Age=0; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=None; Partitioned',
    );
  });

  test('also the cookie that pins to the canary, where there is one', async () => {
    const response = await ask(await shop({ env: { CANARY_COOKIE: 'reviews-cookie' } }));
    expect(response.headers.getSetCookie()).toEqual([
      'perch=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
      'reviews-cookie=; Max-Age=0; Path=/',
    ]);
  });

  test('not because another site asks', async () => {
    const response = await ask(await shop(), { 'sec-fetch-site': 'cross-site' });
    expect(response.status).toBe(403);
    expect(response.headers.get('set-cookie')).toBeNull();
  });
});

describe('the sentence about the visitor', () => {
  async function perch(answer = '{"sentence":"you are bucket 179","cohort":"canary","bucket":179,"weight":12.5}') {
    const asked: (string | undefined)[] = [];
    const port = await serve((request, response) => {
      asked.push(request.url);
      response.end(answer);
    });
    return { asked, perchApi: `http://127.0.0.1:${port}` };
  }

  test('is that of the id in the cookie', async () => {
    const { asked, perchApi } = await perch();
    const { body } = await fetchPage(`${await shop({ perchApi })}/productpage`, {
      ...DOCUMENT,
      cookie: `a=b; perch=${ANNA}`,
      'x-request-id': 'r',
    });
    expect(asked).toEqual([`/api/v1/releases/default/reviews/visitors/${ANNA}`]);
    expect(body).toContain('data-cohort="canary" data-bucket="179">you are bucket 179<');
    expect(body).toContain('release at 12.5 %');
  });

  test('at a first visit is that of the id to be, which the edge drew', async () => {
    const { asked, perchApi } = await perch();
    const base = await shop({ env: { PERCH_API: `${perchApi}/` }, release: 'shop/web' });
    // Not by fetch, which says itself what its mode is.
    const response = get(`${base}/productpage`, { headers: { 'sec-fetch-mode': 'navigate', 'x-request-id': ANNA } });
    (await once(response, 'response'))[0].resume();
    expect(asked).toEqual([`/api/v1/releases/shop/web/visitors/${ANNA}`]);
  });

  test.each([
    ['a=b,perch.reviews=canary;p=1', '?told=canary'],
    ['perch.reviews=stable', '?told=stable'],
    ['perch.reviews=canaryx, xperch.reviews=stable', ''],
  ])('tells what the edge stamped on the baggage: %s', async (baggage, query) => {
    const { asked, perchApi } = await perch('{"sentence":"drawn anew","cohort":"canary","weight":10}');
    const { body } = await fetchPage(`${await shop({ perchApi })}/productpage`, { ...DOCUMENT, 'x-request-id': ANNA, baggage });
    expect(asked).toEqual([`/api/v1/releases/default/reviews/visitors/${ANNA}${query}`]);
    // No bucket, no place on the scale.
    expect(body).toContain('<p class="sentence" id="sentence" data-cohort="canary">drawn anew</p>');
    expect(body).not.toContain('<svg class="place"');
  });

  test('claims no cohort where Perch names none', async () => {
    const { perchApi } = await perch('{"sentence":"10 % of draws are v2","weight":10}');
    const { body } = await fetchPage(`${await shop({ perchApi })}/productpage`, { ...DOCUMENT, 'x-request-id': ANNA });
    expect(body).toContain('<p class="sentence" id="sentence">10 % of draws are v2</p>');
  });

  test('is not there for requests that get no id', async () => {
    const { asked, perchApi } = await perch();
    const base = await shop({ perchApi });
    await fetchPage(`${base}/productpage`, { accept: '*/*', 'x-request-id': ANNA });
    await fetchPage(`${base}/productpage`, { ...DOCUMENT, 'x-request-id': '../../objects' });
    await fetchPage(`${base}/productpage`, DOCUMENT);
    expect(asked).toEqual([]);
  });

  test.each([
    ['has nothing to say', '{"type":"about:blank"}'],
    ['talks nonsense', 'nonsense'],
  ])('is missing where Perch %s, and the page is whole', async (_, answer) => {
    const { perchApi } = await perch(answer);
    const { status, body } = await fetchPage(`${await shop({ perchApi })}/productpage`, { ...DOCUMENT, cookie: `perch=${ANNA}` });
    expect(status).toBe(200);
    expect(body).not.toContain('id="sentence"');
    expect(body).toContain('Be a new visitor');
  });

  test('is not asked for where nobody reads it', async () => {
    const { asked, perchApi } = await perch();
    await fetchPage(`${await shop({ perchApi })}/productpage`, {
      ...DOCUMENT,
      cookie: `perch=${ANNA}`,
      'user-agent': SYNTHETIC_USER_AGENT,
    });
    expect(asked).toEqual([]);
  });

  test('a Perch that does not answer holds up two pages for a second each, and the next not at all', async () => {
    let asked = 0;
    const port = await serve(() => {
      asked += 1;
    });
    const base = await shop({ perchApi: `http://127.0.0.1:${port}` });
    const took = async (id: string): Promise<number> => {
      const begun = performance.now();
      expect((await fetchPage(`${base}/productpage`, { ...DOCUMENT, cookie: `perch=${id}` })).status).toBe(200);
      return performance.now() - begun;
    };
    for (const id of [ANNA, '7c1d2a90-0f3b-4c55-9f0e-fe1241c7568a']) {
      expect(await took(id)).toBeGreaterThan(990);
    }
    // It is left alone for a second.
    if ((await took('0b0d6f1e-5a3c-4a7b-8f55-1c2d3e4f5a6b')) < 1_000) expect(asked).toBe(2);
  });
});
