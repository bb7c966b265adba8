import { randomUUID } from 'node:crypto';
import type { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf, type Offset } from '../../src/core/visitor/bucket.ts';
import { connections, inParallel, type Visit, Visitor } from '../harness/visitor.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { seenIn } from './echo-origin.ts';
import { type EnvoyForms, startEnvoyForms } from './envoy-forms.ts';
import { envoyRoutes } from './istio-routes.ts';
import { virtualService } from './shop-routes.ts';
import { type WovenForm, wovenForm } from './woven-forms.ts';

/* What woven routes are meant to do, by arithmetic, in a real Envoy that keeps request ids: whether Perch's gateway agrees is another suite. */

const DOCUMENT = { accept: 'text/html,*/*;q=0.8' };

/** One release per draw: 10 %, one bucket, half, all but one bucket; with its form at the edge, and obeyed inside. */
const RELEASES = (
  [
    [0, 0x19a],
    [3, 1],
    [6, 0x800],
    [9, 0xfff],
  ] as const
).map(([offset, cutoff]) => ({
  offset,
  cutoff,
  edge: wovenForm(`edge ${offset}`, { route: 'adopt', place: 'edge', at: { offset, cutoff } }),
  inside: wovenForm(`inside ${offset}`, {
    route: 'adopt',
    place: 'inside',
    at: { offset, cutoff },
    spec: { visitorId: { propagate: ['baggage', 'cookie', 'requestId'] } },
  }),
}));
const NOBODY = wovenForm('nobody', { route: 'adopt', place: 'edge', at: { cutoff: 0, offset: 0 } });
const EVERYBODY = wovenForm('everybody', { route: 'adopt', place: 'edge', at: { cutoff: BUCKETS, offset: 0 } });
/** Four releases, each with a draw of its own, that issue their ids at one page: 16 cells, the most that there may be. */
const DRAWS = {
  shop: { offset: 0, cutoff: 0x19a },
  details: { offset: 3, cutoff: 0x800 },
  ratings: { offset: 6, cutoff: 0xc01 },
  reviews: { offset: 9, cutoff: 1000 },
} as const;
const SHARED = wovenForm('shared', {
  route: 'adopt',
  place: 'inside',
  at: DRAWS.shop,
  beside: { details: DRAWS.details, ratings: DRAWS.ratings, reviews: DRAWS.reviews },
});
/** Nobody is drawn yet: a team is picked, and whoever follows a link chooses. */
const CHOSEN = wovenForm('chosen', {
  route: 'adopt',
  place: 'edge',
  at: { cutoff: 0, offset: 0 },
  spec: {
    optIn: {},
    steps: [
      { match: [{ headers: { 'x-team': { exact: 'qa' }, 'x-region': { prefix: 'eu' } } }], hold: 'manual' },
      { weight: 100, hold: 'manual' },
    ],
  },
});
const TENANTS = wovenForm('tenants', {
  route: 'adopt',
  place: 'edge',
  at: { cutoff: 0x800, offset: 6 },
  spec: { visitorId: { from: { header: 'x-tenant-id' } } },
});
const ALL_BUCKETS = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

/** A random id with this bucket in this draw. */
function idInBucket(bucket: number, offset: Offset): string {
  const id = randomUUID();
  const at = id.length - 12 + offset;
  return id.slice(0, at) + bucket.toString(16).padStart(3, '0') + id.slice(at + 3);
}

function idOf({ headers }: Visit): readonly string[] | undefined {
  return headers['set-cookie']?.filter((line) => line.startsWith('perch='));
}

