import { describe, expect, it } from 'vitest';
import type { HttpRouteRule } from '../gateway-api/http-route.ts';
import type { EnvoyRouteConfiguration } from './envoy-route.ts';
import { isTellable, routeFormOf, routesAt } from './envoy-routes.ts';
import type { HTTPRoute, KubeObject } from './resources.ts';

const PATH = '/apis/networking.istio.io/v1/namespaces/default/virtual-service/';

function virtualService(http: readonly HTTPRoute[], spec: object = { hosts: ['shop.test'], gateways: ['edge'] }): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web', namespace: 'default' },
    spec: { ...spec, http },
  };
}

function rule(name: string, regex: string | undefined, subset: string): HTTPRoute {
  const match = regex === undefined ? {} : { match: [{ headers: { cookie: { regex } } }] };
  return { ...(name === '' ? {} : { name }), ...match, route: [{ destination: { host: 'web', subset, port: { number: 80 } } }] };
}

/** As istiod makes it of such a rule; a delegate's has the name of the root's rule before its own, and the root's object. */
function route(name: string, regex: string | undefined, subset: string, object = 'web', before = '') {
  const header = { name: 'cookie', stringMatch: { safeRegex: { regex } } };
  return {
    name: before + name,
    match: { prefix: '/', ...(regex === undefined ? {} : { headers: [header] }) },
    route: { cluster: `outbound|80|${subset}|web.default.svc.cluster.local` },
    metadata: { filterMetadata: { istio: { config: PATH + object } } },
  };
}

const dump = (...routes: ReturnType<typeof route>[]): readonly EnvoyRouteConfiguration[] => [{ virtualHosts: [{ routes }] }];

const narrow = virtualService([rule('perch:known', '1', 'v2'), rule('perch:rest', undefined, 'v1')]);
const wide = virtualService([rule('perch:known', '12', 'v2'), rule('perch:rest', undefined, 'v1')]);
const none = virtualService([rule('perch:rest', undefined, 'v1')]);
const base = virtualService([rule('', undefined, 'v1')]);
const rest = route('perch:rest', undefined, 'v1');

it('a waypoint names clusters of its own Services otherwise', () => {
  const atWaypoint = ({ route: { cluster }, ...rest }: ReturnType<typeof route>) => {
    const [, port, subset, host] = cluster.split('|');
    return { ...rest, route: { cluster: `inbound-vip|${port}|http${subset === '' ? '' : `/${subset}`}|${host}` } };
  };
  const made = (regex: string) => dump(atWaypoint(route('perch:known', regex, 'v2')), atWaypoint(rest));
  expect(routeFormOf(made('12'), wide, [narrow])).toBe('wanted');
  expect(routeFormOf(made('1'), wide, [narrow])).toBe('former');
  expect(routeFormOf(dump(atWaypoint(route('perch:known', '12', 'v3'))), wide, [narrow])).toBe('absent');
});

describe('which form of a VirtualService an Envoy routes by', () => {
  it.each([
    ['the cutoff of before', wide, [narrow], dump(route('perch:known', '1', 'v2'), rest), 'former'],
    ['the cutoff that is wanted', wide, [narrow], dump(route('perch:known', '12', 'v2'), rest), 'wanted'],
    ['one of several forms of before', wide, [none, narrow], dump(route('perch:known', '1', 'v2'), rest), 'former'],
    ['nobody on the canary any more', none, [narrow], dump(rest), 'wanted'],
    ['somebody on the canary still', none, [narrow], dump(route('perch:known', '1', 'v2'), rest), 'former'],
    ['only what both forms have', wide, [none], dump(rest), 'unclear'],
    ['a form that differs in nothing that is looked at', wide, [wide], dump(route('perch:known', '12', 'v2'), rest), 'unclear'],
    ['nothing of it', wide, [narrow], dump(route('other', '12', 'v2', 'other')), 'absent'],
    ['the same rules of another object', wide, [narrow], dump(route('perch:known', '12', 'v2', 'other')), 'absent'],
    ['a new object', wide, [], dump(route('perch:known', '12', 'v2'), rest), 'wanted'],
    ['the bare base before it is woven', wide, [base], dump(route('', undefined, 'v1')), 'former'],
    ['the bare base after a release has left', base, [wide], dump(route('', undefined, 'v1')), 'wanted'],
    ['a match with a name of its own', wide, [narrow], dump(route('perch:known', '12', 'v2', 'web', '')), 'wanted'],
  ] as const)('%s', (_, wanted, formers, routes, form) => {
    expect(routeFormOf(routes, wanted, formers)).toBe(form);
  });

  it('a rule behind several destinations is told by all of them', () => {
    const to = (subset: string, weight: number) => ({ destination: { host: 'web', subset, port: { number: 80 } }, weight });
    const split = virtualService([{ name: 'perch:drawn', route: [to('v1', 90), to('v2', 10)] }]);
    const clusters = ['v1', 'v2'].map((subset) => ({ name: `outbound|80|${subset}|web.default.svc.cluster.local` }));
    const drawn = { ...route('perch:drawn', undefined, 'v1'), route: { weightedClusters: { clusters } } };
    expect(routeFormOf([{ virtualHosts: [{ routes: [drawn] }] }], split, [none])).toBe('wanted');
    expect(routeFormOf(dump(route('perch:drawn', undefined, 'v1')), split, [none])).toBe('absent');
  });

  it('a destination without a port is of whichever the service has', () => {
    const bare = virtualService([{ name: 'perch:rest', route: [{ destination: { host: 'web', subset: 'v1' } }] }]);
    expect(routeFormOf(dump(rest), bare, [])).toBe('wanted');
  });

  it('the rules of a delegate come behind a root’s, in the root’s name', () => {
    const delegate = (regex: string) => virtualService([rule('perch:known', regex, 'v2'), rule('perch:rest', undefined, 'v1')], {});
    const served = (regex: string) =>
      dump(route('perch:known', regex, 'v2', 'root', 'pages-'), route('perch:rest', undefined, 'v1', 'root', 'pages-'));
    expect(routeFormOf(served('1'), delegate('12'), [delegate('1')])).toBe('former');
    expect(routeFormOf(served('12'), delegate('12'), [delegate('1')])).toBe('wanted');
    // Nothing tells whose a rule without a name is.
    expect(routeFormOf(dump(route('', undefined, 'v1', 'root')), delegate('1'), [virtualService([rule('', undefined, 'v1')], {})])).toBe(
      'absent',
    );
  });
});

