import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { BUCKETS, bucketOf, OFFSETS } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { ids, requestsWith } from './arbitrary-requests.cases.ts';
import { claimedHeaders, claimsInside, claimsOf } from './claims.ts';
import { edgeInput, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import { mostGroups } from './gateway-rules.ts';
import type { SplitPlan } from './plan.ts';
import { type ReferenceRequest, referenceRoute } from './reference-router.cases.ts';
import { servedRuleNames } from './rule-name.ts';
import { unweave } from './unweave.ts';
import { visitorScheme } from './visitor-scheme.ts';
import { weaveRelease } from './weave-virtual-service.ts';

const TEAM = { match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: 'manual' };
const BETA = { match: [{ headers: { 'x-team': { exact: 'beta' }, 'x-region': { prefix: 'eu' } } }], hold: 'manual' };
const RAMP = { weight: 100, hold: 'manual' };
const http = [{ name: 'all', route: [{ destination: { host: 'web', subset: 'v1' } }] }];

function woven(release: CanaryRelease, plan: SplitPlan = TEN_PERCENT) {
  const { routes, diagnostics } = weaveRelease(edgeInput(http, { release, plan }));
  expect(diagnostics).toEqual([]);
  return routes[0]?.virtualService ?? expect.fail('not woven');
}

/** What each rule asks and where it leads: `x-team=qa -> v2`. */
const summaries = (release: CanaryRelease, plan?: SplitPlan) =>
  rulesOf(woven(release, plan)).map(({ name, match, route }) => {
    const [parsed] = servedRuleNames(name);
    const asked = Object.keys({ ...match?.[0]?.headers, ...match?.[0]?.queryParams });
    return `${parsed?.role} ${parsed?.cohort}: ${asked.join(' ')} -> ${route?.[0]?.destination.subset}`;
  });

const BY_DRAW = [
  'known canary: cookie -> v2',
  'known stable: cookie -> v1',
  'new canary: accept x-request-id -> v2',
  'new stable: accept x-request-id -> v1',
  'rest stable:  -> v1',
];

describe('steps with match', () => {
  const release = releaseOf({ steps: [TEAM, BETA, RAMP] });

  it('come before the draw, as many as have been reached', () => {
    const at = (picking?: number): SplitPlan => ({ ...TEN_PERCENT, ...(picking === undefined ? {} : { picking }) });
    expect(summaries(release, at(1))).toEqual(['claimed canary: x-team -> v2', ...BY_DRAW]);
    expect(summaries(release, at(2))).toEqual(['claimed canary: x-team -> v2', 'claimed canary: x-team x-region -> v2', ...BY_DRAW]);
    expect(summaries(release, at())).toEqual(summaries(release, at(2)));
  });

  it('a rule that matches on such a header itself is not woven, whatever the step is', () => {
    const rule = { match: [{ headers: { 'X-Team': { exact: 'ops' } } }], route: [{ destination: { host: 'web', subset: 'v1' } }] };
    const input = edgeInput([rule], { release, plan: { ...TEN_PERCENT, picking: 1 } });
    expect(weaveRelease(input).diagnostics.map(({ code }) => code)).toContain('PERCH2002');
  });
});

describe('links of opt-in', () => {
  const release = releaseOf({ optIn: {} });

  it('are asked first, then what the browser remembers; the value is of this release only', () => {
    expect(summaries(release)).toEqual([
      'claimed canary: perch -> v2',
      'claimed stable: perch -> v1',
      'claimed stable: perch -> v1',
      'claimed canary: cookie -> v2',
      'claimed stable: cookie -> v1',
      ...BY_DRAW,
    ]);
    const remembered = (plan: SplitPlan) => rulesOf(woven(release, plan))[3]?.match?.[0]?.headers?.['cookie'];
    expect(remembered({ ...TEN_PERCENT, started: 1 })).not.toEqual(remembered({ ...TEN_PERCENT, started: 2 }));
  });

  it('a rule that matches on the parameter itself is not woven; another name for it helps', () => {
    const rule = { match: [{ queryParams: { perch: { exact: '1' } } }], route: [{ destination: { host: 'web', subset: 'v1' } }] };
    const codes = (optIn: object) => weaveRelease(edgeInput([rule], { release: releaseOf({ optIn }) })).diagnostics.map(({ code }) => code);
    expect(codes({})).toContain('PERCH2002');
    expect(codes({ parameter: 'try' })).toEqual([]);
  });
});

describe('what a link does', () => {
  const optIn = { maxAge: '2h' };
  const issued = (release: CanaryRelease) =>
    claimsOf(release, { ...TEN_PERCENT, started: 1 }, true).map(({ queryParams, cohort, additions }) => [queryParams, cohort, additions]);
  const link = (choice: string, cohort: string, cookie: string) => [
    { try: { exact: `web:${choice}` } },
    cohort,
    [
      { direction: 'response', name: 'Set-Cookie', value: `perch-opt-web=${cookie}; Path=/; Secure; HttpOnly; SameSite=Lax`, join: false },
      { direction: 'response', name: 'Cache-Control', value: 'private', join: true },
    ],
  ];

  it('the browser remembers its cohort for maxAge; auto forgets it, and is on stable for that one page', () => {
    const release = releaseOf({ optIn: { ...optIn, parameter: 'try' } });
    const values = JSON.stringify(issued(release)).match(/(?:canary|stable)-[0-9a-f]{8}/g) ?? [];
    const [canary, stable, auto] = values;
    expect(issued(release)).toEqual([
      link('canary', 'canary', `${canary}; Max-Age=7200`),
      link('stable', 'stable', `${stable}; Max-Age=7200`),
      link('auto', 'stable', `${auto}; Max-Age=-1`),
      [{}, 'canary', []],
      [{}, 'stable', []],
    ]);
    expect([canary?.slice(0, 7), stable?.slice(0, 7), auto]).toEqual(['canary-', 'stable-', stable]);
  });

  it('what it remembers is of one release, one canary and one revision, else of one start', () => {
    const value = (release: CanaryRelease, plan: SplitPlan) => claimsInside(release, plan)[0]?.headers[0]?.[1];
    const plan = { ...TEN_PERCENT, started: 1 };
    const alike = value(releaseOf({ optIn }), plan);
    expect(value(releaseOf({ optIn }), { ...plan, cutoff: 4096 })).toEqual(alike);
    expect(value(releaseOf({ optIn, revision: 1 }), { ...plan, started: 7 })).toEqual(alike);
    const others = [
      value(releaseOf({ optIn }), { ...TEN_PERCENT, started: 2 }),
      value(releaseOf({ optIn }), TEN_PERCENT),
      value(releaseOf({ optIn, revision: 4 }), plan),
      value(releaseOf({ optIn }), { ...plan, canary: { subset: 'v3' } }),
      value(releaseOf({ optIn }, 'shop'), plan),
    ];
    expect(new Set([alike, ...others].map((each) => JSON.stringify(each))).size).toBe(6);
  });

  it('headers on which claims may match are those of all steps, each once, and the cookie where choices are remembered', () => {
    const twice = { match: [{ headers: { 'x-team': { exact: 'dev' } } }, { headers: { 'x-region': { exact: 'us' } } }], hold: 'manual' };
    expect(claimedHeaders(releaseOf({ steps: [TEAM, twice, RAMP] }))).toEqual(['x-team', 'x-region']);
    expect(claimedHeaders(releaseOf({ steps: [TEAM, RAMP], optIn }))).toEqual(['x-team', 'cookie']);
    expect(claimedHeaders(releaseOf())).toEqual([]);
  });

  it('inside, no link is followed', () => {
    expect(claimsInside(releaseOf({ optIn, steps: [TEAM, RAMP] }), TEN_PERCENT).map(({ queryParams }) => queryParams)).toEqual([
      {},
      {},
      {},
    ]);
    expect(claimsOf(releaseOf(), TEN_PERCENT, true)).toEqual([]);
  });
});

describe('ids from a header', () => {
  it('are matched there, and nothing is issued', () => {
    const release = releaseOf({ visitorId: { from: { header: 'x-tenant-id' } } });
    expect(summaries(release)).toEqual(['known canary: x-tenant-id -> v2', 'known stable: x-tenant-id -> v1', 'rest stable:  -> v1']);
    expect(JSON.stringify(woven(release))).not.toContain('Set-Cookie');
  });
});

describe('any request', () => {
  const plan = fc.record({
    cutoff: fc.integer({ min: 0, max: BUCKETS }),
    offset: fc.constantFrom(...OFFSETS),
    picking: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  });
  const extra = fc.record({
    team: fc.constantFrom(undefined, 'qa', 'beta', 'ops'),
    region: fc.constantFrom(undefined, 'eu-west', 'us'),
    link: fc.constantFrom('', '', '?perch=web:canary', '?perch=web:stable', '?perch=web:auto', '?perch=web:v9'),
    chosen: fc.constantFrom<(Cohort | undefined)[]>(undefined, undefined, 'canary', 'stable'),
  });

  it('is on the cohort that its link says, else its choice, else the release’s picks, else its bucket; un-weaving gives the base', () => {
    const release = releaseOf({ optIn: {}, steps: [TEAM, BETA, RAMP] });
    const counts = { claimed: 0, drawn: 0 };
    fc.assert(
      fc.property(plan, requestsWith(ids.map((id) => `perch=${id}`)), extra, ({ picking, ...draw }, request, more) => {
        const split = { ...TEN_PERCENT, ...draw, ...(picking === undefined ? {} : { picking }) };
        const served = woven(release, split);
        const asked = withExtra(request, more, served);
        const [name] = servedRuleNames(referenceRoute([served], asked)?.name);
        expect([name?.cohort, asked]).toEqual([expectedCohort(split, asked, more, name?.role === 'new'), asked]);
        counts[name?.role === 'claimed' ? 'claimed' : 'drawn']++;
        expect(unweave(served)).toEqual(virtualService(http));
      }),
      { seed: 61, numRuns: runs(600) },
    );
    expect(Math.min(counts.claimed, counts.drawn)).toBeGreaterThan(atLeast(80));
  });

  interface Extra {
    readonly team: string | undefined;
    readonly region: string | undefined;
    readonly link: string;
    readonly chosen: Cohort | undefined;
  }

  function withExtra(request: ReferenceRequest, { team, region, link, chosen }: Extra, served: object): ReferenceRequest {
    const value = new RegExp(`perch-opt-web=(${chosen}-[0-9a-f]{8})`).exec(JSON.stringify(served))?.[1];
    const cookie = [...(request.headers['cookie'] ?? []), ...(value === undefined ? [] : [`perch-opt-web=${value}`])].join('; ');
    const headers = {
      ...request.headers,
      ...(cookie === '' ? {} : { cookie: [cookie] }),
      ...(team === undefined ? {} : { 'x-team': [team] }),
      ...(region === undefined ? {} : { 'x-region': [region] }),
    };
    return { ...request, at: 'web', labels: {}, path: `/${link}`, headers };
  }

  function expectedCohort(
    { cutoff, offset, picking = 2 }: SplitPlan,
    { headers }: ReferenceRequest,
    { team, region, link, chosen }: Extra,
    isNew: boolean,
  ): Cohort {
    if (link.endsWith(':canary')) return 'canary';
    if (link.endsWith(':stable') || link.endsWith(':auto')) return 'stable';
    if (chosen !== undefined) return chosen;
    if ((team === 'qa' && picking > 0) || (team === 'beta' && region === 'eu-west' && picking > 1)) return 'canary';
    const id = visitorIdFromCookies(headers['cookie'] ?? [], 'perch') ?? (isNew ? headers['x-request-id']?.[0] : undefined);
    return id !== undefined && (bucketOf(id, offset) ?? BUCKETS) < cutoff ? 'canary' : 'stable';
  }
});

describe('groups of visitors that claims make', () => {
  const part = (release: CanaryRelease) =>
    visitorScheme(release, TEN_PERCENT, { edge: true, secure: false }).gateway.part ?? expect.fail('no part');
  const plain = part(releaseOf());
  const picking = part(releaseOf({ steps: [TEAM, RAMP] }));
  const choosing = part(releaseOf({ optIn: {} }));
  const other = { ...plain, draw: { cutoff: 410, offset: 3 as const } };

  it.each([
    ['alone', [], [2, 3, 7]],
    ['beside an independent release', [other], [4, 6, 14]],
  ])('%s', (_where, others, groups) => {
    expect([plain, picking, choosing].map((each) => mostGroups([each, ...others]))).toEqual(groups);
  });
});
