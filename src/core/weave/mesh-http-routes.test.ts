import { expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { httpRoutesInMesh } from './mesh-http-routes.ts';
import type { RoutePlan } from './plan.ts';
import { routeObject } from './route-object.ts';

const SPLIT: RoutePlan = { kind: 'split', stable: { subset: 'v1' }, canary: { subset: 'v2' }, cutoff: 410, offset: 0 };
const at = (hour: number) => `2026-11-20T0${hour}:00:00Z`;

function found(httpRoute: KubeObject, spec: object = {}, plan: RoutePlan = SPLIT, namespace = 'default') {
  const virtualService: KubeObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web', namespace, creationTimestamp: at(2) },
    spec: { hosts: ['web.default.svc.cluster.local'], http: [{ route: [{ destination: { host: 'web' } }] }], ...spec },
  };
  return httpRoutesInMesh([routeObject(virtualService, 'default')], [httpRoute], plan).map(({ severity, code }) => `${severity} ${code}`);
}

function httpRoute(hour: number, parent: object = {}, namespace = 'default'): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace, creationTimestamp: at(hour) },
    spec: { parentRefs: [{ group: '', kind: 'Service', name: 'web', namespace: 'default', ...parent }], rules: [] },
  };
}

test('an HTTPRoute of the Service takes the clients of its namespace, whatever is older', () => {
  expect([1, 3].flatMap((hour) => found(httpRoute(hour)))).toEqual(['error PERCH2019', 'error PERCH2019']);
  expect(found(httpRoute(1), {}, { kind: 'settled', live: { subset: 'v1' } })).toEqual(['warning PERCH2019']);
});

test('one of another namespace takes the clients there only', () => {
  expect([1, 3].flatMap((hour) => found(httpRoute(hour, {}, 'shop')))).toEqual(['warning PERCH2019', 'warning PERCH2019']);
});

test('beside a VirtualService of another namespace than the Service the older counts for all others', () => {
  expect(found(httpRoute(1), {}, SPLIT, 'shop')).toEqual(['error PERCH2019']);
  expect(found(httpRoute(3), {}, SPLIT, 'shop')).toEqual(['warning PERCH2019']);
});

test('it is nothing to one of other hosts, ports or gateways', () => {
  expect(found(httpRoute(1, { name: 'other' }))).toEqual([]);
  expect(found(httpRoute(1, { kind: 'Gateway', group: 'gateway.networking.k8s.io' }))).toEqual([]);
  expect(found(httpRoute(1), { gateways: ['edge'] })).toEqual([]);
  const http = [{ match: [{ port: 81 }], route: [{ destination: { host: 'web' } }] }];
  expect(found(httpRoute(1, { port: 80 }), { http })).toEqual([]);
  expect(found(httpRoute(1, { port: 81 }), { http })).toEqual(['error PERCH2019']);
});
