import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { startWebScene, type WebScene } from '../harness/web-scene.ts';

// Who else is on the canary: those whom the release picks, those who chose, and tenants whose id comes with a header.

let scene: WebScene;
let agent: ReturnType<typeof connections>;

beforeEach(() => {
  agent = connections();
});
afterEach(async () => {
  agent.destroy();
  await scene.close();
});

const newVisitor = () => new Visitor(agent, scene.ingressPort);
const versionFor = async (visitor: Visitor, path = '/', headers: Readonly<Record<string, string>> = {}) => {
  const { status, body } = await visitor.visit(path, headers);
  expect(status).toBe(200);
  return body;
};
const STEPS = [
  { match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: 'manual' },
  { match: [{ headers: { 'x-team': { exact: 'beta' }, 'x-region': { prefix: 'eu' } } }], hold: 'manual' },
  { weight: 50, hold: 'manual' },
  { weight: 100, hold: 'manual' },
];
const QA = { 'x-team': 'qa' };
const BETA = { 'x-team': 'beta', 'x-region': 'eu-west' };

describe('steps that pick', () => {
  test('a team comes first, others join it, and all of them stay when the ramp begins', async () => {
    scene = await startWebScene(31, { steps: STEPS });
    const everyone = Array.from({ length: 30 }, newVisitor);
    const seen = (headers = {}) => Promise.all(everyone.map((visitor) => versionFor(visitor, '/', headers)));
    expect(new Set(await seen())).toEqual(new Set(['v1']));
    expect(new Set(await seen(QA))).toEqual(new Set(['v2']));
    expect(new Set(await seen(BETA))).toEqual(new Set(['v1']));
    expect((await scene.status()).message).toContain('step 1 of 4: those picked by header x-team on v2');

    await scene.promote();
    expect(new Set(await seen(BETA))).toEqual(new Set(['v2']));
    expect(new Set(await seen({ ...BETA, 'x-region': 'us' }))).toEqual(new Set(['v1']));
    expect(new Set(await seen(QA))).toEqual(new Set(['v2']));

    await scene.promote();
    const { cutoff = 0, offset = 0 } = await scene.status();
    const drawn = everyone.map(({ cookies }) => ((bucketOf(cookies.get('perch') ?? '', offset) ?? 4096) < cutoff ? 'v2' : 'v1'));
    expect(await seen()).toEqual(drawn);
    expect(new Set(drawn)).toEqual(new Set(['v1', 'v2']));
    expect(new Set(await seen(QA))).toEqual(new Set(['v2']));
    // Who is picked was not drawn: those who asked with the header are counted by what the others saw of them.
    const onCanary = drawn.filter((version) => version === 'v2').length;
    expect((await scene.release()).exposure).toMatchObject({ visitors: { total: everyone.length, canary: onCanary } });

    await scene.rollBack();
    expect(new Set(await seen(QA))).toEqual(new Set(['v1']));
  });

  test('API clients are picked by their header without a cookie, and get none', async () => {
    scene = await startWebScene(32, { steps: STEPS });
    const client = newVisitor();
    expect((await client.get('/', QA)).body).toBe('v2');
    expect((await client.get('/')).body).toBe('v1');
    expect([...client.cookies]).toEqual([]);
  });
});

