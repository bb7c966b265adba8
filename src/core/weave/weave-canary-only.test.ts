import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { HTTPRouteDestination, KubeObject } from '../istio/resources.ts';
import { validateRoutingObject } from '../istio/validate.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { edgeInput, gatewayOf, releaseOf, rulesOf, TEN_PERCENT_DRAWN, virtualService } from './fixtures.cases.ts';
import type { RoutePlan } from './plan.ts';
import { unweave } from './unweave.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const CANARY_ONLY = { affinity: { mode: 'canaryOnly' } };
const SETTLED: RoutePlan = { kind: 'settled', live: { subset: 'v2' }, expires: TEN_PERCENT_DRAWN.cookie };
const SERVICE = { namespace: 'default', host: 'web', port: 8080 };

function edge(http: readonly unknown[], changes: Partial<WeaveInput> = {}): WeaveInput {
  return edgeInput(http, { release: releaseOf(CANARY_ONLY), plan: TEN_PERCENT_DRAWN, ...changes });
}

/** The served object; the input has to weave without a finding. */
function served(input: WeaveInput, at = 0): KubeObject {
  const { routes, diagnostics } = weaveRelease(input);
  expect(diagnostics).toEqual([]);
  const object = routes[at]?.virtualService;
  if (object === undefined) throw new Error('nothing was woven');
  expect(validateRoutingObject(object).filter(({ severity }) => severity === 'error')).toEqual([]);
  return object;
}

function asYaml(object: KubeObject): string {
  return stringify(rulesOf(object), { lineWidth: 0, aliasDuplicateObjects: false });
}

function yaml(parts: TemplateStringsArray): string {
  return `${(parts.raw[0] ?? '').replace(/^\n/, '').trimEnd()}\n`;
}

/** What a destination is, in a few words. */
function summary({ destination, weight, headers }: HTTPRouteDestination): string {
  const added = Object.values({ ...headers?.request?.add, ...headers?.response?.add });
  return [destination.host, destination.subset, weight, ...added].filter((part) => part !== undefined).join(' ');
}

function summaries(object: KubeObject): readonly (readonly string[])[] {
  return rulesOf(object).map((rule) => [rule.name ?? '', ...(rule.route ?? []).map(summary)]);
}

const SHOP = { name: 'shop', match: [{ uri: { prefix: '/shop' } }], route: [{ destination: { host: 'web' } }], timeout: '5s' };

