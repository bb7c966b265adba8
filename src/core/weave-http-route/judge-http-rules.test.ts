import { expect, test } from 'vitest';
import type { HttpRouteMatch, HttpRouteRule, HttpRouteSpec } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { SplitPlan } from '../weave/plan.ts';
import { httpReleaseOf, httpRoute } from './http-fixtures.cases.ts';
import { weaveHttpRoute } from './weave-http-route.ts';

const PLAN: SplitPlan = { kind: 'split', stable: { host: 'web-v1' }, canary: { host: 'web-v2' }, cutoff: 410, offset: 0 };
const WEB: HttpRouteRule = { backendRefs: [{ name: 'web-v1', port: 9080 }] };
const at = (value: string, match: object = {}): readonly HttpRouteMatch[] => [{ path: { type: 'PathPrefix', value }, ...match }];

function weave(
  rules: readonly HttpRouteRule[],
  siblings: readonly KubeObject[] = [],
  spec: HttpRouteSpec = {},
  release: Readonly<Record<string, unknown>> = {},
) {
  const { route, diagnostics } = weaveHttpRoute({
    release: httpReleaseOf(release),
    plan: PLAN,
    former: [],
    route: httpRoute(rules, spec),
    siblings,
    virtualServices: [],
  });
  return { route, found: diagnostics.map(({ code, path, severity }) => `${severity} ${code} ${path}`), diagnostics };
}
const found = (...args: Parameters<typeof weave>) => weave(...args).found;
const NONE = 'error PERCH2001 spec.route.adopt.httpRoute';

test('a rule that leads to the service or a version is woven, and any other left alone', () => {
  expect(found([WEB, { ...WEB, matches: at('/shop') }, { matches: at('/a'), backendRefs: [{ name: 'other', port: 80 }] }])).toEqual([]);
  expect(found([{ backendRefs: [{ name: 'web-v1', port: 81 }] }])).toEqual([NONE]);
  expect(found([{ backendRefs: [{ name: 'web-v1', namespace: 'other', port: 9080 }] }])).toEqual([NONE]);
  expect(found([{ backendRefs: [{ group: 'x.test', kind: 'Bucket', name: 'web-v1', port: 9080 }] }])).toEqual([NONE]);
  const hostname = { group: 'networking.istio.io', kind: 'Hostname', name: 'web-v1.default.svc.cluster.local', port: 9080 };
  expect(found([{ backendRefs: [hostname] }])).toEqual([]);
});

test('one that draws, answers, or matches on what weaving needs stays, and says why', () => {
  const drawing = {
    backendRefs: [
      { name: 'web-v1', port: 9080 },
      { name: 'web-v2', port: 9080 },
    ],
  };
  expect(found([drawing])).toEqual(['warning PERCH2003 spec.rules[0].backendRefs', NONE]);
  expect(found([WEB, { matches: at('/old'), filters: [{ type: 'RequestRedirect' }] }])).toEqual(['info PERCH2007 spec.rules[1].filters']);
  const cookie = { ...WEB, matches: at('/', { headers: [{ name: 'Cookie', value: 'a=1' }] }) };
  expect(found([cookie])).toEqual(['warning PERCH2002 spec.rules[0].matches[0].headers', NONE]);
  const own = { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'set-cookie', value: 'a=1' }] } };
  expect(found([{ backendRefs: [{ name: 'web-v1', port: 9080, filters: [own] }] }])).toEqual([
    'warning PERCH2004 spec.rules[0].backendRefs',
    NONE,
  ]);
  expect(found([{ ...WEB, filters: [own] }])).toEqual([]);
  const adding = (count: number) => ({
    type: 'ResponseHeaderModifier',
    responseHeaderModifier: { add: Array.from({ length: count }, (_, index) => ({ name: `x-${index}`, value: '1' })) },
  });
  const behind = (count: number) => ({ backendRefs: [{ name: 'web-v1', port: 9080, filters: [adding(count)] }] });
  expect(found([behind(14)])).toEqual([]);
  expect(found([behind(15)])).toEqual(['warning PERCH2030 spec.rules[0].backendRefs', NONE]);
});

