import type { Agent } from 'node:http';
import { connections } from '../harness/visitor.ts';
import type { Shop } from './shop.ts';

/** A page of a shop, which tells what version of the released service answered. */
export interface ReleasedPage {
  readonly path: string;
  /** Undefined where the page does not tell. */
  version(body: string): string | undefined;
}

/** Bookinfo's reviews, as productpage passes them on. */
export const REVIEWS: ReleasedPage = { path: '/api/v1/products/0/reviews', version: (body) => /reviews-(v\d)-demo/.exec(body)?.[1] };
/** The service at the edge itself. */
export const WEB: ReleasedPage = { path: '/', version: (body) => /^(v\d)$/.exec(body)?.[1] };

/** Runs `live` in a shop, with connections to it, and closes both. */
export async function withShop(start: Promise<Shop>, live: (shop: Shop, agent: Agent) => Promise<void>): Promise<void> {
  const shop = await start;
  const agent = connections();
  try {
    await live(shop, agent);
  } finally {
    agent.destroy();
    await shop.close();
  }
}
