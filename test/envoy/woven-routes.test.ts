import { randomUUID } from 'node:crypto';
import type { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKETS, bucketOf, OFFSETS, type Offset } from '../../src/core/visitor/bucket.ts';
import { connections, type Visit, Visitor } from '../harness/visitor.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { type RunningEnvoy, startEnvoy } from './envoy-process.ts';
import { clusterName, envoyRoutes } from './istio-routes.ts';
import { httpListener, staticCluster } from './static-config.ts';
import { startVersionServer, type VersionServer } from './version-server.ts';
import { wovenAtEdge, wovenInside } from './woven-shop.ts';

const DOCUMENT = { accept: 'text/html,*/*;q=0.8' };

/** One release per draw: 10 %, one bucket, half, all but one bucket. */
const RELEASES: readonly (readonly [offset: Offset, cutoff: number])[] = [
  [0, 0x19a],
  [3, 1],
  [6, 0x800],
  [9, 0xfff],
];

function versionFor(id: string, offset: Offset, cutoff: number): string {
  return (bucketOf(id, offset) ?? BUCKETS) < cutoff ? 'v2' : 'v1';
}

/** A random id with this bucket in this draw. */
function idInBucket(bucket: number, offset: Offset): string {
  const id = randomUUID();
  const at = id.length - 12 + offset;
  return id.slice(0, at) + bucket.toString(16).padStart(3, '0') + id.slice(at + 3);
}

/** Runs many requests, some at a time. */
async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const item of left) await run(item);
    }),
  );
}

