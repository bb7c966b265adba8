import { afterEach, describe, expect, test } from 'vitest';
import type { VirtualServiceSpec } from '../../src/core/istio/resources.ts';
import { wovenReleases } from '../../src/core/weave/unweave.ts';
import { istio } from '../harness/istio-object.ts';
import type { Visitor } from '../harness/visitor.ts';
import { EDGE, type Page, releaseOf, routesOf, SERVICES, type ServiceName, Shop, toVersion } from './shop.ts';

// Three services of one shop are released at the same time; their visitors have one id, which one VirtualService issues.

let shop: Shop;

afterEach(() => shop.close());

const OWN = { web: { cohort: 0 }, details: { cohort: 1 }, ratings: { cohort: 2 } } as const;

async function start(spec: (name: ServiceName) => object): Promise<void> {
  shop = await Shop.open(7);
  await shop.apply(...SERVICES.map((name) => releaseOf(name, spec(name))));
  for (const name of SERVICES) await shop.reach(name, { phase: 'Paused', weight: 10 });
}

/** A page for each; every part of it as arithmetic says, and none back from the new version to the old one. */
async function round(visitors: readonly Visitor[], before: readonly Page[] = []): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (const [index, visitor] of visitors.entries()) {
    const page = await shop.visit(visitor, index % 3 === 0 ? '/cart' : '/');
    expect(page).toEqual(await shop.expected(visitor));
    for (const name of SERVICES) if (before[index]?.[name] === 'v2') expect([name, page[name]]).toEqual([name, 'v2']);
    pages.push(page);
  }
  return pages;
}

const share = (pages: readonly Page[], name: ServiceName) => pages.filter((page) => page[name] === 'v2').length / pages.length;

describe('releases that share an edge', () => {
  test('go their own ways: one id, each step moves its own visitors, and a rollback or a deletion nobody else’s', async () => {
    await start((name) => OWN[name]);
    const visitors = shop.visitors(150);
    let pages = await round(visitors);
    const ids = visitors.map((visitor) => visitor.cookies.get('perch'));
    expect(new Set(ids).size).toBe(visitors.length);

    await shop.ask('details', 'promote', { phase: 'Paused', weight: 30 });
    pages = await round(visitors, pages);
    await shop.ask('web', 'promote', { phase: 'Paused', weight: 30 });
    await shop.ask('web', 'promote', { phase: 'Paused', weight: 60 });
    pages = await round(visitors, pages);
    // Fixed seed: 10, 30 and 60 % within 3.3 sd of 150 visitors.
    for (const [name, weight] of [
      ['ratings', 0.1],
      ['details', 0.3],
      ['web', 0.6],
    ] as const) {
      expect(Math.abs(share(pages, name) - weight)).toBeLessThan(3.3 * Math.sqrt((weight * (1 - weight)) / visitors.length));
    }
    expect(wovenReleases((await shop.object('shop')).served).toSorted()).toEqual(['default/details', 'default/ratings', 'default/web']);

    await shop.ask('ratings', 'rollback', { phase: 'RolledBack' });
    pages = await round(
      visitors,
      pages.map((page) => ({ ...page, ratings: 'v1' })),
    );
    await shop.ask('web', 'promote', { phase: 'Paused', weight: 100 });
    await shop.ask('web', 'promote', { phase: 'Succeeded' });
    pages = await round(visitors, pages);
    expect(visitors.map((visitor) => visitor.cookies.get('perch'))).toEqual(ids);

    await shop.delete('web');
    for (const [index, visitor] of visitors.entries()) expect(await shop.visit(visitor)).toEqual(pages[index]);
  });

  test('leave nothing when the last one goes: the owner’s rules, at the live versions', async () => {
    await start((name) => OWN[name]);
    await shop.ask('web', 'rollback', { phase: 'RolledBack' });
    await shop.delete('details');
    expect(wovenReleases((await shop.object('shop')).served).toSorted()).toEqual(['default/ratings', 'default/web']);
    await shop.delete('ratings');
    expect(wovenReleases((await shop.object('shop')).served)).toEqual(['default/web']);
    await shop.delete('web');
    const { served } = await shop.object('shop');
    expect((served.spec as VirtualServiceSpec).http).toEqual((EDGE.spec as VirtualServiceSpec).http);
  });

  test('that have the same cohort move the same visitors: all new versions or none', async () => {
    await start(() => ({ cohort: 2 }));
    const visitors = shop.visitors(150);
    for (const weight of [10, 30, 60]) {
      if (weight > 10) for (const name of SERVICES) await shop.ask(name, 'promote', { phase: 'Paused', weight });
      const pages = await round(visitors);
      expect(pages.filter((page) => new Set(Object.values(page)).size > 1)).toEqual([]);
      expect(share(pages, 'web')).toBeGreaterThan(0);
    }
  });

  test('a base that its owner changes is woven for all of them at once', async () => {
    await start((name) => OWN[name]);
    const visitors = shop.visitors(60);
    const pages = await round(visitors);
    const spec = EDGE.spec as VirtualServiceSpec;
    await shop.apply({
      ...EDGE,
      spec: {
        ...spec,
        http: [
          {
            name: 'new',
            match: [{ uri: { prefix: '/new' } }],
            route: [{ destination: { host: 'web', subset: 'v1', port: { number: 9080 } } }],
          },
          ...(spec.http ?? []),
        ],
      },
    });
    await round(visitors, pages);
    const served = (await shop.object('shop')).served.spec as VirtualServiceSpec;
    const rules = (name: string) => served.http?.filter((rule) => rule.name?.endsWith(`:${name}`)).length;
    expect([rules('new'), rules('pages'), rules('cart')]).toEqual([17, 17, 17]);
  });

  test('one that cannot be woven into new rules keeps all of them in the last ones, and nobody’s rollback waits', async () => {
    await start((name) => OWN[name]);
    const visitors = shop.visitors(60);
    let pages = await round(visitors);
    const spec = EDGE.spec as VirtualServiceSpec;
    const to = (subset: string, weight: number) => ({ destination: { host: 'web', subset, port: { number: 9080 } }, weight });
    // `web` draws by itself now: its own release cannot, those behind it could.
    const drawing = { ...EDGE, spec: { ...spec, http: [{ name: 'drawn', route: [to('v1', 50), to('v2', 50)] }] } };
    await shop.apply(drawing);
    await expect.poll(async () => (await shop.status('web')).message).toContain('can be woven');
    await shop.comesToRest();
    pages = await round(visitors, pages);
    await shop.ask('details', 'promote', { phase: 'Paused', weight: 30 });
    pages = await round(visitors, pages);
    await shop.ask('details', 'rollback', { phase: 'RolledBack' });
    await round(visitors);

    await shop.ask('web', 'rollback', { phase: 'RolledBack' });
    await shop.comesToRest();
    for (const visitor of visitors) expect(await shop.visit(visitor)).toEqual(await shop.expected(visitor));
    await shop.apply(EDGE);
    await shop.ask('ratings', 'promote', { phase: 'Paused', weight: 30 });
    await shop.comesToRest();
    for (const visitor of visitors) expect(await shop.visit(visitor)).toEqual(await shop.expected(visitor));
  });

  test('one whose own routes are deleted stays as it was told, whoever weaves the edge, until they are back', async () => {
    await start((name) => OWN[name]);
    const visitors = shop.visitors(40);
    const pages = await round(visitors);
    await shop.deleteRoutes('details');
    await shop.ask('web', 'promote', { phase: 'Paused', weight: 30 });
    await shop.comesToRest();
    expect(wovenReleases((await shop.object('shop')).served).toSorted()).toEqual(['default/details', 'default/ratings', 'default/web']);
    await shop.apply(routesOf('details'));
    await shop.comesToRest();
    await round(visitors, pages);
  });
});

