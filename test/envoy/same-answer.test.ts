import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithEnvoy } from '../requirements.ts';
import { type EnvoyForms, startEnvoyForms } from './envoy-forms.ts';
import { DRAW_HEADER, type OddRequestFacts, oddRequests } from './odd-requests.ts';
import { type ServedForm, serveForm } from './served-form.ts';
import { SERVICE_PORT } from './shop-objects.ts';
import { ask, differences } from './wire-answer.ts';
import { type AskedListener, type FormOptions, type WovenForm, wovenForm } from './woven-forms.ts';

/*
 * A release in every form of route, served by Perch's gateway and by a real Envoy: the same answer to every one of thousands of requests,
 * ordinary and odd, over real sockets: the same rule, the same origin, the same headers to the origin and to the client.
 * The oracle has one weakness: Envoy's configuration is written by our own translation of the VirtualServices (istio-*.ts, by
 * what istiod's source says, apart from src/core/routing), not by istiod. A misreading of Istio that both share goes unseen here.
 */

/** Where each form is asked about everything. */
const MANY = 5000;
/** Where the same form stands elsewhere. */
const SOME = 2000;

const TENTH = { cutoff: 0x19a, offset: 0 } as const;
const HALF = { cutoff: 0x800, offset: 3 } as const;
const NEXT = { host: 'shop-next', port: SERVICE_PORT };
const V2 = { settled: { subset: 'v2' } };
/** The article's cookie. */
const ARTICLE = { mode: 'canaryOnly', cookie: { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: '6h' } };
const CANARY_ONLY = { affinity: { mode: 'canaryOnly' } };
/** As long as names and values may be. */
const LONGEST = { affinity: { mode: 'canaryOnly', cookie: { name: 'Perch-shop_'.padEnd(32, 'x'), value: '-v2_'.padEnd(32, '0') } } };

const edge = { route: 'adopt', place: 'edge' } as const;
const inside = { route: 'adopt', place: 'inside' } as const;
const both = { route: 'adopt', place: 'both' } as const;

const CASES: readonly (readonly [count: number, name: string, options: FormOptions])[] = [
  [MANY, 'adopted at the edge, 10 %', { ...edge, at: TENTH }],
  [SOME, 'adopted at the edge, half, any request issues', { ...edge, at: HALF, spec: { visitorId: { issueOn: 'all' } } }],
  [
    SOME,
    'adopted at the edge, one bucket',
    { ...edge, at: { cutoff: 1, offset: 6 }, spec: { visitorId: { cookie: { name: 'Visitor-id_123' } } } },
  ],
  [SOME, 'adopted at the edge, all but one', { ...edge, at: { cutoff: 0xfff, offset: 9, canary: NEXT }, spec: { cache: 'private' } }],
  [SOME, 'adopted at the edge, nobody', { ...edge, at: { cutoff: 0, offset: 0 } }],
  [SOME, 'adopted at the edge, everybody', { ...edge, at: { cutoff: 4096, offset: 0 } }],
  [SOME, 'adopted at the edge, settled', { ...edge, at: V2 }],
  [MANY, 'adopted inside, 10 %', { ...inside, at: TENTH }],
  [
    SOME,
    'adopted inside, by request id too',
    { ...inside, at: HALF, spec: { visitorId: { propagate: ['baggage', 'cookie', 'requestId'] } } },
  ],
  [SOME, 'adopted inside, by cookie alone', { ...inside, at: HALF, spec: { visitorId: { propagate: ['cookie'] } } }],
  [SOME, 'adopted inside, everybody', { ...inside, at: { cutoff: 4096, offset: 0, canary: NEXT } }],
  [SOME, 'adopted inside, settled', { ...inside, at: V2 }],
  [MANY, 'adopted at the edge and inside at once', { ...both, at: TENTH }],
  [MANY, 'canaryOnly at the edge, 10 %', { ...edge, at: { percent: 10 }, spec: { affinity: ARTICLE } }],
  [SOME, 'canaryOnly at the edge, 12.5 %', { ...edge, at: { percent: 12.5, canary: NEXT }, spec: { ...LONGEST, cache: 'private' } }],
  [SOME, 'canaryOnly at the edge, everybody', { ...edge, at: { percent: 100 }, spec: CANARY_ONLY }],
  [SOME, 'canaryOnly at the edge, finished', { ...edge, at: V2, spec: { affinity: ARTICLE } }],
  [MANY, 'canaryOnly inside, half', { ...inside, at: { percent: 50 }, spec: CANARY_ONLY }],
  [SOME, 'canaryOnly inside, finished', { ...inside, at: V2, spec: CANARY_ONLY }],
  [MANY, 'canaryOnly at the edge and inside at once', { ...both, at: { percent: 40 }, spec: CANARY_ONLY }],
  [MANY, 'managed at the edge, 10 %', { route: 'managed', place: 'edge', at: TENTH }],
  [MANY, 'managed inside, half', { route: 'managed', place: 'inside', at: HALF }],
  [MANY, 'managed at the edge, canaryOnly', { route: 'managed', place: 'edge', at: { percent: 20 }, spec: CANARY_ONLY }],
  [MANY, 'managed inside, canaryOnly', { route: 'managed', place: 'inside', at: { percent: 20 }, spec: CANARY_ONLY }],
  [MANY, 'delegate at the edge, 10 %', { route: 'delegate', place: 'edge', at: TENTH }],
  [MANY, 'delegate inside, half', { route: 'delegate', place: 'inside', at: HALF }],
  [SOME, 'delegate at the edge, settled', { route: 'delegate', place: 'edge', at: V2 }],
  [MANY, 'delegate at the edge, canaryOnly', { route: 'delegate', place: 'edge', at: { percent: 20 }, spec: CANARY_ONLY }],
  [MANY, 'delegate at the edge and inside at once', { route: 'delegate', place: 'both', at: HALF }],
  [MANY, 'delegate inside, canaryOnly', { route: 'delegate', place: 'inside', at: { percent: 20 }, spec: CANARY_ONLY }],
];

