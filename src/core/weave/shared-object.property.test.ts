import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { BUCKETS, bucketOf, OFFSETS } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { ids, isDocument, requestsWith } from './arbitrary-requests.cases.ts';
import { virtualServices } from './arbitrary-routes.cases.ts';
import { gatewayOf, releaseOf, rulesOf, virtualService } from './fixtures.cases.ts';
import type { RoutePlan } from './plan.ts';
import { type ReferenceRequest, referenceRoute } from './reference-router.cases.ts';
import { servedRuleNames } from './rule-name.ts';
import { type Companion, weaveCompanions } from './shared-object.ts';
import { unweave } from './unweave.ts';
import { weaveRelease } from './weave-virtual-service.ts';

/** Several releases that issue one visitor id in one VirtualService: `web` is released in it, the others are called behind it. */

const SHOP = 'web';
const INSIDE = ['details', 'ratings', 'reviews'] as const;

const plans: fc.Arbitrary<RoutePlan> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ cutoff: fc.integer({ min: 0, max: BUCKETS }), offset: fc.constantFrom(...OFFSETS) })
      .map((draw) => ({ kind: 'split' as const, stable: { subset: 'v1' }, canary: { subset: 'v2' }, ...draw })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'settled' as const, live: { subset: 'v2' } }) },
);

function insideRelease(name: string): CanaryRelease {
  const route = { adopt: { virtualService: name } };
  return releaseOf({ service: { host: name, port: 8080 }, route, visitorId: { issueAt: { virtualService: SHOP } } }, name);
}

const tenants: fc.Arbitrary<readonly Companion[]> = fc
  .tuple(fc.option(plans, { nil: undefined }), fc.array(plans, { minLength: 1, maxLength: 3, size: 'max' }))
  .map(([web, inside]) => [
    ...(web === undefined ? [] : [{ release: releaseOf(), plan: web, former: [{ subset: 'v0' }] }]),
    ...inside.map((plan, index) => ({ release: insideRelease(INSIDE[index] ?? 'reviews'), plan, former: [] })),
  ]);

const gateways = [gatewayOf()];

/** The shop as one of the releases weaves it, the others being there; undefined where that one cannot be woven. */
function wovenBy(shop: KubeObject, tenant: Companion, all: readonly Companion[]): KubeObject | undefined {
  const { name } = tenant.release.metadata;
  const isWeb = name === SHOP;
  const inside = virtualService([{ route: [{ destination: { host: name, subset: 'v1' } }] }], { hosts: [name], gateways: undefined }, name);
  const { routes } = weaveRelease({
    ...tenant,
    routed: isWeb ? shop : inside,
    issuing: isWeb ? undefined : shop,
    gateways,
    siblings: [shop],
    companions: all.filter((each) => each !== tenant),
  });
  return routes[0]?.virtualService;
}

const requests = fc.array(requestsWith(ids.map((id) => `perch=${id}`)), { minLength: 10, maxLength: 10 });

describe('any releases that share an object', () => {
  it('make the same of it, whichever of them weaves and in whatever order they come', () => {
    let woven = 0;
    fc.assert(
      fc.property(virtualServices, tenants, (shop, all) => {
        const expected = weaveCompanions(shop, { siblings: [shop], gateways, companions: all });
        expect(weaveCompanions(shop, { siblings: [shop], gateways, companions: all.toReversed() })).toStrictEqual(expected);
        for (const tenant of all) {
          const object = wovenBy(shop, tenant, all);
          if (object === undefined) continue;
          expect(object).toStrictEqual(expected);
          woven += 1;
        }
      }),
      { seed: 53, numRuns: runs(300) },
    );
    expect(woven).toBeGreaterThan(atLeast(300));
  });

  it('leave the base when they are taken out', () => {
    fc.assert(
      fc.property(virtualServices, tenants, (shop, all) => {
        const served = weaveCompanions(shop, { siblings: [shop], gateways, companions: all });
        expect(unweave(served)).toEqual(shop);
        expect(weaveCompanions(served, { siblings: [shop], gateways, companions: all })).toStrictEqual(served);
      }),
      { seed: 54, numRuns: runs(500) },
    );
  });

  it('each divide visitors as if alone: stamps and destination by bucket < cutoff, one id for all', () => {
    const seen = { shared: 0, issued: 0, canaries: 0 };
    fc.assert(
      fc.property(virtualServices, tenants, requests, (shop, all, some) => {
        const served = weaveCompanions(shop, { siblings: [shop], gateways, companions: all });
        for (const request of some) expectAsAlone(served, all, { ...request, at: 'web', labels: {} }, seen);
      }),
      { seed: 55, numRuns: runs(500) },
    );
    expect(seen.shared).toBeGreaterThan(atLeast(500));
    expect(seen.issued).toBeGreaterThan(atLeast(100));
    expect(seen.canaries).toBeGreaterThan(atLeast(200));
  });
});