describe('what is known of an object beforehand', () => {
  it('one that is new, or that only its root names, may be absent for now', () => {
    expect(isTellable([])).toBe(false);
    expect(isTellable([narrow, virtualService([], {})])).toBe(false);
    expect(isTellable([narrow, wide])).toBe(true);
  });

  it.each([
    [{ hosts: ['a'], gateways: ['edge'] }, true, false],
    [{ hosts: ['a'] }, false, true],
    [{ hosts: ['a'], gateways: ['mesh', 'infra/edge'] }, true, true],
    [{}, true, true],
  ])('%j: at gateways %s, inside %s', (spec, gateway, mesh) => {
    const object = virtualService([], spec);
    expect([routesAt(object, 'gateway'), routesAt(object, 'mesh')]).toEqual([gateway, mesh]);
  });
});

describe('which form of an HTTPRoute an Envoy routes by', () => {
  const cookie = (value: string) => ({ name: 'cookie', type: 'RegularExpression' as const, value });
  const httpRoute = (
    rules: readonly HttpRouteRule[],
    spec: object = { parentRefs: [{ name: 'edge' }], hostnames: ['Shop.test'] },
  ): KubeObject => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { ...spec, rules },
  });
  const rest: HttpRouteRule = { name: 'perch.rest', backendRefs: [{ name: 'web-v1', port: 80 }] };
  const step = (value: string): KubeObject =>
    httpRoute([{ name: 'perch.known', matches: [{ headers: [cookie(value)] }], backendRefs: [{ name: 'web-v2', port: 80 }] }, rest]);
  /** As istiod makes it of a rule: the object that it names is one of several that are one for it. */
  const made = (name: string, regex: string | undefined, service: string) => ({
    name,
    match: regex === undefined ? {} : { headers: [{ name: 'cookie', stringMatch: { safeRegex: { regex } } }] },
    route: { cluster: `outbound|80||${service}.shop.svc.cluster.local` },
    metadata: { filterMetadata: { istio: { config: '/apis/networking.istio.io/v1/namespaces/shop/virtual-service/shop~edge~shop.test' } } },
  });
  const at = (domain: string, ...routes: ReturnType<typeof made>[]): readonly EnvoyRouteConfiguration[] => [
    { virtualHosts: [{ domains: [domain], routes }] },
  ];
  const stable = made('perch.rest', undefined, 'web-v1');

  it.each([
    ['the cutoff of before', step('12'), [step('1')], at('shop.test', made('perch.known', '1', 'web-v2'), stable), 'former'],
    ['the cutoff that is wanted', step('12'), [step('1')], at('shop.test:80', made('perch.known', '12', 'web-v2'), stable), 'wanted'],
    ['the same at another host', step('12'), [step('1')], at('other.test', made('perch.known', '12', 'web-v2'), stable), 'absent'],
    ['nobody on the canary any more', httpRoute([rest]), [step('1')], at('shop.test', stable), 'wanted'],
    [
      'a rule without a name, which is named by its place',
      httpRoute([{ backendRefs: [{ name: 'web-v2', port: 80 }] }]),
      [httpRoute([{ backendRefs: [{ name: 'web-v1', port: 80 }] }])],
      at('shop.test', made('shop.web.0', undefined, 'web-v1')),
      'former',
    ],
    [
      'backends without weight, which get no requests',
      httpRoute([
        {
          name: 'all',
          backendRefs: [
            { name: 'web-v1', port: 80, weight: 0 },
            { name: 'web-v2', port: 80, weight: 1 },
          ],
        },
      ]),
      [httpRoute([{ name: 'all', backendRefs: [{ name: 'web-v1', port: 80 }] }])],
      at('shop.test', made('all', undefined, 'web-v2')),
      'wanted',
    ],
    [
      'a route of a Service, whose host names mean nothing',
      httpRoute([{ ...rest, backendRefs: [{ name: 'web-v2', port: 80 }] }], { parentRefs: [{ group: '', kind: 'Service', name: 'web' }] }),
      [httpRoute([rest])],
      at('web.shop.svc.cluster.local', made('perch.rest', undefined, 'web-v2')),
      'wanted',
    ],
  ] as const)('%s', (_, wanted, formers, routes, form) => {
    expect(routeFormOf(routes, wanted, formers)).toBe(form);
  });

  it('a Gateway is where visitors come in, a Service is inside the mesh; each is told from none', () => {
    const inside = httpRoute([rest], { parentRefs: [{ group: '', kind: 'Service', name: 'web' }] });
    const both = httpRoute([rest], { parentRefs: [{ name: 'edge' }, { group: '', kind: 'Service', name: 'web' }] });
    expect([step('1'), inside, both].map((object) => [routesAt(object, 'gateway'), routesAt(object, 'mesh')])).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
    expect(isTellable([step('1')])).toBe(true);
  });
});