describe('at the edge', () => {
  it('a rule becomes two, as in the article: who holds the cookie, and the draw', () => {
    expect(asYaml(served(edge([SHOP])))).toBe(yaml`
- name: perch:default/web:known:canary:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        cookie:
          regex: (?:.*; ?)?perch-web=v2-5c1f0e9b(?:;.*)?
  route:
    - destination:
        host: web
        subset: v2
  timeout: 5s
- name: perch:default/web:rest:drawn:-:shop
  match:
    - uri:
        prefix: /shop
  route:
    - destination:
        host: web
        subset: v1
      weight: 90
    - destination:
        host: web
        subset: v2
      weight: 10
      headers:
        response:
          add:
            Set-Cookie: perch-web=v2-5c1f0e9b; Max-Age=21600
            Cache-Control: private
  timeout: 5s
`);
  });

  it('settled, the cookie expires, and all lead to the live version', () => {
    expect(asYaml(served(edge([SHOP], { plan: SETTLED })))).toBe(yaml`
- name: perch:default/web:known:stable:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        cookie:
          regex: (?:.*; ?)?perch-web=v2-5c1f0e9b(?:;.*)?
  route:
    - destination:
        host: web
        subset: v2
      headers:
        response:
          add:
            Set-Cookie: perch-web=v2-5c1f0e9b; Max-Age=-1
            Cache-Control: private
  timeout: 5s
- name: perch:default/web:rest:stable:-:shop
  match:
    - uri:
        prefix: /shop
  route:
    - destination:
        host: web
        subset: v2
  timeout: 5s
`);
    const { expires: _, ...withoutCookie } = SETTLED;
    expect(summaries(served(edge([SHOP], { plan: withoutCookie })))).toEqual([['perch:default/web:rest:stable:-:shop', 'web v2']]);
  });

  it('settled, and in mode visitor since: the cookie expires all the same, and then its former holder gets an id', () => {
    const input = edge([SHOP], { release: releaseOf(), plan: SETTLED });
    const rules = summaries(served(input));
    expect(rules[0]).toEqual(['perch:default/web:known:stable:-:shop', 'web v2 perch-web=v2-5c1f0e9b; Max-Age=-1 private']);
    const { expires: _, ...withoutCookie } = SETTLED;
    expect(rules.slice(1)).toEqual(summaries(served(edge([SHOP], { release: releaseOf(), plan: withoutCookie }))));
    expect(unweave(served(input))).toStrictEqual(input.routed);
  });

  it.each([
    [0.1, 999, 1],
    [12.5, 875, 125],
    [33, 67, 33],
    [99.9, 1, 999],
  ])('a weight of %d percent is the integers %i and %i', (weight, stable, canary) => {
    const [, drawn] = rulesOf(served(edge([SHOP], { plan: { ...TEN_PERCENT_DRAWN, weight } })));
    expect(drawn?.route?.map((target) => target.weight)).toEqual([stable, canary]);
  });

  it('at 100 % one rule is left: everyone is sent to the canary, and gets the cookie', () => {
    expect(summaries(served(edge([SHOP], { plan: { ...TEN_PERCENT_DRAWN, weight: 100 } })))).toEqual([
      ['perch:default/web:rest:drawn:-:shop', 'web v1 0', 'web v2 100 perch-web=v2-5c1f0e9b; Max-Age=21600 private'],
    ]);
  });

  it('cache: private marks the answers of both cohorts while a release runs, and is taken out again', () => {
    const release = releaseOf({ ...CANARY_ONLY, cache: 'private' });
    const http = [
      { ...SHOP, route: [{ destination: { host: 'web' }, headers: { response: { add: { 'cache-control': 'private' } } } }] },
      { route: [{ destination: { host: 'web' } }] },
    ];
    const input = edge(http, { release });
    const cacheControl = rulesOf(served(input)).map((rule) =>
      rule.route?.map(({ headers }) => Object.values({ ...headers?.response?.add }).filter((value) => value.includes('private'))),
    );
    expect(cacheControl).toEqual([
      [['private,private']],
      [['private,private'], ['private,private']],
      [['private']],
      [['private'], ['private']],
    ]);
    expect(unweave(served(input))).toStrictEqual(input.routed);
    expect(unweave(served(edge(http)))).toStrictEqual(input.routed);
  });

  it('a version may be another host', () => {
    const plan = { ...TEN_PERCENT_DRAWN, canary: { host: 'web-v2', port: 81 }, stable: { host: 'web-v1' } };
    const input = edge([{ route: [{ destination: { host: 'web' }, weight: 7 }] }], { plan });
    expect(summaries(served(input))).toEqual([
      ['perch:default/web:known:canary:-@web@', 'web-v2 7'],
      ['perch:default/web:rest:drawn:-@web@*7', 'web-v1 90', 'web-v2 10 perch-web=v2-5c1f0e9b; Max-Age=21600 private'],
    ]);
    expect(unweave(served(input))).toStrictEqual(input.routed);
  });

  it('un-weaves to the base, its weight included, or to the live version', () => {
    const http = [
      { ...SHOP, route: [{ destination: { subset: 'v1', host: 'web' }, weight: 100 }] },
      { route: [{ destination: { host: 'web' } }] },
    ];
    for (const plan of [TEN_PERCENT_DRAWN, { ...TEN_PERCENT_DRAWN, weight: 100 }, SETTLED]) {
      const input = edge(http, { plan });
      expect(unweave(served(input))).toStrictEqual(input.routed);
      const live = unweave(served(input), { release: { namespace: 'default', name: 'web' }, service: SERVICE, version: { subset: 'v2' } });
      expect(rulesOf(live).map(({ route }) => route)).toEqual([
        [{ destination: { host: 'web', subset: 'v2' }, weight: 100 }],
        [{ destination: { host: 'web', subset: 'v2' } }],
      ]);
    }
  });

  it('in an object that the mesh has too, only gateways draw: a call between services has no browser to keep the cookie', () => {
    const http = [
      { match: [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' }, gateways: ['mesh'] }], route: [{ destination: { host: 'web' } }] },
    ];
    const input = edge([], { routed: virtualService(http, { gateways: ['mesh', 'web'] }) });
    const object = served(input);
    expect(summaries(object)).toEqual([
      ['perch:default/web:known:canary:-', 'web v2'],
      ['perch:default/web:new:drawn:-', 'web v1 90', 'web v2 10 perch-web=v2-5c1f0e9b; Max-Age=21600 private'],
      ['perch:default/web:rest:stable:-', 'web v1'],
    ]);
    expect(rulesOf(object)[1]?.match).toEqual([{ uri: { prefix: '/a' }, gateways: ['web'], headers: { ':path': { prefix: '/a' } } }]);
    expect(unweave(object)).toStrictEqual(input.routed);
  });
});

const BOOKINFO = new URL('../../../examples/bookinfo/', import.meta.url);

function bookinfo(name: string): KubeObject {
  const objects = ['gateway.yaml', 'bookinfo.yaml', 'reviews.yaml'].flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, BOOKINFO), 'utf8')).map((document) => document.toJS() as KubeObject),
  );
  const found = objects.find((object) => object.metadata.name === name && object.kind !== 'Service');
  if (found === undefined) throw new Error(`examples/bookinfo has no ${name}`);
  return found;
}