const FORMS = CASES.map(([count, name, options]) => ({ count, form: wovenForm(name, options) }));

function factsOf({ cutoff, cookie, canaryCookie, baggageKey }: WovenForm, { paths, hosts }: AskedListener): OddRequestFacts {
  const decisiveCookies = canaryCookie === undefined ? [] : [`${canaryCookie.name}=${canaryCookie.value}`];
  return { paths, hosts, cutoff, cookie, decisiveCookies, baggageKey, draws: canaryCookie !== undefined };
}

describeWithEnvoy('Perch’s gateway and Envoy give the same answer', (executable) => {
  let envoy: EnvoyForms;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    const forms = FORMS.map(({ form }) => form);
    envoy = await startEnvoyForms(executable, forms, { requestId: 'preserve', drawHeader: DRAW_HEADER });
  });

  afterAll(async () => {
    agent.destroy();
    await envoy?.stop();
  });

  /** Asks both, and gives the requests whose answers differ and the rules that Envoy took. */
  async function compare(form: WovenForm, asked: AskedListener, count: number, perch: ServedForm) {
    const port = envoy.port(form, asked.kind);
    const routes = new Set<string | undefined>();
    const differing: object[] = [];
    for (const request of oddRequests(factsOf(form, asked), count, 20261122)) {
      const [theirs, ours] = await Promise.all([ask(agent, port, request), perch.ask(asked.kind, request)]);
      routes.add(theirs.route);
      const found = differences(theirs, ours);
      if (found.length > 0) differing.push({ request: JSON.stringify(request), found });
    }
    return { routes, differing };
  }

  describe.each(FORMS)('$form.name', ({ form, count }) => {
    let perch: ServedForm;

    beforeAll(async () => {
      perch = await serveForm(form, envoy.portOf);
    });

    afterAll(() => perch?.close());

    test(`${count} requests, at ${form.asked.map(({ kind }) => kind).join(' and ')}`, async () => {
      const taken = new Set<string | undefined>();
      for (const asked of form.asked) {
        const { routes, differing } = await compare(form, asked, count / form.asked.length, perch);
        expect(differing.slice(0, 20), `${differing.length} answers at the ${asked.kind} differ`).toEqual([]);
        for (const route of routes) taken.add(route);
      }
      // Every rule was taken by some request, so that none agrees for want of being asked.
      expect(form.rules.filter((rule) => !taken.has(rule))).toEqual([]);
    });
  });

  test('the comparison is sharp: one bucket more is noticed', async () => {
    const [{ form }] = FORMS as [(typeof FORMS)[0]];
    const perch = await serveForm(wovenForm('one bucket more', { ...edge, at: { cutoff: 0x19b, offset: 0 } }), envoy.portOf);
    try {
      const [asked] = form.asked as [AskedListener];
      const { differing } = await compare(form, asked, SOME, perch);
      expect(differing.length).toBeGreaterThan(0);
      expect(differing.length).toBeLessThan(SOME / 5);
    } finally {
      await perch.close();
    }
  });
});