describeWithEnvoy('woven routes in a real Envoy', (executable) => {
  let envoy: EnvoyForms;
  let agent: Agent;

  beforeAll(async () => {
    agent = connections(16);
    const forms = [...RELEASES.flatMap(({ edge, inside }) => [edge, inside]), NOBODY, EVERYBODY, SHARED, CHOSEN, TENANTS];
    envoy = await startEnvoyForms(executable, forms, { requestId: 'preserve' });
  });

  afterAll(async () => {
    agent?.destroy();
    await envoy?.stop();
  });

  const at = (form: WovenForm) => new Visitor(agent, envoy.port(form, 'ingress'));
  const shopInside = (form: WovenForm, headers: Readonly<Record<string, string>>) =>
    new Visitor(agent, envoy.port(form, 'mesh')).get('/reviews/0', { host: 'shop:8080', ...headers });

  describe.each(RELEASES)('a release at offset $offset and cutoff $cutoff', ({ offset, cutoff, edge, inside }) => {
    const versionIn = (bucket: number): string => (bucket < cutoff ? 'shop/v2' : 'shop/v1');

    test('sends every one of the 4096 buckets where arithmetic says, and issues nothing to those who have an id', async () => {
      await inParallel(ALL_BUCKETS, 16, async (bucket) => {
        const id = idInBucket(bucket, offset);
        // Of another bucket, in another cookie: nobody's id.
        const other = idInBucket(BUCKETS - 1 - bucket, offset);
        const visit = await at(edge).get(bucket % 2 === 0 ? '/shop/item?q=1' : '/cart', {
          ...DOCUMENT,
          cookie: `xperch=${other}; theme=dark; perch=${id}; last=perch=${other}`,
        });
        expect([id, visit.headers['x-version'], idOf(visit) ?? []]).toEqual([id, versionIn(bucket), []]);
      });
    });

    test('gives 1000 new visitors their request id as their visitor id, once, with the version it decides', async () => {
      const ids = Array.from({ length: 1000 }, (_, index) =>
        index < 16 ? idInBucket((cutoff - 8 + index + BUCKETS) % BUCKETS, offset) : randomUUID(),
      );
      await inParallel(ids, 16, async (id) => {
        const visit = await at(edge).get('/shop', { ...DOCUMENT, cookie: 'theme=dark', 'x-request-id': id });
        expect([id, visit.headers['x-version']]).toEqual([id, versionIn(bucketOf(id, offset) ?? BUCKETS)]);
        expect(idOf(visit)).toEqual([`perch=${id}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`]);
        expect(visit.headers['cache-control']).toBe('max-age=60,private');
        expect(seenIn(String(visit.headers['x-seen'])).headers).toContain(id);
      });
    });

    test('inside, each of the 4096 buckets is obeyed by the cookie, whatever the request id; on a first page by the request id', async () => {
      await inParallel(ALL_BUCKETS, 16, async (bucket) => {
        const id = idInBucket(bucket, offset);
        const known = await shopInside(inside, { cookie: `perch=${id}`, 'x-request-id': randomUUID() });
        const first = await shopInside(inside, { 'x-request-id': id });
        expect([bucket, known.headers['x-version'], first.headers['x-version']]).toEqual([bucket, versionIn(bucket), versionIn(bucket)]);
      });
    });
  });

  const [{ edge: TENTH }] = RELEASES as [(typeof RELEASES)[0]];

  test('clients without an id that do not ask for a page are on stable and get none', async () => {
    const visit = await at(TENTH).get('/shop/picture.png', { accept: 'image/*', 'x-request-id': idInBucket(0, 0) });
    expect([visit.headers['x-version'], idOf(visit)]).toEqual(['shop/v1', []]);
  });

  test.each([
    ['attributes', 'x; Domain=evil.test; x-000000000000'],
    ['no last group', '1234'],
    ['capitals', randomUUID().toUpperCase()],
    ['a line of its own', 'g-000000000000'],
  ])('nothing but an id reaches a Set-Cookie, even where request ids are kept: %s', async (_, requestId) => {
    const visit = await at(TENTH).get('/shop', { ...DOCUMENT, 'x-request-id': requestId });
    expect([visit.headers['x-version'], idOf(visit)]).toEqual(['shop/v1', []]);
  });

  test('releases that share a page each tell their cohort by their own draw, of 2000 visitors known and new; one id for all', async () => {
    await inParallel(Array.from({ length: 2000 }), 16, async (_, index) => {
      const id = randomUUID();
      const told = Object.entries(DRAWS).map(([name, { offset, cutoff }]) => {
        const cohort = (bucketOf(id, offset) ?? BUCKETS) < cutoff ? 'canary' : 'stable';
        return `perch.${name}=${cohort}`;
      });
      const isKnown = index % 2 === 0;
      const visit = await at(SHARED).get('/page', { ...DOCUMENT, ...(isKnown ? { cookie: `a=1; perch=${id}` } : { 'x-request-id': id }) });
      const { headers } = seenIn(String(visit.headers['x-seen']));
      const baggage = headers.filter((_value, at) => headers[at - 1]?.toLowerCase() === 'baggage').join(',');
      expect(
        baggage
          .split(',')
          .filter((member) => member.startsWith('perch.'))
          .toSorted(),
      ).toEqual(told.toSorted());
      expect(idOf(visit) ?? []).toEqual(isKnown ? [] : [expect.stringContaining(`perch=${id};`)]);
    });
  });

  test('a link chooses, the browser remembers, :auto takes it back; a team is picked by all of its headers', async () => {
    const visitor = at(CHOSEN);
    const version = async (path: string, headers = {}) => String((await visitor.visit(path, headers)).headers['x-version']);
    expect(await version('/shop')).toBe('shop/v1');
    expect([await version('/shop?perch=shop:canary'), await version('/shop/item')]).toEqual(['shop/v2', 'shop/v2']);
    expect([await version('/shop?a=1&perch=shop:stable'), await version('/shop')]).toEqual(['shop/v1', 'shop/v1']);
    await visitor.visit('/shop?perch=shop:auto');
    expect([...visitor.cookies.keys()].filter((name) => name.startsWith('perch'))).toEqual(['perch']);
    expect(await version('/shop?perch=other:canary')).toBe('shop/v1');
    expect(await version('/shop', { 'x-team': 'qa', 'x-region': 'eu-west' })).toBe('shop/v2');
    expect(await version('/shop', { 'x-team': 'qa' })).toBe('shop/v1');
  });

  test('ids from a header decide by their bucket, and nothing is issued', async () => {
    await inParallel(ALL_BUCKETS, 16, async (bucket) => {
      const visit = await at(TENANTS).get('/shop', { ...DOCUMENT, 'x-tenant-id': idInBucket(bucket, 6) });
      expect([bucket, visit.headers['x-version'], idOf(visit) ?? []]).toEqual([bucket, bucket < 0x800 ? 'shop/v2' : 'shop/v1', []]);
    });
    expect((await at(TENANTS).get('/shop', DOCUMENT)).headers['x-version']).toBe('shop/v1');
  });

  test.each([
    [NOBODY, 'shop/v1'],
    [EVERYBODY, 'shop/v2'],
  ])('at its ends, $name: known or new', async (form, version) => {
    await inParallel(Array.from({ length: 200 }), 16, async () => {
      const visitor = at(form);
      const first = await visitor.visit('/shop');
      expect(visitor.cookies.has('perch')).toBe(true);
      const second = await visitor.visit('/shop');
      expect([first, second].map(({ headers }) => headers['x-version'])).toEqual([version, version]);
    });
  });
});

test('the translation to Envoy refuses what it does not know', () => {
  const rule = { name: 'slow', fault: {}, route: [{ destination: { host: 'shop' } }] };
  expect(() => envoyRoutes(virtualService('shop', { hosts: ['*'], http: [rule] }))).toThrow(/fault/);
});
