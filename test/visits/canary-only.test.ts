import { describe, expect, it } from 'vitest';
import type { AffinityMode } from '../../src/demo/demo-manifests.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { inParallel, Visitor } from '../harness/visitor.ts';
import { REVIEWS, type ReleasedPage, WEB, withShop } from './released-page.ts';
import { type Shop, startBookinfoShop, startEdgeShop } from './shop.ts';

const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 1_000) / 2;
/** Bound on shares, in standard deviations of the binomial distribution. */
const SDS = 3.3;
const WEIGHT = 0.1;
/** The visitor who opens the most pages. */
const MOST_PAGES = 8;

/** Within the bound of what `count` draws with probability `chance` come to. */
function expectShare(found: number, count: number, chance: number): void {
  expect(Math.abs(found / count - chance)).toBeLessThan(SDS * Math.sqrt((chance * (1 - chance)) / count));
}

interface Reader {
  readonly visitor: Visitor;
  /** How many pages they open at this step. */
  readonly pages: number;
}

/** Every reader's versions, page by page. */
async function read(readers: readonly Reader[], page: ReleasedPage): Promise<string[][]> {
  return await inParallel(readers, 24, async ({ visitor, pages }) => {
    const seen: string[] = [];
    for (let count = 0; count < pages; count++) {
      const { status, body } = await visitor.visit(page.path);
      expect(status).toBe(200);
      seen.push(page.version(body) ?? `no version: ${body.slice(0, 200)}`);
    }
    return seen;
  });
}

/** Visitors who open one to eight pages each, at 10 %. */
function readersOf(shop: Shop, agent: ConstructorParameters<typeof Visitor>[0], seed: number): Reader[] {
  const random = seededRandom(seed);
  return Array.from({ length: VISITORS }, () => ({
    visitor: new Visitor(agent, shop.ingressPort),
    pages: 1 + Math.floor(random() * MOST_PAGES),
  }));
}

const chanceAfter = (draws: number): number => 1 - (1 - WEIGHT) ** draws;
const isOnCanary = (seen: readonly string[]): boolean => seen.at(-1) === 'v2';

const SHOPS: readonly (readonly [where: string, page: ReleasedPage, start: (seed: number, mode: AffinityMode) => Promise<Shop>])[] = [
  ['at the edge', WEB, startEdgeShop],
  [
    'of reviews behind productpage',
    REVIEWS,
    (seed, mode) => startBookinfoShop(seed, { mode, forward: ['cookie', 'x-request-id', 'baggage'] }),
  ],
];

describe(`${VISITORS} visitors of a release at 10 % in mode canaryOnly`, { timeout: 600_000 }, () => {
  it.each(SHOPS)('%s: a visitor who opens n pages ends on the canary with probability 1 - 0.9^n', async (_, page, start) => {
    await withShop(start(11, 'canaryOnly'), async (shop, agent) => {
      const readers = readersOf(shop, agent, 12);
      const seen = await read(readers, page);
      for (let pages = 1; pages <= MOST_PAGES; pages++) {
        const those = seen.filter((each) => each.length === pages);
        expectShare(those.filter(isOnCanary).length, those.length, chanceAfter(pages));
      }
      // Who has seen it keeps it; and a "10 %" release has reached far more.
      for (const each of seen) expect(each.join(' ')).toMatch(/^(?:v1 ?)*(?:v2 ?)*$/);
      const expected = readers.reduce((sum, { pages }) => sum + chanceAfter(pages), 0) / readers.length;
      expectShare(seen.filter(isOnCanary).length, seen.length, expected);
      expect(expected).toBeGreaterThan(0.34);
      // The two crowds are not alike: those on the canary open more pages.
      const mean = (crowd: readonly (readonly string[])[]): number => crowd.reduce((sum, { length }) => sum + length, 0) / crowd.length;
      expect(mean(seen.filter(isOnCanary))).toBeGreaterThan(mean(seen.filter((each) => !isOnCanary(each))) + 0.5);

      // A rollback reaches the holders of cookies at once, and takes the cookies.
      await shop.ask('rollback', (now) => now.phase === 'RolledBack');
      const after = await read(readers, page);
      expect(after.flat().filter((version) => version !== 'v1')).toEqual([]);
      expect(readers.filter(({ visitor }) => visitor.cookies.size > 0)).toEqual([]);
    });
  });

  it('the same visitors in mode visitor: 10 %, however many pages they open', async () => {
    await withShop(startEdgeShop(13), async (shop, agent) => {
      const seen = await read(readersOf(shop, agent, 12), WEB);
      const { cutoff = 0 } = await shop.status();
      expectShare(seen.filter(isOnCanary).length, seen.length, cutoff / 4096);
      expect(seen.filter((each) => new Set(each).size > 1)).toEqual([]);
    });
  });
});
