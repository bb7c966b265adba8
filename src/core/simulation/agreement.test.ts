import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAt } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { compileRouting } from '../routing/compile.ts';
import { applyHeaderEdits } from '../routing/header-edits.ts';
import type { RouteTable, Selection } from '../routing/selection.ts';
import { cutoffOf } from '../visitor/bucket.ts';
import { edgeInput, gatewayOf, TEN_PERCENT, TEN_PERCENT_DRAWN, virtualService } from '../weave/fixtures.cases.ts';
import type { RoutePlan } from '../weave/plan.ts';
import { weaveRelease } from '../weave/weave-virtual-service.ts';
import { ARTICLE_COOKIES, FLAGGER_COOKIES, flaggerPrimaryCookies, outcomeScheme } from './outcome-scheme.ts';
import { type Random, seededStreams } from './random.ts';
import { requestId } from './request-id.ts';
import type { Client, MakeScheme, SimulatedRequest } from './scheme.ts';
import { visitorScheme } from './visitor-scheme.ts';

/** The simulated schemes against routes: what core/weave writes, and what Flagger writes, served as the gateway serves them to a browser. */

const BASE = [{ route: [{ destination: { host: 'web', subset: 'v1' } }] }];

function tableOf(route: KubeObject): RouteTable {
  const versions = ['v1', 'v2'].map((name) => ({ name, labels: { version: name } }));
  const rules = { host: 'web', subsets: versions };
  const metadata = { name: 'web', namespace: 'default' };
  const entry = {
    hosts: ['web.default.svc.cluster.local'],
    ports: [{ number: 8080, name: 'http', protocol: 'HTTP' }],
    resolution: 'STATIC',
  };
  const endpoints = ['v1', 'v2'].map((version, index) => ({ address: '127.0.0.1', ports: { http: 20_000 + index }, labels: { version } }));
  const { table } = compileRouting([
    gatewayOf(),
    { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata, spec: rules },
    { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata, spec: { ...entry, endpoints } },
    route,
  ]);
  return table;
}

function woven(plan: RoutePlan): RouteTable {
  const [route] = weaveRelease({ ...edgeInput(BASE), plan }).routes;
  if (route === undefined) throw new Error('nothing is woven');
  return tableOf(route.virtualService);
}

/** What Flagger 1.44 writes for Istio at a weight (docs.flagger.app, "Istio Canary Deployments": session affinity). */
function flagger(weight: number, primaryMaxAge: number | undefined): RouteTable {
  const destination = (subset: string, share: number, cookie?: string) => ({
    destination: { host: 'web', subset },
    weight: share,
    ...(cookie === undefined ? {} : { headers: { response: { add: { 'Set-Cookie': cookie } } } }),
  });
  const sticky = (regex: string, canary: number) => ({
    match: [{ headers: { cookie: { regex } } }],
    route: [destination('v1', 100 - canary), destination('v2', canary)],
  });
  const primary = primaryMaxAge === undefined ? undefined : `primary-cookie=ApvLdqCoMF; Max-Age=${primaryMaxAge}`;
  return tableOf(
    virtualService([
      sticky('.*flagger-cookie.*LpsIaLdoNZ.*', 100),
      ...(primary === undefined ? [] : [sticky('.*primary-cookie.*ApvLdqCoMF.*', 0)]),
      { route: [destination('v1', 100 - weight, primary), destination('v2', weight, 'flagger-cookie=LpsIaLdoNZ; Max-Age=86400')] },
    ]),
  );
}

const LAST = 1 - Number.EPSILON;

/** A browser at those routes: its jar keeps and expires cookies. Takes random numbers where a scheme does: for ids, and for draws that are open. */
class RoutedClient implements Client {
  readonly #tables: ReadonlyMap<number, RouteTable>;
  readonly #random: Random;
  readonly #issuesIds: boolean;
  readonly #jar = new Map<string, { readonly value: string; readonly untilMs: number }>();
  #set: { readonly line: string; readonly atMs: number }[] = [];

  constructor(tables: ReadonlyMap<number, RouteTable>, random: Random, issuesIds: boolean) {
    this.#tables = tables;
    this.#random = random;
    this.#issuesIds = issuesIds;
  }

