import type { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { inParallel, Visitor } from '../harness/visitor.ts';
import { REVIEWS, type ReleasedPage, WEB, withShop } from './released-page.ts';
import { type Shop, startBookinfoShop, startEdgeShop } from './shop.ts';

/** 20,000 in `npm run test:all`; fewer in `npm test`, which has to be quick. The bounds follow from the number. */
const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 400);
/** Bound on the share of visitors, in standard deviations of the binomial distribution with the cutoff's probability. */
const SDS = 3.3;

/** One page for each visitor; the versions they saw, in their order. */
async function round(visitors: readonly Visitor[], page: ReleasedPage, width = 24): Promise<string[]> {
  return await inParallel(visitors, width, async (visitor) => {
    const { status, body } = await visitor.visit(page.path);
    expect(status).toBe(200);
    return page.version(body) ?? `no version: ${body.slice(0, 200)}`;
  });
}

/** What arithmetic says of visitors that hold their ids. */
function expected(visitors: readonly Visitor[], { cutoff, offset }: { cutoff: number; offset: 0 | 3 | 6 | 9 }): string[] {
  return visitors.map((visitor) => {
    const bucket = bucketOf(visitor.cookies.get('perch') ?? '', offset);
    if (bucket === undefined) throw new Error('a visitor without an id');
    return bucket < cutoff ? 'v2' : 'v1';
  });
}

/** How many standard deviations the share on v2 is from the cutoff's. */
function deviation(seen: readonly string[], cutoff: number): number {
  const share = cutoff / 4096;
  const sd = Math.sqrt((share * (1 - share)) / seen.length);
  const found = seen.filter((version) => version === 'v2').length / seen.length;
  return sd === 0 ? Math.abs(found - share) * Number.POSITIVE_INFINITY || 0 : Math.abs(found - share) / sd;
}

function countWrong(seen: readonly string[], wanted: readonly string[]): number {
  return seen.filter((version, index) => version !== wanted[index]).length;
}

/**
 * The whole life of a release under its visitors: first visits at 10 %, returns at each wider step, and after a rollback. First visits come one by one
 * (`width` 1) where internal hops draw request ids from the same seeded source: else the order of requests decides who gets which.
 */
async function liveThrough(shop: Shop, agent: Agent, page: ReleasedPage, width = 24): Promise<void> {
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(agent, shop.ingressPort));
  let draw = bucketDraw(await shop.status());

  let before = await round(visitors, page, width);
  expect(new Set(visitors.map((visitor) => visitor.cookies.get('perch'))).size).toBe(VISITORS);
  expect(countWrong(before, expected(visitors, draw))).toBe(0);
  expect(deviation(before, draw.cutoff)).toBeLessThan(SDS);

  for (const weight of [10, 25, 50, 100]) {
    if (weight > 10) {
      draw = bucketDraw(await shop.ask('promote', (now) => now.phase === 'Paused' && now.weight === weight));
    }
    const now = await round(visitors, page);
    expect(countWrong(now, expected(visitors, draw))).toBe(0);
    expect(deviation(now, draw.cutoff)).toBeLessThan(SDS);
    const flippedBack = now.filter((version, index) => version === 'v1' && before[index] === 'v2');
    expect(flippedBack).toHaveLength(0);
    before = now;
  }

  await shop.ask('rollback', (now) => now.phase === 'RolledBack');
  const after = await round(visitors, page);
  expect(after.filter((version) => version !== 'v1')).toHaveLength(0);
}

describe(`${VISITORS} visitors, from 10 to 25, 50 and 100 %, then rolled back: shares as asked, 0 wrong, 0 flip back`, {
  timeout: 900_000,
}, () => {
  it('at the edge', async () => {
    await withShop(startEdgeShop(1), (shop, agent) => liveThrough(shop, agent, WEB));
  });

  it('of reviews behind productpage, which forwards what Bookinfo forwards', async () => {
    await withShop(startBookinfoShop(2), (shop, agent) => liveThrough(shop, agent, REVIEWS));
  });

  it('of reviews behind an entry service that forwards only baggage', async () => {
    await withShop(startBookinfoShop(3, { forward: ['baggage'], propagate: ['baggage', 'cookie'] }), (shop, agent) =>
      liveThrough(shop, agent, REVIEWS, 1),
    );
  });

  it('of reviews behind an entry service that forwards only what Bookinfo of Istio forwards, without baggage', async () => {
    await withShop(startBookinfoShop(4, { forward: ['cookie', 'x-request-id'] }), (shop, agent) => liveThrough(shop, agent, REVIEWS));
  });

  it('behind an entry service that forwards nothing, all stay on stable', async () => {
    await withShop(startBookinfoShop(5, { forward: [], propagate: ['baggage', 'cookie'] }), async (shop, agent) => {
      const visitors = Array.from({ length: VISITORS }, () => new Visitor(agent, shop.ingressPort));
      await shop.ask('promote', (now) => now.phase === 'Paused' && now.weight === 25);
      for (const visit of ['first', 'return']) {
        const seen = await round(visitors, REVIEWS);
        expect(
          seen.filter((version) => version !== 'v1'),
          visit,
        ).toHaveLength(0);
      }
    });
  });
});
