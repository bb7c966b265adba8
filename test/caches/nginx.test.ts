import { afterEach, expect, test } from 'vitest';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { type Visit, Visitor } from '../harness/visitor.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';
import { describeWithNginx } from '../requirements.ts';
import { type CachingNginx, startCachingNginx } from './nginx-process.ts';

/*
 * A real nginx with a cache in front of a release at half of its visitors, and pages that say that any cache may keep them for a minute.
 * The lines that it prints are those of docs/guides/browsers.md:
 * PERCH_NGINX=$(node tools/provide-nginx.ts) npx vitest run test/caches
 */

const VISITORS = 60;
const PAGES = 3;

/** What the visitors got, all in all. */
interface Outcome {
  readonly visits: readonly (Visit & { readonly expected: string | undefined })[];
  /** Ids in the visitors' jars. */
  readonly ids: readonly string[];
}

describeWithNginx('a shared cache in front', (executable) => {
  let scene: WebScene | undefined;
  let nginx: CachingNginx | undefined;

  afterEach(async () => {
    await nginx?.stop();
    await scene?.close();
  });

  /**
   * Visitors come one after the other, each for the same page a few times; `expected` is the version of their bucket, undefined without an id.
   * With `landing` each comes to an address of their own first, as by a link from a newsletter, so that all have an id.
   */
  async function visitors(spec: object, directives: readonly string[] = [], landing = false): Promise<Outcome> {
    scene = await startWebScene(51, spec, (version, _, response) => response.setHeader('cache-control', 'public, max-age=60').end(version));
    nginx = await startCachingNginx(executable, scene.ingressPort, directives);
    const { cutoff, offset } = bucketDraw(await scene.status());
    const visits: Outcome['visits'][number][] = [];
    const ids: string[] = [];
    for (let index = 0; index < VISITORS; index++) {
      const visitor = new Visitor(nginx.agent, 0);
      if (landing) await visitor.visit(`/?from=${index}`);
      for (let page = 0; page < PAGES; page++) {
        const visit = await visitor.visit('/');
        const bucket = bucketOf(visitor.cookies.get('perch') ?? '', offset);
        visits.push({ ...visit, expected: bucket === undefined ? undefined : bucket < cutoff ? 'v2' : 'v1' });
      }
      const id = visitor.cookies.get('perch');
      if (id !== undefined) ids.push(id);
    }
    return { visits, ids };
  }

  const hits = ({ visits }: Outcome) => visits.filter(({ headers }) => headers['x-cache'] === 'HIT');
  const tell = (what: string, outcome: Outcome) => {
    const wrong = outcome.visits.filter(({ expected, body }) => expected !== undefined && body !== expected).length;
    console.info(
      `${what}: ${hits(outcome).length} of ${outcome.visits.length} pages from the cache, ${outcome.ids.length} of ${VISITORS} visitors got an id, ${new Set(outcome.ids).size} ids; ${wrong} pages of the other version`,
    );
  };

  test('the cache works: what Perch does not mark is kept', async () => {
    scene = await startWebScene(51, {}, (version, _, response) => response.setHeader('cache-control', 'public, max-age=60').end(version));
    nginx = await startCachingNginx(executable, scene.ingressPort);
    const visitor = new Visitor(nginx.agent, 0);
    const kinds = [await visitor.get('/a.css'), await visitor.get('/a.css')].map(({ headers }) => headers['x-cache']);
    expect(kinds).toEqual(['MISS', 'HIT']);
  });

  test('cache: private keeps all pages of both cohorts out of it: everyone is sorted, and on the version of their bucket', async () => {
    const outcome = await visitors({ cache: 'private' });
    tell('cache: private', outcome);
    expect(hits(outcome)).toEqual([]);
    expect(new Set(outcome.ids).size).toBe(VISITORS);
    expect(outcome.visits.filter(({ body, expected }) => body !== expected)).toEqual([]);
    expect(new Set(outcome.visits.map(({ headers }) => headers['cache-control']))).toEqual(new Set(['public, max-age=60,private']));
  });

  test('nor does a client without an id, such as a monitor, put the page of stable into it for all', async () => {
    scene = await startWebScene(52, { cache: 'private' }, (version, _, response) =>
      response.setHeader('cache-control', 'public, max-age=60').end(version),
    );
    nginx = await startCachingNginx(executable, scene.ingressPort);
    for (let visit = 0; visit < 3; visit++) {
      const { headers, body } = await new Visitor(nginx.agent, 0).get('/', { accept: '*/*' });
      expect([body, headers['x-cache'], headers['cache-control']]).toEqual(['v1', 'MISS', 'public, max-age=60,private']);
    }
    // After the release, pages are as cacheable as the service says.
    await scene.rollBack();
    const later = [1, 2].map(() => new Visitor(nginx?.agent ?? expect.fail(), 0));
    const kinds: unknown[] = [];
    for (const visitor of later) kinds.push((await visitor.get('/', { accept: '*/*' })).headers['x-cache']);
    expect(kinds).toEqual(['MISS', 'HIT']);
  });

  test('cache: issuing keeps the ids out of it; but once the page of somebody known is in it, nobody new gets an id', async () => {
    const outcome = await visitors({ cache: 'issuing' });
    tell('cache: issuing, new visitors', outcome);
    // An answer from the cache never brings an id, so nobody has another's.
    expect(hits(outcome).filter(({ headers }) => headers['set-cookie'] !== undefined)).toEqual([]);
    expect(outcome.ids).toHaveLength(1);
    expect(hits(outcome)).toHaveLength(VISITORS * PAGES - 2);
  });

  test('nor is everyone with an id on their version then: the cache has one page for both cohorts', async () => {
    const outcome = await visitors({ cache: 'issuing' }, [], true);
    tell('cache: issuing, visitors who have an id', outcome);
    expect(new Set(outcome.ids).size).toBe(VISITORS);
    expect(new Set(outcome.visits.map(({ body }) => body)).size).toBe(1);
    expect(new Set(outcome.visits.map(({ expected }) => expected)).size).toBe(2);
  });

  test('a cache that keeps pages in spite of their Set-Cookie keeps none with an id either: it is marked private', async () => {
    const outcome = await visitors({ cache: 'private' }, ['proxy_ignore_headers Set-Cookie;']);
    tell('cache: private, nginx ignores Set-Cookie', outcome);
    expect(hits(outcome)).toEqual([]);
    expect(new Set(outcome.ids).size).toBe(VISITORS);
  });

  test('one that ignores Cache-Control too gives the first visitor’s id to all: perch doctor finds that (PERCH5015)', async () => {
    const outcome = await visitors({ cache: 'private' }, ['proxy_ignore_headers Set-Cookie Cache-Control;', 'proxy_cache_valid 200 1m;']);
    tell('cache: private, nginx ignores Set-Cookie and Cache-Control', outcome);
    expect(outcome.ids).toHaveLength(VISITORS);
    expect(new Set(outcome.ids).size).toBe(1);
  });

  test('a cache that keeps a page for each id is right with cache: issuing too', async () => {
    const outcome = await visitors({ cache: 'issuing' }, ['proxy_cache_key $host$request_uri$cookie_perch;']);
    tell('cache: issuing, nginx keys by the id', outcome);
    expect(new Set(outcome.ids).size).toBe(VISITORS);
    expect(outcome.visits.filter(({ body, expected }) => body !== expected)).toEqual([]);
    expect(hits(outcome)).toHaveLength(VISITORS * (PAGES - 2));
  });
});