  isOnCanary({ atMs, weight, isDocument }: SimulatedRequest): boolean {
    const cookies = [...this.#jar].filter(([, { untilMs }]) => atMs < untilMs).map(([name, { value }]) => `${name}=${value}`);
    const drawsId = this.#issuesIds && isDocument && cookies.length === 0;
    const id = drawsId ? requestId(this.#random) : 'ffffffff-ffff-4fff-8fff-ffffffffffff';
    const headers = {
      'x-request-id': id,
      ...(cookies.length === 0 ? {} : { cookie: cookies.join('; ') }),
      ...(isDocument ? { accept: 'text/html' } : { accept: 'image/*' }),
    };
    const select = (random: number) => {
      const table = this.#tables.get(weight);
      if (table === undefined) throw new Error(`there is no step of ${weight} %`);
      return selectAt(table, 'ingress 80', { line: 'GET http://web.test/', headers, random });
    };
    const [low, high] = [select(0), select(LAST)];
    let selection = low;
    if (subsetOf(low) !== subsetOf(high)) {
      const draw = this.#random();
      selection = select(subsetOf(low) === 'v2' ? draw : Math.min(1 - draw, LAST));
    }
    for (const line of cookiesOf(selection, id)) this.#set.push({ line, atMs });
    return subsetOf(selection) === 'v2';
  }

  keepCookies(): void {
    for (const { line, atMs } of this.#set) {
      const [, name = '', value = '', seconds = ''] = /^([^=]+)=([^;]*);.*?Max-Age=(\d+)/.exec(line) ?? [];
      this.#jar.set(name, { value, untilMs: atMs + 1000 * Number(seconds) });
    }
    this.#set = [];
  }
}

function subsetOf(selection: Selection): string | undefined {
  if (selection.kind !== 'forward') throw new Error(`nothing is forwarded: ${selection.kind}`);
  return selection.destination.subset;
}

function cookiesOf(selection: Selection, id: string): readonly string[] {
  if (selection.kind !== 'forward') return [];
  const fields = applyHeaderEdits([], selection.response, {
    message: 'response',
    requestHeader: (name) => (name === 'x-request-id' ? id : undefined),
    protocol: 'HTTP/1.1',
    responseCode: 200,
  });
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'set-cookie');
}

const WEIGHTS = [10, 37.5, 80, 100];
const tables = (make: (weight: number) => RouteTable) => new Map(WEIGHTS.map((weight) => [weight, make(weight)]));

const CASES: readonly (readonly [name: string, scheme: MakeScheme, tables: ReadonlyMap<number, RouteTable>, issuesIds: boolean])[] = [
  ['Perch, as woven', (random) => visitorScheme(0, random), tables((weight) => woven({ ...TEN_PERCENT, cutoff: cutoffOf(weight) })), true],
  [
    'the article, as woven by affinity.mode: canaryOnly',
    (random) => outcomeScheme(ARTICLE_COOKIES, random),
    tables((weight) => woven({ ...TEN_PERCENT_DRAWN, weight })),
    false,
  ],
  ['Flagger', (random) => outcomeScheme(FLAGGER_COOKIES, random), tables((weight) => flagger(weight, undefined)), false],
  [
    'Flagger with a primary cookie of a minute',
    (random) => outcomeScheme(flaggerPrimaryCookies(60_000), random),
    tables((weight) => flagger(weight, 60)),
    false,
  ],
];

/** Requests with the gaps between them, as far as past the end of every cookie but the id's; the steps come in their order. */
const requests = fc
  .array(
    fc.record({
      gapMs: fc.oneof(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: 1, max: 100_000_000 })),
      step: fc.nat({ max: WEIGHTS.length - 1 }),
      isDocument: fc.boolean(),
      keeps: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((sent) => {
    const steps = sent.map(({ step }) => step).toSorted((a, b) => a - b);
    return sent.map((request, index) => ({ ...request, step: steps[index] ?? 0 }));
  });

describe.each(CASES)('%s', (_, scheme, routes, issuesIds) => {
  it('the simulated client is answered by the version that the routes choose, whatever it asks and when', () => {
    fc.assert(
      fc.property(requests, fc.nat(), (sent, seed) => {
        const simulated = scheme(seededStreams(seed)('draws'))();
        const real = new RoutedClient(routes, seededStreams(seed)('draws'), issuesIds);
        let atMs = 0;
        for (const { gapMs, step, isDocument, keeps } of sent) {
          atMs += gapMs;
          const request = { atMs, weight: WEIGHTS[step] ?? 100, isDocument };
          expect(simulated.isOnCanary(request)).toBe(real.isOnCanary(request));
          if (!keeps) continue;
          simulated.keepCookies();
          real.keepCookies();
        }
      }),
      { numRuns: 150 },
    );
  });
});