describe('links of opt-in', () => {
  const link = (choice: string) => `/?perch=web:${choice}`;

  test('a visitor chooses the canary or stable, keeps that, and takes it back', async () => {
    scene = await startWebScene(33, { optIn: {} });
    const { cutoff = 0, offset = 0 } = await scene.status();
    for (const visitor of Array.from({ length: 12 }, newVisitor)) {
      await visitor.visit('/');
      const drawn = (bucketOf(visitor.cookies.get('perch') ?? '', offset) ?? 4096) < cutoff ? 'v2' : 'v1';
      expect(await versionFor(visitor, link('canary'))).toBe('v2');
      expect([await versionFor(visitor), await versionFor(visitor, '/other')]).toEqual(['v2', 'v2']);
      expect(await versionFor(visitor, link('stable'))).toBe('v1');
      expect(await versionFor(visitor)).toBe('v1');
      await visitor.visit(link('auto'));
      expect([...visitor.cookies.keys()]).toEqual(['perch']);
      expect(await versionFor(visitor)).toBe(drawn);
    }
  });

  test('says nothing to others: another release’s name, another value, or no opt-in at all', async () => {
    scene = await startWebScene(34, { optIn: { parameter: 'try' } });
    const visitor = newVisitor();
    const drawn = await versionFor(visitor);
    for (const path of ['/?perch=web:canary', '/?try=other:canary', '/?try=web:v2', '/?try=web', '/?q=try=web:canary']) {
      expect([path, await versionFor(visitor, path)]).toEqual([path, drawn]);
      expect([...visitor.cookies.keys()]).toEqual(['perch']);
    }
  });

  test('answers that carry a choice are nobody else’s: shared caches keep none', async () => {
    scene = await startWebScene(35, { optIn: {} });
    const { headers } = await newVisitor().visit(link('canary'));
    expect(headers['cache-control']).toContain('private');
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^perch-opt-web=canary-[0-9a-f]{8}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
  });

  test('is taken back from all by taking it out, and ends with a rollback', async () => {
    scene = await startWebScene(36, { optIn: {} });
    const { cutoff = 0, offset = 0 } = await scene.status();
    const visitors = Array.from({ length: 12 }, newVisitor);
    for (const visitor of visitors) {
      await visitor.visit('/');
      expect(await versionFor(visitor, link('canary'))).toBe('v2');
    }
    await scene.change({ optIn: undefined });
    for (const visitor of visitors) {
      const drawn = (bucketOf(visitor.cookies.get('perch') ?? '', offset) ?? 4096) < cutoff ? 'v2' : 'v1';
      expect(await versionFor(visitor)).toBe(drawn);
    }
    await scene.change({ optIn: {} });
    expect(await versionFor(visitors[0] ?? expect.fail())).toBe('v2');
    await scene.rollBack();
    for (const visitor of visitors) expect(await versionFor(visitor)).toBe('v1');
  });
});

describe('ids that come with a header', () => {
  test('phone, laptop and API client of one tenant agree, by arithmetic, and no cookie is set', async () => {
    scene = await startWebScene(37, { visitorId: { from: { header: 'x-tenant-id' } } });
    const { cutoff = 0, offset = 0 } = await scene.status();
    const seen = new Set<string>();
    for (let tenant = 0; tenant < 40; tenant++) {
      const headers = { 'x-tenant-id': randomUUID() };
      const [phone, laptop] = [newVisitor(), newVisitor()];
      const pages = [
        await versionFor(phone, '/', headers),
        await versionFor(laptop, '/', headers),
        (await laptop.get('/api', headers)).body,
      ];
      const expected = (bucketOf(headers['x-tenant-id'], offset) ?? 4096) < cutoff ? 'v2' : 'v1';
      expect(pages).toEqual([expected, expected, expected]);
      expect([...phone.cookies, ...laptop.cookies]).toEqual([]);
      seen.add(expected);
    }
    expect(seen).toEqual(new Set(['v1', 'v2']));
    expect((await scene.release()).exposure).toMatchObject({ visitors: { total: 40 } });
  });

  test.each([
    ['none', undefined],
    ['an upper-case one', '3F2A9C1E-7B54-4D21-9E0A-00000000000A'],
    ['no UUID', 'acme'],
    ['two in one', '3f2a9c1e-7b54-4d21-9e0a-000000000000,3f2a9c1e-7b54-4d21-9e0a-000000000000'],
  ])('others are on stable: %s', async (_what, id) => {
    scene = await startWebScene(38, { visitorId: { from: { header: 'x-tenant-id' } } });
    expect(await versionFor(newVisitor(), '/', id === undefined ? {} : { 'x-tenant-id': id })).toBe('v1');
  });
});
