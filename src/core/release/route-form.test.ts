import { describe, expect, test } from 'vitest';
import type { CanaryReleaseSpec } from './canary-release.ts';
import { ownedField, ownedVirtualService, routedName, routedPath, routeForm } from './route-form.ts';

const http = [{ route: [{ destination: { host: 'reviews' } }] }];
const release = (route: CanaryReleaseSpec['route']) => ({ metadata: { name: 'checkout', namespace: 'shop' }, spec: { route } });
const adopting = release({ adopt: { virtualService: 'reviews' } });
const delegating = release({ delegate: { name: 'reviews', http } });
const managing = release({ managed: { name: 'web', hosts: ['reviews'], gateways: ['edge'], http } });
const unnamed = release({ managed: { hosts: ['reviews'], http } });

describe('the VirtualService of a release', () => {
  test.each([
    [adopting, 'adopt', 'reviews', 'spec.route.adopt.virtualService', undefined],
    [delegating, 'delegate', 'reviews', 'spec.route.delegate.name', 'spec.route.delegate.http[0]'],
    [managing, 'managed', 'web', 'spec.route.managed', 'spec.route.managed.http[0]'],
    [unnamed, 'managed', 'checkout', 'spec.route.managed', 'spec.route.managed.http[0]'],
  ])('%#: its form, its name, and where the release says so', (of, ...expected) => {
    expect([routeForm(of), routedName(of), routedPath(of), ownedField(of, 'spec.http[0]')]).toEqual(expected);
  });

  test('as declared, with the release as its owner; an adopted one is the user’s', () => {
    const owned = (name: string, spec: object) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace: 'shop', annotations: { 'perch.dev/owned-by': 'shop/checkout' } },
      spec,
    });
    expect(ownedVirtualService(adopting)).toBeUndefined();
    expect(ownedVirtualService(delegating)).toEqual(owned('reviews', { http }));
    expect(ownedVirtualService(managing)).toEqual(owned('web', { hosts: ['reviews'], gateways: ['edge'], http }));
    expect(ownedVirtualService(unnamed)).toStrictEqual(owned('checkout', { hosts: ['reviews'], http }));
  });
});