test('what is larger than Gateway API allows is refused as a whole', () => {
  const released = (count: number) => Array.from({ length: count }, (_, index) => ({ ...WEB, matches: at(`/${index}`) }));
  expect(found(released(3))).toEqual([]);
  expect(found(released(4))).toEqual(['error PERCH2030 spec.rules']);
  const matches = (count: number) => [
    { ...WEB, matches: Array.from({ length: count }, (_, index) => ({ path: { type: 'Exact' as const, value: `/${index}` } })) },
  ];
  expect(found(matches(18))).toEqual([]);
  expect(found(matches(19))).toEqual(['error PERCH2030 spec.rules']);
  const headers = Array.from({ length: 15 }, (_, index) => ({ name: `x-${index}`, value: '1' }));
  expect(found([{ ...WEB, matches: at('/', { headers }) }])).toEqual(['warning PERCH2030 spec.rules[0].matches[0].headers', NONE]);
  expect(found([{ ...WEB, name: 'a'.repeat(253) }])).toEqual(['warning PERCH2030 spec.rules[0].name', NONE]);
});

test('a rule that cannot be kept before the release is not overtaken: the release stands back', () => {
  const beside = (headers: readonly object[]): HttpRouteRule => ({
    matches: at('/', { headers }),
    backendRefs: [{ name: 'other', port: 80 }],
  });
  expect(found([WEB, beside([{ name: 'x-pin', value: '1' }])])).toEqual([]);
  expect(found([WEB, beside([{ name: 'Host', value: 'shop.test' }])])).toEqual(['warning PERCH2031 spec.rules[0]', NONE]);
});

test('nor are rules of other routes of the same host and gateway', () => {
  const other = (headers: number, spec: HttpRouteSpec = {}, age = 2) =>
    httpRoute(
      [{ matches: at('/', { headers: Array.from({ length: headers }, (_, index) => ({ name: `x-${index}`, value: '1' })) }) }],
      spec,
      'other',
      age,
    );
  const refused = ['warning PERCH2031 spec.rules[0]', NONE];
  // Younger, it stands behind, and stays there; older and as narrow as the woven rules, it stays before.
  expect([0, 1, 2, 3].map((headers) => found([WEB], [other(headers)]).length)).toEqual([0, 2, 2, 0]);
  expect([0, 1, 2, 3].map((headers) => found([WEB], [other(headers, {}, 0)]).length)).toEqual([2, 2, 0, 0]);
  expect(found([WEB], [other(1)])).toEqual(refused);
  expect(found([WEB], [other(1, { hostnames: ['other.test'] })])).toEqual([]);
  expect(found([WEB], [other(1, { parentRefs: [{ name: 'inside' }] })])).toEqual([]);
  expect(found([WEB], [other(1, { parentRefs: [{ name: 'edge', namespace: 'other' }] })])).toEqual([]);
  const sections = ['http', 'https'].map((sectionName) => ({ parentRefs: [{ name: 'edge', sectionName }] }));
  expect(found([WEB], [other(1, sections[0])], sections[1])).toEqual([]);
  expect(found([WEB], [other(1, sections[0])], sections[0])).toEqual(refused);
  expect(found([WEB], [other(1, sections[0])])).toEqual(refused);
});

test('one that takes every path stands back where hostnames overlap and are not the same', () => {
  const wide = httpRoute([{ matches: at('/api') }], { hostnames: ['*.test'] }, 'other');
  expect(found([WEB], [wide])).toEqual(['warning PERCH2031 spec.rules[0]', NONE]);
  expect(found([{ ...WEB, matches: at('/shop') }], [wide])).toEqual([]);
});

test('versions are Services beside the one that the route leads to', () => {
  const elsewhere = { ...PLAN, canary: { host: 'web-v2.other.svc.cluster.local' } };
  const { diagnostics } = weaveHttpRoute({
    release: httpReleaseOf(),
    plan: elsewhere,
    former: [],
    route: httpRoute([WEB]),
    siblings: [],
    virtualServices: [],
  });
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ['PERCH2032', 'web-v2.other.svc.cluster.local is no Service of the namespace that the backends of HTTPRoute default/web are of'],
  ]);
});

test('a cookie that browsers would drop is told', () => {
  const cookie = (fields: object) => ({ visitorId: { cookie: fields } });
  expect(found([WEB], [], {}, cookie({ partitioned: true }))).toEqual(['warning PERCH2013 spec.visitorId.cookie.partitioned']);
  expect(found([WEB], [], {}, cookie({ partitioned: true, secure: true }))).toEqual([]);
});
