import { expect, test } from 'vitest';
import { HTTP_ROUTE, HTTP_ROUTE_API } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { RoutePlan } from '../weave/plan.ts';
import { meshRivalsOfHttpRoute } from './mesh-rivals.ts';

const SPLIT: RoutePlan = { kind: 'split', stable: { host: 'web-v1' }, canary: { host: 'web-v2' }, cutoff: 410, offset: 0 };
const at = (hour: number) => `2026-11-20T0${hour}:00:00Z`;

function httpRoute(hour: number, parent: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: HTTP_ROUTE_API,
    kind: HTTP_ROUTE,
    metadata: { name: 'web', namespace: 'default', creationTimestamp: at(hour), ...metadata },
    spec: { parentRefs: [{ group: '', kind: 'Service', name: 'web', ...parent }], rules: [] },
  };
}

function virtualService(hour: number, spec: object = {}): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web-vs', namespace: 'default', creationTimestamp: at(hour) },
    spec: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }] }], ...spec },
  };
}

const found = (route: KubeObject, others: readonly KubeObject[], plan: RoutePlan = SPLIT) =>
  meshRivalsOfHttpRoute(route, {
    plan,
    siblings: [route, ...others.filter(({ kind }) => kind === HTTP_ROUTE)],
    virtualServices: others.filter(({ kind }) => kind !== HTTP_ROUTE),
  }).map(({ severity, message }) => `${severity}: ${message}`);

const EITHER = (rival: string) =>
  `error: ${rival} and HTTPRoute default/web both route web.default.svc.cluster.local in the mesh, where one of the two only counts for a client: delete one of them, or join them`;
const FIRST = (rival: string) =>
  `warning: ${rival} routes web.default.svc.cluster.local in the mesh too, and is not used for it: HTTPRoute default/web is older`;

test('a VirtualService of the Service counts for some clients, unless the HTTPRoute is older', () => {
  expect(found(httpRoute(2), [virtualService(1)])).toEqual([EITHER('VirtualService default/web-vs')]);
  expect(found(httpRoute(2), [virtualService(2)])).toEqual([EITHER('VirtualService default/web-vs')]);
  expect(found(httpRoute(2), [virtualService(1)], { kind: 'settled', live: { host: 'web-v1' } })[0]).toMatch(/^warning/);
  expect(found(httpRoute(2), [virtualService(3)])).toEqual([FIRST('VirtualService default/web-vs')]);
  expect(found(httpRoute(2), [virtualService(3, { exportTo: ['*'] })])).toEqual([FIRST('VirtualService default/web-vs')]);
});

test('one that some namespaces see only comes first there, however young it is', () => {
  expect(found(httpRoute(2), [virtualService(3, { exportTo: ['.'] })])).toEqual([EITHER('VirtualService default/web-vs')]);
});

test('others are nothing to it: of other hosts, ports and gateways', () => {
  const others = [
    virtualService(1, { hosts: ['other'] }),
    virtualService(1, { gateways: ['edge'] }),
    httpRoute(1, { name: 'other' }, { name: 'other' }),
    httpRoute(1, {}, { name: 'merged' }),
  ];
  expect(found(httpRoute(2), others)).toEqual([]);
  const ofPort = virtualService(1, { http: [{ match: [{ port: 81 }], route: [{ destination: { host: 'web' } }] }] });
  expect(found(httpRoute(2, { port: 80 }), [ofPort])).toEqual([]);
  expect(found(httpRoute(2), [ofPort])).toHaveLength(1);
});

test('of HTTPRoutes of one Service those of all its ports and those of one are not merged: the older counts', () => {
  const ofPort = httpRoute(1, { port: 80 }, { name: 'port' });
  expect(found(httpRoute(2), [ofPort])).toEqual([EITHER('HTTPRoute default/port')]);
  expect(found(httpRoute(2, { port: 80 }), [ofPort])).toEqual([]);
  expect(found(httpRoute(2, { port: 81 }), [ofPort])).toEqual([]);
  expect(found(httpRoute(0), [ofPort])).toEqual([FIRST('HTTPRoute default/port')]);
});

test('one of another namespace takes the clients there, whatever is older', () => {
  for (const hour of [1, 3]) {
    const other = httpRoute(hour, { namespace: 'default' }, { name: 'mine', namespace: 'shop' });
    expect(found(httpRoute(2), [other])).toEqual([
      'warning: clients in the namespace shop go by HTTPRoute shop/mine for web.default.svc.cluster.local, and not by HTTPRoute default/web',
    ]);
  }
});
