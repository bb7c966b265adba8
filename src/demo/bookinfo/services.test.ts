import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startDetails } from './details.ts';
import type { RunningService } from './http-service.ts';
import { type RatingsOptions, startRatings } from './ratings.ts';
import { type ReviewsOptions, startReviews } from './reviews.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function running(starting: Promise<RunningService>): Promise<string> {
  const service = await starting;
  cleanups.push(() => service.close());
  return `http://127.0.0.1:${service.port}`;
}

const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  return { status: response.status, body: (await response.json()) as unknown, headers: response.headers };
};
const post = async (url: string, body: string) => {
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as unknown };
};

/** A stand-in for ratings that notes what it is asked, and answers as told. */
async function ratingsLike(status = 200, body = '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}') {
  const asked: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { asked, port: (server.address() as AddressInfo).port };
}

describe('details', () => {
  test('has the book', async () => {
    const details = await running(startDetails({ port: 0 }));
    expect(await get(`${details}/details/7`)).toMatchObject({
      status: 200,
      body: {
        id: 7,
        author: 'William Shakespeare',
        year: 1595,
        type: 'paperback',
        pages: 200,
        publisher: 'PublisherA',
        language: 'English',
        'ISBN-10': '1234567890',
        'ISBN-13': '123-1234567890',
      },
    });
    expect(await get(`${details}/health`)).toMatchObject({ status: 200, body: { status: 'Details is healthy' } });
    expect(await get(`${details}/details/seven`)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    expect(await get(`${details}/other`)).toMatchObject({ status: 404 });
  });

  test('v2 asks a book service, and passes on headers but no cookies', async () => {
    const books = await ratingsLike(
      200,
      JSON.stringify({
        items: [
          {
            volumeInfo: {
              authors: ['W. S.'],
              publishedDate: '2002-01-01',
              printType: 'BOOK',
              pageCount: 64,
              publisher: 'Dover',
              language: 'en',
              industryIdentifiers: [
                { type: 'ISBN_10', identifier: '0486424618' },
                { type: 'ISBN_13', identifier: '9780486424613' },
              ],
            },
          },
        ],
      }),
    );
    const details = await running(
      startDetails({ port: 0, env: { ENABLE_EXTERNAL_BOOK_SERVICE: 'true' }, bookService: `http://127.0.0.1:${books.port}` }),
    );
    expect(await get(`${details}/details/0`, { 'x-request-id': 'r1', cookie: 'perch=secret' })).toMatchObject({
      status: 200,
      body: { id: 0, author: 'W. S.', year: 2002, type: 'paperback', pages: 64, language: 'English', 'ISBN-13': '9780486424613' },
    });
    expect(books.asked[0]?.url).toBe('/books/v1/volumes?q=isbn:0486424618');
    expect(books.asked[0]?.headers).toMatchObject({ 'x-request-id': 'r1' });
    expect(books.asked[0]?.headers).not.toHaveProperty('cookie');
  });

  test('v2 fails when the book service does', async () => {
    const books = await ratingsLike(500, '');
    const details = await running(
      startDetails({ port: 0, env: { ENABLE_EXTERNAL_BOOK_SERVICE: 'true' }, bookService: `http://127.0.0.1:${books.port}` }),
    );
    expect(await get(`${details}/details/0`)).toMatchObject({ status: 500, body: { error: 'the book service answered 500' } });
  });
});

describe('ratings', () => {
  const start = (version: string, more: Partial<RatingsOptions> = {}) =>
    running(startRatings({ port: 0, env: { SERVICE_VERSION: version }, ...more }));

  test('v1 has ratings, and takes others', async () => {
    const ratings = await start('v1');
    expect(await get(`${ratings}/ratings/0`)).toMatchObject({ status: 200, body: { id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } } });
    expect(await post(`${ratings}/ratings/0`, '{"Reviewer1":1}')).toEqual({ status: 200, body: { id: 0, ratings: { Reviewer1: 1 } } });
    expect(await get(`${ratings}/ratings/0`)).toMatchObject({ body: { id: 0, ratings: { Reviewer1: 1 } } });
    expect(await get(`${ratings}/ratings/1`)).toMatchObject({ body: { id: 1, ratings: { Reviewer1: 5, Reviewer2: 4 } } });
  });

  test('says what is wrong with a request', async () => {
    const ratings = await start('v1');
    expect(await get(`${ratings}/ratings/x`)).toMatchObject({ status: 400, body: { error: 'please provide numeric product ID' } });
    expect(await post(`${ratings}/ratings/0`, 'nonsense')).toMatchObject({ status: 400 });
    expect(await post(`${ratings}/ratings/0`, '[1]')).toMatchObject({ status: 400 });
    expect(await post(`${ratings}/ratings/0`, ' '.repeat(70_000))).toMatchObject({ status: 413 });
  });

  test('v2 has no database here', async () => {
    const ratings = await start('v2');
    expect(await get(`${ratings}/ratings/0`)).toMatchObject({ status: 500 });
    expect(await post(`${ratings}/ratings/0`, '{"Reviewer1":1}')).toMatchObject({ status: 501 });
  });

  test('v-faulty fails for half of the draws', async () => {
    const draws = [0.49, 0.5];
    const ratings = await start('v-faulty', { random: () => draws.shift() ?? 0 });
    expect(await get(`${ratings}/ratings/0`)).toMatchObject({ status: 503, body: { error: 'Service unavailable' } });
    expect(await get(`${ratings}/ratings/0`)).toMatchObject({ status: 200 });
  });

  test('v-delayed is slow for half of the draws', async () => {
    const slow = await start('v-delayed', { random: () => 0.49, delayMs: 150 });
    const begun = performance.now();
    expect(await get(`${slow}/ratings/0`)).toMatchObject({ status: 200 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
    // A delay that the test would not outlive.
    const fast = await start('v-delayed', { random: () => 0.5, delayMs: 3_600_000 });
    expect(await get(`${fast}/ratings/0`)).toMatchObject({ status: 200 });
  });

  test.each([
    ['v-unavailable', 200],
    ['v-unhealthy', 500],
  ])('%s goes away and comes back', async (version, healthWhenDown) => {
    const ratings = await start(version, { toggleMs: 60 });
    const met = new Set<string>();
    const deadline = Date.now() + 10_000;
    while (met.size < 2 && Date.now() < deadline) {
      const health = await get(`${ratings}/health`);
      const { status } = await get(`${ratings}/ratings/0`);
      // A toggle between the two requests would make a pair that never was.
      if ((await get(`${ratings}/health`)).status === health.status) met.add(`${health.status} ${status}`);
    }
    expect([...met]).toContain('200 200');
    expect([...met]).toContain(`${healthWhenDown} 503`);
  });
});

describe('reviews', () => {
  const start = (options: Omit<ReviewsOptions, 'port'>) => running(startReviews({ port: 0, ...options }));
  const through = (port: number) => ({ RATINGS_HOSTNAME: '127.0.0.1', RATINGS_SERVICE_PORT: String(port) });

  test('v1 asks no ratings', async () => {
    const ratings = await ratingsLike();
    const reviews = await start({ env: { SERVICE_VERSION: 'v1', HOSTNAME: 'reviews-v1-demo', ...through(ratings.port) } });
    const { status, body, headers } = await get(`${reviews}/reviews/0`);
    expect(status).toBe(200);
    expect(headers.get('x-app-version')).toBe('v1');
    expect(body).toEqual({
      id: '0',
      podname: 'reviews-v1-demo',
      clustername: 'null',
      reviews: [
        { reviewer: 'Reviewer1', text: expect.any(String) },
        { reviewer: 'Reviewer2', text: expect.any(String) },
      ],
    });
    expect(ratings.asked).toEqual([]);
    expect(await get(`${reviews}/health`)).toMatchObject({ status: 200, body: { status: 'Reviews is healthy' } });
    expect(await get(`${reviews}/reviews/x`)).toMatchObject({ status: 404 });
  });

  test.each([
    ['v2', {}, 'black'],
    ['v3', { STAR_COLOR: 'red' }, 'red'],
  ])('%s has stars', async (version, color, expected) => {
    const ratings = await ratingsLike();
    const reviews = await start({ env: { SERVICE_VERSION: version, ENABLE_RATINGS: 'true', ...color, ...through(ratings.port) } });
    expect(await get(`${reviews}/reviews/3`)).toMatchObject({
      body: { id: '3', reviews: [{ rating: { stars: 5, color: expected } }, { rating: { stars: 4, color: expected } }] },
    });
    expect(ratings.asked[0]?.url).toBe('/ratings/3');
  });

  test.each([
    ['unavailable', 503, '{"error":"Service unavailable"}'],
    ['talking nonsense', 200, 'nonsense'],
    ['empty', 200, '{}'],
    ['null', 200, 'null'],
  ])('with ratings %s it still answers 200, with the error in place of the stars', async (_, status, body) => {
    const ratings = await ratingsLike(status, body);
    const reviews = await start({ env: { ENABLE_RATINGS: 'true', ...through(ratings.port) } });
    const error = { error: 'Ratings service is currently unavailable' };
    expect(await get(`${reviews}/reviews/0`)).toMatchObject({ status: 200, body: { reviews: [{ rating: error }, { rating: error }] } });
  });

  test('with nobody there at all, too', async () => {
    const ratings = await startRatings({ port: 0 });
    await ratings.close();
    const reviews = await start({ env: { ENABLE_RATINGS: 'true', ...through(ratings.port) } });
    expect(await get(`${reviews}/reviews/0`)).toMatchObject({
      status: 200,
      body: { reviews: [{ rating: { error: 'Ratings service is currently unavailable' } }, {}] },
    });
  });

  test('calls through the proxy name the service of the mesh', async () => {
    const proxy = await ratingsLike();
    const reviews = await start({
      env: { ENABLE_RATINGS: 'true', SERVICES_DOMAIN: 'shop' },
      proxy: { host: '127.0.0.1', port: proxy.port },
    });
    await get(`${reviews}/reviews/0`);
    expect(proxy.asked[0]).toMatchObject({ url: 'http://ratings.shop:9080/ratings/0', headers: { host: 'ratings.shop:9080' } });
  });

  describe('passes on', () => {
    const sent = {
      cookie: 'perch=abc',
      'x-request-id': 'r1',
      baggage: 'perch.reviews=canary',
      'end-user': 'jason',
      traceparent: '00-1-2-03',
      'x-other': 'not in the list',
    };

    async function arrived(forward: readonly string[] | undefined): Promise<readonly string[]> {
      const ratings = await ratingsLike();
      const reviews = await start({ env: { ENABLE_RATINGS: 'true', ...through(ratings.port) }, ...(forward && { forward }) });
      await get(`${reviews}/reviews/0`, sent);
      return Object.keys(sent).filter((name) => ratings.asked[0]?.headers[name] === sent[name as keyof typeof sent]);
    }

    test.each([
      ['what Bookinfo does, and baggage', undefined, ['cookie', 'x-request-id', 'baggage', 'end-user', 'traceparent']],
      ['baggage alone', ['baggage'], ['baggage']],
      ['cookie and request id', ['cookie', 'x-request-id'], ['cookie', 'x-request-id']],
      ['nothing', [], []],
    ])('%s', async (_, forward, expected) => {
      expect(await arrived(forward)).toEqual(expected);
    });
  });
});

test('a port that is no number is refused at the start', async () => {
  await expect(startReviews({ port: 0, env: { RATINGS_SERVICE_PORT: 'http' } })).rejects.toThrow('RATINGS_SERVICE_PORT');
});