describe('an internal service', () => {
  const reviews = (visitorId: object = {}): CanaryRelease =>
    releaseOf(
      {
        ...CANARY_ONLY,
        service: { host: 'reviews', port: 9080 },
        route: { adopt: { virtualService: 'reviews' } },
        visitorId: { issueAt: { virtualService: 'bookinfo' }, ...visitorId },
      },
      'reviews',
    );
  const plan = { ...TEN_PERCENT_DRAWN, cookie: { name: 'perch-reviews', value: 'v2-5c1f0e9b', maxAge: 21_600 } };
  const settled: RoutePlan = { kind: 'settled', live: { subset: 'v2' }, expires: plan.cookie };
  const input = (changes: Partial<WeaveInput> = {}): WeaveInput => ({
    ...edge([], { release: reviews(), plan, routed: bookinfo('reviews'), issuing: bookinfo('bookinfo') }),
    gateways: [bookinfo('bookinfo-gateway')],
    ...changes,
  });

  it('is drawn at the gateway, on documents, between two destinations that are both the entry service', async () => {
    const object = served(input());
    expect(summaries(object)).toEqual([
      ['perch:default/reviews:known:canary:+:productpage', 'productpage perch.reviews=canary'],
      [
        'perch:default/reviews:new:drawn:+:productpage',
        'productpage 90 perch.reviews=stable',
        'productpage 10 perch.reviews=canary perch-reviews=v2-5c1f0e9b; Max-Age=21600; Path=/ private',
      ],
      ['perch:default/reviews:rest:stable:+:productpage', 'productpage perch.reviews=stable'],
    ]);
    const asked = rulesOf(object)[1]?.match?.map(({ headers = {} }) => Object.keys(headers).filter((name) => name !== ':path'));
    expect(new Set(asked?.map(String))).toEqual(new Set(['accept', 'sec-fetch-mode']));
    await expect(stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
      'examples/canary-only-bookinfo.yaml',
    );
  });

  it('obeys what the gateway told, then the cookie, then stable', () => {
    expect(asYaml(served(input(), 1))).toBe(yaml`
- name: perch:default/reviews:told:canary:v1:reviews
  match:
    - headers:
        baggage:
          regex: (?:.*, ?)?perch\.reviews=canary(?:[ ;,].*)?
  route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
- name: perch:default/reviews:told:stable:v1:reviews
  match:
    - headers:
        baggage:
          regex: (?:.*, ?)?perch\.reviews=stable(?:[ ;,].*)?
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
- name: perch:default/reviews:known:canary:v1:reviews
  match:
    - headers:
        cookie:
          regex: (?:.*; ?)?perch-reviews=v2-5c1f0e9b(?:;.*)?
  route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
- name: perch:default/reviews:rest:stable:v1:reviews
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
`);
  });

  it('settled, the cookie expires at the gateway with the path that it was set with, and one rule is left inside', () => {
    expect(summaries(served(input({ plan: settled })))).toEqual([
      ['perch:default/reviews:known:stable:=:productpage', 'productpage perch-reviews=v2-5c1f0e9b; Max-Age=-1; Path=/ private'],
      ['perch:default/reviews:rest:stable:=:productpage', 'productpage'],
    ]);
    expect(summaries(served(input({ plan: settled }), 1))).toEqual([['perch:default/reviews:rest:stable:v1:reviews', 'reviews v2']]);
  });

  it('settled, and in mode visitor since, the cookie expires with that path too', () => {
    const release = reviews();
    const visitor: CanaryRelease = { ...release, spec: { ...release.spec, affinity: { mode: 'visitor' } } };
    const [first, ...others] = summaries(served(input({ release: visitor, plan: settled })));
    expect(first).toEqual([
      'perch:default/reviews:known:stable:=:productpage',
      'productpage perch-reviews=v2-5c1f0e9b; Max-Age=-1; Path=/ private',
    ]);
    expect(others.map(([name]) => name?.split(':').slice(2, 4).join(' '))).toEqual(['known stable', 'new stable', 'rest stable']);
  });

  it('matches only on what is propagated; without baggage nothing is stamped', () => {
    const byCookie = input({ release: reviews({ propagate: ['cookie'] }) });
    expect(JSON.stringify(served(byCookie))).not.toContain('baggage');
    expect(summaries(served(byCookie, 1)).map(([name]) => name)).toEqual([
      'perch:default/reviews:known:canary:v1:reviews',
      'perch:default/reviews:rest:stable:v1:reviews',
    ]);
    const told = summaries(served(input({ release: reviews({ propagate: ['baggage'] }) }), 1)).map(([name]) => name?.split(':')[2]);
    expect(told).toEqual(['told', 'told', 'rest']);
  });

  it.each([plan, { ...plan, weight: 100 }, settled])('both objects un-weave to their bases: %j', (each) => {
    expect(unweave(served(input({ plan: each })))).toStrictEqual(bookinfo('bookinfo'));
    expect(unweave(served(input({ plan: each }), 1))).toStrictEqual(bookinfo('reviews'));
  });

  it('an entry rule that draws already is in the way, at every step', () => {
    const route = [
      { destination: { host: 'a' }, weight: 9 },
      { destination: { host: 'b' }, weight: 1 },
    ];
    const issuing = virtualService([
      { match: [{ uri: { prefix: '/drawn' } }], route },
      { match: [{ uri: { prefix: '/a' } }], route: [{ destination: { host: 'a' } }] },
    ]);
    for (const each of [plan, settled]) {
      const { routes, diagnostics } = weaveRelease(input({ plan: each, issuing, gateways: [gatewayOf()] }));
      expect(diagnostics).toEqual([
        {
          code: 'PERCH2003',
          severity: 'warning',
          message: 'the rule is not woven: it draws between several weighted destinations, where the release has to draw',
          hint: 'leave one destination, or use affinity.mode: visitor, which draws nothing here',
          object: 'VirtualService default/web',
          path: 'spec.http[0].route',
        },
      ]);
      expect(rulesOf(routes[0]?.virtualService)[0]).toEqual(rulesOf(issuing)[0]);
    }
  });
});