function expectAsAlone(
  served: KubeObject,
  all: readonly Companion[],
  request: ReferenceRequest,
  seen: { shared: number; issued: number; canaries: number },
): void {
  const taken = referenceRoute([served], request);
  const names = servedRuleNames(taken?.name);
  if (names.length === 0) return;
  seen.shared += names.length > 1 ? 1 : 0;
  const visitor = visitorIdFromCookies(request.headers['cookie'] ?? [], 'perch');
  const issues = JSON.stringify(taken).split('"Set-Cookie":"perch=').length - 1;
  expect(issues).toBe(visitor === undefined && isDocument(request) ? taken?.route?.length : 0);
  seen.issued += issues;
  const deciding = visitor ?? (issues > 0 ? request.headers['x-request-id']?.[0] : undefined);
  for (const { release, plan } of all) {
    const { name } = release.metadata;
    const part = names.find((each) => each.release === name);
    if (part === undefined || plan.kind !== 'split') continue;
    const expected: Cohort = deciding !== undefined && (bucketOf(deciding, plan.offset) ?? BUCKETS) < plan.cutoff ? 'canary' : 'stable';
    expect([name, part.cohort]).toEqual([name, expected]);
    seen.canaries += expected === 'canary' ? 1 : 0;
    for (const target of taken?.route ?? []) expectTarget(target, name, expected);
  }
}

function expectTarget({ destination, headers }: HTTPRouteDestination, release: string, cohort: Cohort): void {
  const stamps = (headers?.request?.add?.['baggage'] ?? '').split(',').filter((each) => each.startsWith(`perch.${release}=`));
  if (release === SHOP) expect(destination.subset).toBe(cohort === 'canary' ? 'v2' : 'v1');
  else expect(stamps).toEqual([`perch.${release}=${cohort}`]);
}

test('four independent draws are four conditions on the cookie, and on the request id of new visitors', () => {
  const companions = OFFSETS.map((offset, index): Companion => {
    const plan = { kind: 'split' as const, stable: { subset: 'v1' }, canary: { subset: 'v2' }, cutoff: 0x19a, offset };
    return { release: insideRelease(`service-${index}`), plan, former: [] };
  });
  const shop = virtualService([{ route: [{ destination: { host: 'front' } }] }]);
  const rules = rulesOf(weaveCompanions(shop, { siblings: [shop], gateways, companions }));
  expect(Object.keys(rules[0]?.match?.[0]?.headers ?? {})).toEqual(['cookie', 'Cookie', 'COokie', 'COOkie']);
  const asked = Object.keys(rules[16]?.match?.[1]?.headers ?? {});
  expect(asked).toEqual(['sec-fetch-mode', 'x-request-id', 'X-request-id', 'X-Request-id', 'X-REquest-id']);
});

describe('the size of an object that releases share', () => {
  const shop = virtualService([{ route: [{ destination: { host: 'front' } }] }]);
  const sharing = (count: number, cohort: 'same' | 'own') =>
    Array.from({ length: count }, (_, index): Companion => {
      const offset = cohort === 'same' ? 0 : (OFFSETS[index] ?? 0);
      const plan = { kind: 'split' as const, stable: { subset: 'v1' }, canary: { subset: 'v2' }, cutoff: 100 + index, offset };
      return { release: insideRelease(`service-${index}`), plan, former: [] };
    });
  const rulesWith = (companions: readonly Companion[]) => rulesOf(weaveCompanions(shop, { siblings: [shop], gateways, companions })).length;

  it('grows by two rules with each release of the same visitors', () => {
    const counts = [1, 2, 5, 15].map((count) => rulesWith(sharing(count, 'same')));
    expect(counts).toEqual([5, 7, 13, 33]);
  });

  it('doubles with each independent release, of which there are four at most', () => {
    expect([1, 2, 3, 4].map((count) => rulesWith(sharing(count, 'own')))).toEqual([5, 9, 17, 33]);
  });

  it('is bounded: a release that would divide visitors further does not start, and the finding names the others', () => {
    const [last, ...others] = sharing(16, 'same');
    const inside = virtualService(
      [{ route: [{ destination: { host: 'service-0', subset: 'v1' } }] }],
      { hosts: ['service-0'] },
      'service-0',
    );
    const input = { routed: inside, issuing: shop, gateways, siblings: [shop] };
    const { routes, diagnostics } = weaveRelease({ ...input, ...(last ?? expect.fail()), companions: others });
    expect(routes).toEqual([]);
    const found = diagnostics.filter(({ severity }) => severity === 'error');
    expect(found.map(({ code, path }) => [code, path])).toEqual([['PERCH2021', 'spec.cohort']]);
    expect(found[0]?.message).toContain('default/service-1, default/service-2');
    expect(weaveRelease({ ...input, ...(last ?? expect.fail()), companions: others.slice(1) }).routes).not.toEqual([]);
  });

  it('is that of one release where the others are finished: they tell nothing any more', () => {
    const [first, ...others] = sharing(15, 'same');
    const finished = others.map((each): Companion => ({ ...each, plan: { kind: 'settled', live: { subset: 'v2' } } }));
    const served = weaveCompanions(shop, {
      siblings: [shop],
      gateways,
      companions: [...(first === undefined ? [] : [first]), ...finished],
    });
    expect(rulesOf(served).map(({ name }) => name)).toEqual(
      ['known:canary', 'known:stable', 'new:canary', 'new:stable', 'rest:stable'].map((each) => `perch:default/service-0:${each}:+`),
    );
    expect(rulesWith(finished)).toBe(3);
  });
});