describeWithEnvoy('woven routes in a real Envoy', (executable) => {
  let servers: VersionServer[];
  let envoy: RunningEnvoy;
  let agent: Agent;

  const at = (listener: string) => new Visitor(agent, envoy.port(listener));

  beforeAll(async () => {
    agent = connections(16);
    servers = await Promise.all(['v1', 'v2', 'other', 'page'].map(startVersionServer));
    const inside = wovenInside(['baggage', 'cookie', 'requestId'], 0x19a, 0);
    const clusters = [{ host: 'shop', subset: 'v1' }, { host: 'shop', subset: 'v2' }, { host: 'other' }, { host: 'page' }].map(
      (destination, index) => staticCluster(clusterName({ ...destination, port: { number: 8080 } }, 'default'), servers[index]?.port ?? 0),
    );
    const listeners = [
      ...RELEASES.map(([offset, cutoff]) =>
        httpListener(`draw-${offset}`, envoyRoutes(wovenAtEdge(cutoff, offset)), { requestId: 'preserve' }),
      ),
      httpListener('edge', envoyRoutes(wovenAtEdge(0x19a, 0))),
      httpListener('nobody', envoyRoutes(wovenAtEdge(0, 0))),
      httpListener('everybody', envoyRoutes(wovenAtEdge(BUCKETS, 0))),
      httpListener('page', envoyRoutes(inside.page)),
      httpListener('mesh', envoyRoutes(inside.shop), { requestId: 'preserve' }),
      httpListener('mesh-default', envoyRoutes(wovenInside(['baggage', 'cookie'], 0x19a, 0).shop), { requestId: 'preserve' }),
    ];
    envoy = await startEnvoy(executable, { listeners, clusters });
  });

  afterAll(async () => {
    await envoy?.stop();
    agent?.destroy();
    await Promise.all((servers ?? []).map((server) => server.stop()));
  });

  describe.each(RELEASES)('an edge release at offset %i and cutoff %i', (offset, cutoff) => {
    test('sends every one of the 4096 buckets where arithmetic says, and issues nothing to those who have an id', async () => {
      await eachOf(
        Array.from({ length: BUCKETS }, (_, bucket) => bucket),
        async (bucket) => {
          const id = idInBucket(bucket, offset);
          const path = bucket % 2 === 0 ? '/shop/item?q=1' : '/basket?q=1';
          const { headers } = await at(`draw-${offset}`).get(path, { ...DOCUMENT, cookie: `theme=dark; perch=${id}; last=1` });
          expect([id, headers['x-version'], headers['set-cookie']]).toEqual([id, bucket < cutoff ? 'v2' : 'v1', undefined]);
        },
      );
    });

    test('gives 1000 new visitors their request id as their visitor id, once, with the version it decides', async () => {
      const ids = Array.from({ length: 1000 }, (_, index) =>
        index < 16 ? idInBucket(Math.max(0, cutoff - 8 + index) % BUCKETS, offset) : randomUUID(),
      );
      await eachOf(ids, async (id) => {
        const { headers } = await at(`draw-${offset}`).get('/shop', { ...DOCUMENT, cookie: 'theme=dark', 'x-request-id': id });
        expect([id, headers['x-version']]).toEqual([id, versionFor(id, offset, cutoff)]);
        // Envoy writes the reason of a trace decision into the version digit; the last group stays (DESIGN, section 2).
        expect(headers['set-cookie']).toEqual([`perch=${headers['x-seen-request-id']}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`]);
        expect(String(headers['x-seen-request-id']).slice(-12)).toBe(id.slice(-12));
        expect(headers['cache-control']).toBe('max-age=60,private');
      });
    });
  });

  test('an edge draws ids itself: 500 first visits and their returns agree, whatever request id a client sends', async () => {
    const canary = idInBucket(0, 0);
    const versions: string[] = [];
    await eachOf(Array.from({ length: 500 }), async () => {
      const visitor = at('edge');
      const first = await visitor.visit('/shop', { 'x-request-id': canary });
      const id = visitor.cookies.get('perch') ?? '';
      expect(id).not.toBe(canary);
      expect(first.headers['x-version']).toBe(versionFor(id, 0, 0x19a));
      const second = await visitor.visit('/basket');
      expect(second.headers['set-cookie']).toBeUndefined();
      expect(second.headers['x-version']).toBe(first.headers['x-version']);
      versions.push(String(first.headers['x-version']));
    });
    const share = versions.filter((version) => version === 'v2').length / 500;
    // Five standard deviations: Envoy draws, so there is no seed.
    expect(Math.abs(share - 0x19a / BUCKETS)).toBeLessThan(5 * Math.sqrt((0.1 * 0.9) / 500));
  });

  test('clients without an id that do not ask for a page are on stable and get none', async () => {
    await eachOf(Array.from({ length: 200 }), async () => {
      const { headers } = await at('edge').get('/shop/picture.png', { accept: 'image/*' });
      expect([headers['x-version'], headers['set-cookie']]).toEqual(['v1', undefined]);
    });
  });

  test.each([
    ['attributes', 'x; Domain=evil.test; x-000000000000'],
    ['no last group', '1234'],
    ['capitals', randomUUID().toUpperCase()],
    ['a line of its own', 'g-000000000000'],
  ])('nothing but an id reaches a Set-Cookie, even where request ids are kept: %s', async (_, requestId) => {
    const { headers } = await at('draw-0').get('/shop', { ...DOCUMENT, 'x-request-id': requestId });
    expect([headers['x-version'], headers['set-cookie']]).toEqual(['v1', undefined]);
  });

  test('cutoff 0 is nobody, cutoff 4096 everybody, known or new', async () => {
    await eachOf(Array.from({ length: 200 }), async () => {
      for (const [listener, version] of [
        ['nobody', 'v1'],
        ['everybody', 'v2'],
      ] as const) {
        const visitor = at(listener);
        expect((await visitor.visit('/shop')).headers['x-version']).toBe(version);
        expect(visitor.cookies.has('perch')).toBe(true);
        expect((await visitor.visit('/shop')).headers['x-version']).toBe(version);
      }
    });
  });

  test('rules that no release concerns answer as before, and unknown paths 404', async () => {
    const other = await at('edge').visit('/other');
    expect([other.headers['x-version'], other.headers['set-cookie']]).toEqual(['other', undefined]);
    expect((await at('edge').visit('/nowhere')).status).toBe(404);
  });

  describe('a service behind an entry page', () => {
    async function firstPage(visitor: Visitor): Promise<{ page: Visit; id: string }> {
      const page = await visitor.visit('/page');
      return { page, id: visitor.cookies.get('perch') ?? '' };
    }

    test.each([
      ['baggage', (page: Visit) => ({ baggage: `app=1,${page.headers['x-seen-baggage']}` })],
      ['the request id', (page: Visit) => ({ 'x-request-id': String(page.headers['x-seen-request-id']) })],
    ])('obeys on the first page by %s, 300 times', async (_, forwarded) => {
      await eachOf(Array.from({ length: 300 }), async () => {
        const { page, id } = await firstPage(at('page'));
        const inside = await at('mesh').get('/reviews/0', forwarded(page));
        expect([id, inside.headers['x-version']]).toEqual([id, versionFor(id, 0, 0x19a)]);
      });
    });

    test('obeys at every return by the cookie, also in each of 4096 buckets', async () => {
      await eachOf(
        Array.from({ length: BUCKETS }, (_, bucket) => bucket),
        async (bucket) => {
          const cookie = `perch=${idInBucket(bucket, 0)}`;
          const inside = await at('mesh').get('/reviews/0', { cookie, 'x-request-id': randomUUID() });
          expect([bucket, inside.headers['x-version']]).toEqual([bucket, bucket < 0x19a ? 'v2' : 'v1']);
        },
      );
    });

    test('keeps everyone on stable where the entry forwards nothing, although the mesh draws a request id', async () => {
      await eachOf(Array.from({ length: 200 }), async () => {
        expect((await at('mesh-default').get('/reviews/0')).headers['x-version']).toBe('v1');
      });
    });
  });
});

test('the translation to Envoy refuses what it does not know', () => {
  const woven = wovenAtEdge(0x19a, OFFSETS[0] ?? 0);
  const [first] = woven.spec.http ?? [];
  expect(() => envoyRoutes({ ...woven, spec: { http: [{ ...first, fault: {} } as never] } })).toThrow(/fault/);
});
