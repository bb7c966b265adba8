import { expect, test } from 'vitest';
import type { HttpRouteSpec, ParentRef } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { SplitPlan } from '../weave/plan.ts';
import { httpReleaseOf, httpRoute } from './http-fixtures.cases.ts';
import { weaveHttpRoute } from './weave-http-route.ts';

const PLAN: SplitPlan = { kind: 'split', stable: { host: 'web-v1' }, canary: { host: 'web-v2' }, cutoff: 410, offset: 0 };
const RULES = [{ backendRefs: [{ name: 'web-v1', port: 9080 }] }];
const SERVICE = { group: '', kind: 'Service', name: 'web' };
const INSIDE: HttpRouteSpec = { parentRefs: [SERVICE] };
const AT_EDGE = { visitorId: { issueAt: { httpRoute: 'edge' } } };
const EDGE = httpRoute([{ backendRefs: [{ name: 'front', port: 80 }] }], {}, 'edge');

function weave(spec: HttpRouteSpec, release: Readonly<Record<string, unknown>> = {}, issuing?: KubeObject) {
  return weaveHttpRoute({
    release: httpReleaseOf(release),
    plan: PLAN,
    former: [],
    route: httpRoute(RULES, spec),
    issuing,
    siblings: [],
    virtualServices: [],
  });
}
const found = (...args: Parameters<typeof weave>) =>
  weave(...args).diagnostics.map(({ code, path, message }) => `${code} ${path}: ${message}`);

test('in the mesh ids are not issued: another HTTPRoute is named for that, or ids come with a header', () => {
  expect(found(INSIDE)).toEqual([
    'PERCH2010 spec.visitorId.issueAt: HTTPRoute default/web hangs on Services, inside the mesh, so visitors cannot get their ids there',
  ]);
  expect(found(INSIDE, AT_EDGE)).toEqual([
    'PERCH2010 spec.visitorId.issueAt: HTTPRoute default/edge, where visitor ids are to be issued, does not exist',
  ]);
  expect(found(INSIDE, AT_EDGE, httpRoute([], INSIDE, 'edge'))).toEqual([
    'PERCH2010 spec.visitorId.issueAt: HTTPRoute default/edge does not hang on Gateways only, so visitors cannot get their ids there',
  ]);
  expect(found(INSIDE, AT_EDGE, EDGE)).toEqual([]);
  expect(found(INSIDE, { visitorId: { from: { header: 'x-tenant-id' } } })).toEqual([]);
});

test('at a gateway they are issued in the route itself', () => {
  expect(found({}, { visitorId: { issueAt: { httpRoute: 'web' } } })).toEqual([]);
  expect(found({}, AT_EDGE, EDGE)).toEqual([
    'PERCH2010 spec.visitorId.issueAt: HTTPRoute default/web is at a Gateway: visitors get their ids in it, and not in edge',
  ]);
});

test('all parents are of one place, and Services of the route’s namespace', () => {
  const refused = (parentRefs: readonly ParentRef[]) => found({ parentRefs }, AT_EDGE, EDGE).map((each) => each.split(':')[0]);
  expect(refused([SERVICE, { ...SERVICE, name: 'web-too', namespace: 'default', port: 80 }])).toEqual([]);
  expect(refused([{ name: 'edge' }, SERVICE])).toEqual(['PERCH2033 spec.parentRefs[1]']);
  expect(refused([SERVICE, { ...SERVICE, namespace: 'other' }])).toEqual(['PERCH2033 spec.parentRefs[1]']);
  expect(refused([{ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'web' }])).toEqual(['PERCH2033 spec.parentRefs[0]']);
  expect(refused([{ kind: 'Service', name: 'web' }])).toEqual(['PERCH2033 spec.parentRefs[0]']);
});

test('a rule of the edge that cannot be woven is told, and where none can, nobody would ever be on the canary', () => {
  const cookie = { headers: [{ name: 'Cookie', value: 'a=1' }] };
  expect(found(INSIDE, AT_EDGE, httpRoute([{ matches: [cookie], backendRefs: [{ name: 'front', port: 80 }] }], {}, 'edge'))).toEqual([
    expect.stringContaining('PERCH2002 spec.rules[0].matches[0].headers'),
    'PERCH2011 spec.rules: no rule of HTTPRoute default/edge can issue visitor ids',
  ]);
  const added = Array.from({ length: 16 }, (_, index) => ({ name: `x-${index}`, value: '1' }));
  const full = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { add: added } }];
  expect(found(INSIDE, AT_EDGE, httpRoute([{ backendRefs: [{ name: 'front', port: 80, filters: full }] }], {}, 'edge'))).toEqual([
    expect.stringContaining('PERCH2030 spec.rules[0].backendRefs'),
    expect.stringContaining('PERCH2011'),
  ]);
});

test('rules that draw between backends issue ids too, at each of them', () => {
  const drawing = { backendRefs: ['front', 'back'].map((name) => ({ name, port: 80, weight: 1 })) };
  const { issuing, diagnostics } = weave(INSIDE, AT_EDGE, httpRoute([drawing], {}, 'edge'));
  expect(diagnostics).toEqual([]);
  expect(JSON.stringify(issuing).match(/%REQ\(x-request-id\)%/g)).toHaveLength(4);
});
