import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveHost } from '../istio/names.ts';
import type { HTTPRoute, HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { Version } from '../release/canary-release.ts';
import { cookies, inCanaryOnly } from './arbitrary-draws.cases.ts';
import { beforeAndAfter, FORMS } from './arbitrary-inputs.cases.ts';
import { isDocument, requestsWith } from './arbitrary-requests.cases.ts';
import type { DrawPlan } from './plan.ts';
import { type ReferenceRequest, referenceRoute } from './reference-router.cases.ts';
import { servedRuleNames } from './rule-name.ts';
import type { WeaveInput } from './weave-virtual-service.ts';

/** Where arbitrary visitors end in `affinity.mode: canaryOnly`: with which chance, and with which cookie. */

const held = fc.oneof(
  { weight: 4, arbitrary: cookies.map(({ name, value }) => `${name}=${value}`) },
  { weight: 1, arbitrary: fc.constantFrom('perch-web=v2-00000000', 'xperch-web=v2-5c1f0e9b', 'perch-web=v2-5c1f0e9bx') },
);
const tenRequests = fc.array(requestsWith(held), { minLength: 10, maxLength: 10 });

describe.each(FORMS)('any request that is drawn: %s', (_form, forms) => {
  const inputs = inCanaryOnly(forms);

  it('at the edge: who holds the cookie is on the canary; everyone else is drawn with exactly the weight, at gateways only', () => {
    const seen = { holds: 0, drawn: 0, mesh: 0, settled: 0 };
    const edges = inputs.filter(({ issuing }) => issuing === undefined);
    fc.assert(
      fc.property(edges, tenRequests, (input, all) => {
        const { after } = beforeAndAfter(input);
        for (const each of all) {
          const request = { ...each, labels: {} };
          const taken = takenBy(after, request);
          if (taken !== undefined) seen[expectAtEdge(input, taken, request)]++;
        }
      }),
      { seed: 31, numRuns: runs(1_000) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(atLeast(30));
  });

  it('at the entry of an internal service: documents are drawn, where they lead stays, and all are told', () => {
    const seen = { holds: 0, drawn: 0, rest: 0 };
    const internal = inputs.filter(({ issuing, plan }) => issuing !== undefined && plan.kind === 'draw');
    fc.assert(
      fc.property(internal, tenRequests, (input, all) => {
        const entries = beforeAndAfter(input).after.filter(({ metadata }) => metadata.name === 'entry');
        for (const each of all) {
          const request = { ...each, labels: {} };
          const taken = takenBy(entries, request);
          if (taken !== undefined) seen[expectAtEntry(input, taken, request)]++;
        }
      }),
      { seed: 37, numRuns: runs(1_000) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(atLeast(30));
  });

  it('inside: what the gateway told decides, then the cookie, else stable; nothing is drawn twice', () => {
    const seen = { told: 0, holds: 0, rest: 0 };
    const internal = inputs.filter(({ issuing, plan }) => issuing !== undefined && plan.kind === 'draw');
    fc.assert(
      fc.property(internal, tenRequests, (input, all) => {
        const inside = beforeAndAfter(input).after.filter(({ metadata }) => metadata.name !== 'entry');
        for (const each of all) {
          const request = { ...each, at: 'mesh', labels: {} };
          const taken = takenBy(inside, request);
          if (taken !== undefined) seen[expectInside(input, taken, request)]++;
        }
      }),
      { seed: 41, numRuns: runs(1_500) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(atLeast(30));
  });
});

/** The woven rule that takes the request; undefined where another does, or none. */
function takenBy(objects: readonly KubeObject[], request: ReferenceRequest): HTTPRoute | undefined {
  const taken = referenceRoute(objects, request);
  return servedRuleNames(taken?.name)[0] === undefined ? undefined : taken;
}

function expectAtEdge({ plan }: WeaveInput, taken: HTTPRoute, request: ReferenceRequest): 'holds' | 'drawn' | 'mesh' | 'settled' {
  if (plan.kind === 'split') throw new Error('not drawn');
  const cookie = plan.kind === 'draw' ? plan.cookie : plan.expires;
  const pair = `${cookie?.name}=${cookie?.value}`;
  const given = `${pair}; Max-Age=${cookie?.maxAge}`;
  const outcomes = outcomesOf(taken);
  const holds = holdsCookie(request, pair);
  if (plan.kind === 'settled') {
    expect(outcomes).toEqual([{ chance: 1, ...led(plan.live), cookie: holds ? `${pair}; Max-Age=-1` : undefined }]);
    return 'settled';
  }
  if (holds) {
    expect(outcomes).toEqual([{ chance: 1, ...led(plan.canary), cookie: isDraw(taken) ? given : undefined }]);
    // The draw takes holders too once it has one end only.
    expect(isDraw(taken) && plan.weight < 100).toBe(false);
    return 'holds';
  }
  if (request.at === 'mesh') {
    expect(outcomes).toEqual([{ chance: 1, ...led(plan.stable), cookie: undefined }]);
    return 'mesh';
  }
  const canary = { chance: expect.closeTo(plan.weight / 100, 9), ...led(plan.canary), cookie: given };
  const stable = { chance: expect.closeTo(1 - plan.weight / 100, 9), ...led(plan.stable), cookie: undefined };
  expect(outcomes).toEqual(plan.weight < 100 ? [stable, canary] : [canary]);
  return 'drawn';
}

function expectAtEntry({ plan, release }: WeaveInput, taken: HTTPRoute, request: ReferenceRequest): 'holds' | 'drawn' | 'rest' {
  const { cookie, weight } = plan as DrawPlan;
  const pair = `${cookie.name}=${cookie.value}`;
  const stamps = release.spec.visitorId.propagate.includes('baggage');
  const told = (taken.route ?? []).map(({ headers }) => /perch\.web=(\w+)$/.exec(headers?.request?.add?.['baggage'] ?? '')?.[1]);
  const expected = holdsCookie(request, pair)
    ? ['canary']
    : request.at !== 'mesh' && isDocument(request)
      ? ['stable', 'canary']
      : ['stable'];
  expect(told).toEqual(expected.map((cohort) => (stamps ? cohort : undefined)));
  const [first, second] = taken.route ?? [];
  if (second === undefined) {
    expect(setCookieOf(first)).toBeUndefined();
    return expected[0] === 'canary' ? 'holds' : 'rest';
  }
  expect([setCookieOf(first), setCookieOf(second)]).toEqual([undefined, `${pair}; Max-Age=${cookie.maxAge}; Path=/`]);
  expect(second.destination).toEqual(first?.destination);
  const sum = (first?.weight ?? 0) + (second.weight ?? 0);
  expect((second.weight ?? 0) / sum).toBeCloseTo(weight / 100, 9);
  return 'drawn';
}

function expectInside({ plan, release }: WeaveInput, taken: HTTPRoute, request: ReferenceRequest): 'told' | 'holds' | 'rest' {
  const { cookie, stable, canary } = plan as DrawPlan;
  const ways = new Set(release.spec.visitorId.propagate);
  const said = ways.has('baggage') ? /perch\.web=(canary|stable)(?!\w)/.exec(request.headers['baggage']?.[0] ?? '')?.[1] : undefined;
  const holds = ways.has('cookie') && holdsCookie(request, `${cookie.name}=${cookie.value}`);
  const toCanary = said === undefined ? holds : said === 'canary';
  expect(outcomesOf(taken)).toEqual([{ chance: 1, ...led(toCanary ? canary : stable), cookie: undefined }]);
  return said !== undefined ? 'told' : holds ? 'holds' : 'rest';
}

function holdsCookie({ headers }: ReferenceRequest, pair: string): boolean {
  return (headers['cookie']?.[0] ?? '').split(/; ?/).includes(pair);
}

function isDraw(rule: HTTPRoute): boolean {
  return servedRuleNames(rule.name)[0]?.cohort === 'drawn';
}

interface Outcome {
  readonly chance: number;
  readonly host: string;
  readonly subset: string | undefined;
  /** What the release adds as Set-Cookie. */
  readonly cookie: string | undefined;
}

/** As Envoy draws: one destination takes all; of several each has its weight's share, and those without weight none. */
function outcomesOf({ route = [] }: HTTPRoute): readonly Outcome[] {
  const sum = route.reduce((total, { weight = 0 }) => total + weight, 0);
  return route.flatMap((target): Outcome[] => {
    const chance = route.length === 1 ? 1 : (target.weight ?? 0) / sum;
    const { host, subset } = target.destination;
    return chance === 0 ? [] : [{ chance, host: resolveHost(host, 'default'), subset, cookie: setCookieOf(target) }];
  });
}

/** Of the arbitrary routes' own cookie, which stands at a hop inside, nothing is said. */
function setCookieOf(target: HTTPRouteDestination | undefined): string | undefined {
  const added = target?.headers?.response?.add?.['Set-Cookie'];
  return added === 'theirs=1' ? undefined : added;
}

function led(version: Version): Pick<Outcome, 'host' | 'subset'> {
  if ('host' in version) return { host: resolveHost(version.host, 'default'), subset: undefined };
  return { host: 'web.default.svc.cluster.local', subset: version.subset };
}
