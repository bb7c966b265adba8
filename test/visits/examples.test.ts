import { expect, it } from 'vitest';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { bucketDraw } from '../harness/bucket-draw.ts';
import { inParallel, Visitor } from '../harness/visitor.ts';
import { REVIEWS, withShop } from './released-page.ts';
import { startBookinfoShop } from './shop.ts';

const VISITORS = 200;

it.each(['delegate', 'managed'] as const)('examples/%s: Bookinfo with visitors who stay put, from 10 % to everyone', async (example) => {
  await withShop(startBookinfoShop(21, { example }), async (shop, agent) => {
    const visitors = Array.from({ length: VISITORS }, () => new Visitor(agent, shop.ingressPort));
    const look = async (): Promise<string> => {
      const seen = await inParallel(visitors, 24, async (visitor) => REVIEWS.version((await visitor.visit(REVIEWS.path)).body));
      return seen.join(' ');
    };
    await look();
    for (const weight of [10, 25, 50]) {
      const status =
        weight === 10 ? await shop.status() : await shop.ask('promote', (now) => now.phase === 'Paused' && now.weight === weight);
      const { cutoff, offset } = bucketDraw(status);
      const buckets = visitors.map(({ cookies }) => bucketOf(cookies.get('perch') ?? '', offset) ?? Number.NaN);
      expect(await look()).toBe(buckets.map((bucket) => (bucket < cutoff ? 'v2' : 'v1')).join(' '));
    }
    await shop.ask('promote', (now) => now.phase === 'Paused' && now.weight === 100);
    await shop.ask('promote', (now) => now.phase === 'Succeeded');
    expect(await look()).toBe(visitors.map(() => 'v2').join(' '));
  });
});
