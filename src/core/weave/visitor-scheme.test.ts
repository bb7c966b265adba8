import { describe, expect, it } from 'vitest';
import type { CanaryRelease } from '../release/canary-release.ts';
import { cookieBelow, cookieValid, requestIdBelow, requestIdValid } from '../visitor/patterns.ts';
import { edgeInput, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import type { RoutePlan } from './plan.ts';
import { servedRuleNames } from './rule-name.ts';
import { visitorScheme } from './visitor-scheme.ts';
import { weaveRelease } from './weave-virtual-service.ts';

const EVERYBODY = { ...TEN_PERCENT, cutoff: 4096 };
const NOBODY = { ...TEN_PERCENT, cutoff: 0 };
const TEAM = { match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: 'manual' };
const RAMP = { weight: 100, hold: 'manual' };

/** A release of `reviews` inside, told by the rules of `web` at the gateway. */
function insideOf(spec: Readonly<Record<string, unknown>> & { readonly visitorId?: object } = {}): CanaryRelease {
  const service = { service: { host: 'reviews', port: 9080 }, route: { adopt: { virtualService: 'reviews' } } };
  return releaseOf({ ...service, ...spec, visitorId: { issueAt: { virtualService: 'web' }, ...spec.visitorId } });
}

/** The rules of the hop: `told canary: baggage -> v2`. */
function hop(release: CanaryRelease, plan: RoutePlan = TEN_PERCENT, gateways: readonly string[] = ['mesh']): string[] {
  const routed = virtualService([{ route: [{ destination: { host: 'reviews' } }] }], { hosts: ['reviews'], gateways }, 'reviews');
  const issuing = virtualService([{ route: [{ destination: { host: 'page' } }] }]);
  const { routes, diagnostics } = weaveRelease(edgeInput([], { release, plan, routed, issuing }));
  expect(diagnostics).toEqual([]);
  return rulesOf(routes.find(({ name }) => name === 'reviews')?.virtualService).map(({ name, match, route }) => {
    const [parsed] = servedRuleNames(name);
    const asked = (match ?? []).map((block) => [...Object.keys(block.headers ?? {}), ...(block.gateways ?? [])].join(' '));
    return `${parsed?.role} ${parsed?.cohort}: ${asked.join(' | ')} -> ${route?.[0]?.destination.subset}`;
  });
}

const TOLD = ['told canary: baggage -> v2', 'told stable: baggage -> v1'];
const KNOWN = ['known canary: cookie -> v2', 'known stable: cookie -> v1'];
const FRESH = ['new canary: x-request-id -> v2', 'new stable: x-request-id -> v1'];
const REST = 'rest stable:  -> v1';

describe('the rules of a hop', () => {
  it.each([
    [
      ['baggage', 'cookie'],
      [...TOLD, ...KNOWN, REST],
    ],
    [
      ['baggage', 'cookie', 'requestId'],
      [...TOLD, ...KNOWN, ...FRESH, REST],
    ],
    [['baggage'], [...TOLD, REST]],
    [['cookie'], [...KNOWN, REST]],
    [
      ['cookie', 'requestId'],
      [...KNOWN, ...FRESH, REST],
    ],
  ])('propagate %j', (propagate, rules) => {
    expect(hop(insideOf({ visitorId: { propagate } }))).toEqual(rules);
  });

  const all = { visitorId: { propagate: ['baggage', 'cookie', 'requestId'] } };

  it('nobody is believed to be on the canary where nobody is, and nobody asked where all are', () => {
    expect(hop(insideOf(all), NOBODY)).toEqual([TOLD[1], KNOWN[1], FRESH[1], REST]);
    expect(hop(insideOf(all), EVERYBODY)).toEqual([...TOLD, KNOWN[0], FRESH[0], REST]);
  });

  it('who was picked, or followed a link, is told and found at cutoff 0, too', () => {
    expect(hop(insideOf({ steps: [TEAM, RAMP] }), { ...NOBODY, picking: 1 })).toEqual([
      ...TOLD,
      'claimed canary: x-team -> v2',
      KNOWN[1],
      REST,
    ]);
    expect(hop(insideOf({ steps: [TEAM, RAMP] }), { ...NOBODY, picking: 0 })).toEqual([TOLD[1], KNOWN[1], REST]);
    expect(hop(insideOf({ optIn: {} }), NOBODY)).toEqual([
      ...TOLD,
      'claimed canary: cookie -> v2',
      'claimed stable: cookie -> v1',
      KNOWN[1],
      REST,
    ]);
  });

  it('are one once the release is settled', () => {
    expect(hop(insideOf(all), { kind: 'settled', live: { subset: 'v2' } })).toEqual(['rest stable:  -> v2']);
  });

  it('ids of a header are found in it', () => {
    const from = { from: { header: 'x-tenant-id' }, propagate: ['baggage', 'cookie'] };
    expect(hop(insideOf({ visitorId: from }))).toEqual([
      ...TOLD,
      'known canary: x-tenant-id -> v2',
      'known stable: x-tenant-id -> v1',
      REST,
    ]);
  });

  it('request ids decide in the mesh only: at a gateway each request has another', () => {
    const gateways = ['default/inner', 'mesh'];
    expect(hop(insideOf(all), TEN_PERCENT, gateways).slice(4, 6)).toEqual([
      'new canary: x-request-id mesh -> v2',
      'new stable: x-request-id mesh -> v1',
    ]);
  });

  it('match what tells one cohort from the other', () => {
    const release = insideOf(all);
    const routed = virtualService(
      [{ route: [{ destination: { host: 'reviews' } }] }],
      { hosts: ['reviews'], gateways: ['mesh'] },
      'reviews',
    );
    const issuing = virtualService([{ route: [{ destination: { host: 'page' } }] }]);
    const { routes } = weaveRelease(edgeInput([], { release, routed, issuing }));
    const rules = rulesOf(routes.find(({ name }) => name === 'reviews')?.virtualService);
    expect(rules.slice(2, 6).map(({ match }) => match?.[0]?.headers)).toEqual([
      { cookie: { regex: cookieBelow('perch', TEN_PERCENT.cutoff, 0) } },
      { cookie: { regex: cookieValid('perch') } },
      { 'x-request-id': { regex: requestIdBelow(TEN_PERCENT.cutoff, 0) } },
      { 'x-request-id': { regex: requestIdValid() } },
    ]);
  });
});

describe('what woven rules need of a match, and add', () => {
  const needs = (release: CanaryRelease, edge: boolean) => {
    const { gateway, hop: inside, stamped } = visitorScheme(release, TEN_PERCENT, { edge, secure: false });
    return {
      stamped,
      gateway: [gateway.matchHeaders, gateway.matchQueries, gateway.adds.map(({ name }) => name), gateway.draws],
      hop: [inside.matchHeaders, inside.matchQueries, inside.adds, inside.draws],
    };
  };

  it('the cookie, what new visitors’ pages say, and for hops the baggage', () => {
    expect(needs(releaseOf(), true)).toEqual({
      stamped: false,
      gateway: [['cookie', 'x-request-id', 'accept', 'sec-fetch-mode'], [], ['set-cookie', 'cache-control'], false],
      hop: [['baggage', 'cookie'], undefined, [], false],
    });
    expect(needs(insideOf(), false)).toEqual({
      stamped: true,
      gateway: [['cookie', 'x-request-id', 'accept', 'sec-fetch-mode'], [], ['set-cookie', 'cache-control', 'baggage'], false],
      hop: [['baggage', 'cookie'], undefined, [], false],
    });
    expect(needs(insideOf({ visitorId: { propagate: ['cookie'] } }), false).stamped).toBe(false);
  });

  it('what is asked of all requests, of links, of picked visitors, of a header with ids', () => {
    const release = releaseOf({ visitorId: { issueOn: 'all' }, optIn: { parameter: 'try' }, steps: [TEAM, RAMP] });
    expect(needs(release, true).gateway.slice(0, 2)).toEqual([['cookie', 'x-request-id', 'x-team', 'cookie'], ['try']]);
    expect(needs(release, true).hop[0]).toEqual(['baggage', 'cookie', 'x-team', 'cookie']);
    const tenants = insideOf({ visitorId: { from: { header: 'x-tenant-id' } } });
    expect([needs(tenants, false).gateway[0], needs(tenants, false).hop[0]]).toEqual([['x-tenant-id'], ['baggage', 'x-tenant-id']]);
  });

  it('once settled, nobody is told and nobody drawn: ids are issued all the same', () => {
    const { stamped, gateway, versions } = visitorScheme(
      insideOf({ optIn: {} }),
      { kind: 'settled', live: { subset: 'v2' } },
      {
        edge: false,
        secure: false,
      },
    );
    expect([stamped, gateway.part?.draw, gateway.part?.claims, gateway.part?.stamp('canary')]).toEqual([false, undefined, [], []]);
    expect(versions).toEqual({ stable: { subset: 'v2' }, canary: { subset: 'v2' } });
    expect(gateway.part?.issue).toHaveLength(2);
  });
});