describe('what a draw cannot be woven into', () => {
  const GOOD = { match: [{ uri: { prefix: '/good' } }], route: [{ destination: { host: 'web' } }] };
  const findings = (rule: object, changes: Partial<WeaveInput> = {}) =>
    weaveRelease(edge([rule, GOOD], changes)).diagnostics.map(({ code, path }) => `${code} ${path}`);
  const target = { destination: { host: 'web' } };
  const match = [{ uri: { prefix: '/a' } }];

  it.each([
    [
      'a match on cookies',
      { match: [{ headers: { Cookie: { exact: 'a=1' } } }], route: [target] },
      'PERCH2002 spec.http[0].match[0].headers',
    ],
    ['several destinations', { match, route: [target, { ...target, weight: 1 }] }, 'PERCH2003 spec.http[0].route'],
    [
      'a cookie of the destination’s own',
      { match, route: [{ ...target, headers: { response: { add: { 'set-cookie': 'a=1' } } } }] },
      'PERCH2004 spec.http[0].route[0].headers.response.add',
    ],
    [
      'an operation that undoes the cookie',
      { match, route: [target], headers: { response: { remove: ['Set-Cookie'] } } },
      'PERCH2014 spec.http[0].headers.response',
    ],
    [
      'an operation that undoes the mark for caches',
      { match, route: [target], headers: { response: { set: { 'cache-control': 'max-age=60' } } } },
      'PERCH2014 spec.http[0].headers.response',
    ],
    [
      'operations of the rule and of the destination on one header, whose order a draw turns round',
      { match, route: [{ ...target, headers: { request: { set: { 'X-Tenant': 'b' } } } }], headers: { request: { remove: ['x-tenant'] } } },
      'PERCH2016 spec.http[0].headers.request',
    ],
  ])('%s', (_, rule, finding) => {
    for (const plan of [TEN_PERCENT_DRAWN, SETTLED]) expect(findings(rule, { plan })).toEqual([finding]);
  });

  it.each([
    [
      'its own match on what only ids need',
      { match: [{ headers: { accept: { exact: 'a' }, 'x-request-id': { prefix: '0' } } }], route: [target] },
    ],
    ['a cookie that the rule adds', { match, route: [target], headers: { response: { add: { 'Set-Cookie': 'a=1' } } } }],
    [
      'operations on one header that both only remove',
      { match, route: [{ ...target, headers: { request: { remove: ['x-a'] } } }], headers: { request: { remove: ['X-A'] } } },
    ],
  ])('not in the way: %s', (_, rule) => {
    expect(findings(rule)).toEqual([]);
  });

  it('matches that cannot be limited to the gateway draw nobody, and say so', () => {
    const http = [{ match: [{ uri: { prefix: '/a' } }, { sourceLabels: { app: 'x' } }], route: [target] }];
    const { diagnostics } = weaveRelease(edge([], { routed: virtualService(http, { gateways: ['mesh', 'web'] }) }));
    expect(diagnostics.map(({ code, severity, message, path }) => [code, severity, message, path])).toEqual([
      [
        'PERCH2015',
        'info',
        'nobody is drawn by this match: its source conditions cannot be limited to the gateway',
        'spec.http[0].match[1]',
      ],
    ]);
  });

  it('an object that only the mesh has: no browser would get the cookie', () => {
    const { diagnostics } = weaveRelease(edge([], { routed: virtualService([GOOD], { gateways: ['mesh'] }) }));
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['PERCH2010', 'VirtualService default/web is bound to the mesh only, so visitors cannot get the canary’s cookie there'],
    ]);
    const nowhere = releaseOf({ ...CANARY_ONLY, visitorId: { issueAt: { virtualService: 'entry' } } });
    expect(weaveRelease(edge([GOOD], { release: nowhere })).diagnostics.map(({ message }) => message)).toEqual([
      'VirtualService default/entry, where visitors are to be drawn, does not exist',
    ]);
    const entry = virtualService(
      [
        {
          route: [
            { ...target, weight: 1 },
            { ...target, weight: 1 },
          ],
        },
      ],
      {},
      'entry',
    );
    const inside = virtualService([GOOD], { gateways: ['mesh'] });
    const nobody = weaveRelease(edge([], { release: nowhere, routed: inside, issuing: entry })).diagnostics;
    expect(nobody.map(({ code, message }) => `${code} ${message}`)).toContain(
      'PERCH2011 no rule of VirtualService default/entry can draw visitors',
    );
  });
});

describe('between releases', () => {
  it('the mode of the spec says what stays for the next release: ids where it has them, nothing where it draws', () => {
    const settled: RoutePlan = { kind: 'settled', live: { subset: 'v1' } };
    const toIds = summaries(served(edge([SHOP], { release: releaseOf(), plan: settled }))).map(([name]) => name?.split(':')[2]);
    expect(toIds).toEqual(['known', 'new', 'rest']);
    expect(summaries(served(edge([SHOP], { plan: settled })))).toEqual([['perch:default/web:rest:stable:-:shop', 'web v1']]);
  });

  it('a release under way goes on as it began, whatever the spec says by now', () => {
    expect(served(edge([SHOP], { release: releaseOf() }))).toEqual(served(edge([SHOP])));
  });
});