describe('releases that share a hop', () => {
  test('one that cannot be woven any more leaves its service at its live version, and the other goes on around it', async () => {
    shop = await Shop.open(8);
    for (const name of ['details', 'ratings']) await shop.deleteRoutes(name);
    const rule = (name: string) => ({ name, match: [{ authority: { prefix: name } }], route: [toVersion(name)] });
    const spec = { hosts: ['details', 'ratings'], http: [rule('details'), rule('ratings')] };
    await shop.apply(istio('VirtualService', 'inside', spec), {
      ...EDGE,
      metadata: { name: 'entry' },
      spec: { ...(EDGE.spec as object), hosts: ['entry.test'] },
    });
    const inside = (name: 'details' | 'ratings', issueAt: string) =>
      releaseOf(name, { route: { adopt: { virtualService: 'inside' } }, visitorId: { issueAt: { virtualService: issueAt } } });
    await shop.apply(inside('details', 'entry'), inside('ratings', 'shop'));
    for (const weight of [10, 30, 60, 100]) {
      await shop.reach('details', { phase: 'Paused', weight });
      await shop.ask('details', 'promote', weight === 100 ? { phase: 'Succeeded' } : { phase: 'Paused' });
    }
    await shop.deleteRoutes('entry');
    await shop.ask('ratings', 'promote', { phase: 'Paused', weight: 30 });
    await shop.comesToRest();
    const atLive = { ...rule('details'), route: [toVersion('details', 'v2')] };
    const inObject = async () => {
      const { served } = await shop.object('inside');
      return [wovenReleases(served), (served.spec as VirtualServiceSpec).http?.[0]];
    };
    expect(await inObject()).toEqual([['default/ratings'], atLive]);

    // It is to leave everyone at the version of the base, and waits since that has no endpoints: until then the other goes on around it.
    await shop.withdraw('details', 'v1');
    expect(await shop.restores('details')).toBe('waits');
    await shop.ask('ratings', 'promote', { phase: 'Paused', weight: 60 });
    await shop.comesToRest();
    expect(await inObject()).toEqual([['default/ratings'], atLive]);
  });
});
