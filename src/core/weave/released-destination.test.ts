import { describe, expect, it, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { atVersion, baseAtVersion, baseVersion, leadsTo, namedVersions, releasedVersions, standingOf } from './released-destination.ts';

const SERVICE = { namespace: 'default', host: 'reviews', port: 9080 };
const VERSIONS = [{ subset: 'v1' }, { host: 'reviews-old' }];

const to = (...destinations: readonly object[]) => ({ timeout: '2s', route: destinations.map((destination) => ({ destination })) });
const routes = (...http: readonly object[]): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews' },
  spec: { hosts: ['reviews'], http },
});

test('the versions of a base are those of its released destinations; one without a subset is the service as a whole', () => {
  const base = routes(
    to({ host: 'reviews', subset: 'v1' }),
    to({ host: 'reviews.default.svc.cluster.local', subset: 'v1', port: { number: 9080 } }),
    to({ host: 'reviews' }),
    to({ host: 'reviews-old' }),
    to({ host: 'reviews', subset: 'v9' }),
    to({ host: 'ratings', subset: 'v1' }),
    { redirect: { uri: '/' } },
  );
  expect(releasedVersions(base, SERVICE, VERSIONS)).toEqual([
    { subset: 'v1' },
    { host: 'reviews', port: 9080 },
    { host: 'reviews-old', port: 9080 },
  ]);
});

test('a base at a version has its released destinations there, and everything else as it was', () => {
  const kept = [
    to({ host: 'reviews', subset: 'v9' }),
    to({ host: 'ratings', subset: 'v1' }),
    to({ host: 'reviews', subset: 'v1' }, { host: 'reviews', subset: 'v2' }),
    { redirect: { uri: '/' } },
  ];
  const base = routes(to({ host: 'reviews', subset: 'v1' }), to({ host: 'reviews' }), to({ host: 'reviews-old' }), ...kept);
  const before = structuredClone(base);
  expect(baseAtVersion(base, SERVICE, VERSIONS, { subset: 'v2' })).toEqual(
    routes(
      to({ host: 'reviews', subset: 'v2' }),
      to({ host: 'reviews', subset: 'v2' }),
      to({ host: 'reviews', port: { number: 9080 }, subset: 'v2' }),
      ...kept,
    ),
  );
  expect(base).toEqual(before);
});

test('an empty subset is none, for a base that is written by a program', () => {
  const base = routes(to({ host: 'reviews', subset: '' }), to({ host: 'reviews-old', subset: '' }), to({ host: 'ratings' }));
  expect(releasedVersions(base, SERVICE, VERSIONS)).toEqual([
    { host: 'reviews', port: 9080 },
    { host: 'reviews-old', port: 9080 },
  ]);
  expect(namedVersions(base, SERVICE, VERSIONS)).toEqual([undefined, { host: 'reviews-old' }]);
});

describe('the version that a base names', () => {
  it.each<[string, readonly object[], object | undefined]>([
    [
      'all destinations at one subset',
      [
        { host: 'reviews', subset: 'v1' },
        { host: 'reviews', subset: 'v1' },
        { host: 'ratings', subset: 'v2' },
      ],
      { subset: 'v1' },
    ],
    [
      'two of them',
      [
        { host: 'reviews', subset: 'v1' },
        { host: 'reviews', subset: 'v2' },
      ],
      undefined,
    ],
    ['the service as a whole', [{ host: 'reviews' }], undefined],
    ['another host that is a version', [{ host: 'reviews-old', port: { number: 9080 } }], { host: 'reviews-old' }],
    ['that host, at a port that is not the version’s', [{ host: 'reviews-old', port: { number: 81 } }], undefined],
    ['the service at another port', [{ host: 'reviews', port: { number: 81 }, subset: 'v1' }], undefined],
    ['nothing of the service', [{ host: 'ratings', subset: 'v1' }], undefined],
  ])('%s', (_, destinations, version) => {
    expect(baseVersion(routes(...destinations.map((each) => to(each))), SERVICE, VERSIONS)).toEqual(version);
  });

  it('is none where nothing is routed', () => {
    const { spec: _, ...bare } = routes();
    expect(baseVersion(bare, SERVICE, VERSIONS)).toBeUndefined();
    expect(namedVersions(routes({ redirect: { uri: '/' } }), SERVICE, VERSIONS)).toEqual([]);
  });
});

describe('a destination at a version', () => {
  const kept = { port: { number: 9080, name: 'http' } };

  it('at a subset of the service keeps all else', () => {
    expect(atVersion({ host: 'reviews', subset: 'v1', ...kept }, 'default', SERVICE, { subset: 'v2' })).toEqual({
      host: 'reviews',
      subset: 'v2',
      ...kept,
    });
  });

  it('at another host loses the subset, which is of the service, and has the version’s port or else the service’s', () => {
    const from = { host: 'reviews', subset: 'v1', ...kept };
    expect(atVersion(from, 'default', SERVICE, { host: 'reviews-old' })).toEqual({ host: 'reviews-old', ...kept });
    expect(atVersion(from, 'default', SERVICE, { host: 'reviews-old', port: 81 })).toEqual({
      host: 'reviews-old',
      port: { number: 81, name: 'http' },
    });
  });

  it('from another host back to a subset leads to the service and its port', () => {
    expect(atVersion({ host: 'reviews-old', port: { number: 81 } }, 'default', SERVICE, { subset: 'v2' })).toEqual({
      host: 'reviews',
      port: { number: 9080 },
      subset: 'v2',
    });
  });
});

describe('where a destination stands', () => {
  it.each([
    ['released', { host: 'reviews' }, 'default'],
    ['elsewhere', { host: 'reviews' }, 'other'],
    ['released', { host: 'reviews.default.svc.cluster.local' }, 'other'],
    ['released', { host: 'reviews', subset: 'v1' }, 'default'],
    ['pinned', { host: 'reviews', subset: 'v9' }, 'default'],
    ['elsewhere', { host: 'reviews', port: { number: 81 } }, 'default'],
    ['released', { host: 'reviews-old', port: { number: 9080 } }, 'default'],
    ['elsewhere', { host: 'reviews-old', subset: 'v1' }, 'default'],
    ['elsewhere', { host: 'reviews-old' }, 'other'],
    ['elsewhere', { host: 'ratings' }, 'default'],
  ])('%s: %o of an object in %s', (standing, destination, namespace) => {
    expect(standingOf(destination, namespace, SERVICE, VERSIONS)).toBe(standing);
  });
});

describe('whether an object leads to a version', () => {
  const v1 = { host: 'reviews.default.svc.cluster.local', subset: 'v1' };
  it.each<[string, object, boolean]>([
    ['a rule', { http: [to({ host: 'reviews', subset: 'v1' })] }, true],
    ['one of several destinations', { http: [to({ host: 'reviews', subset: 'v2' }, v1)] }, true],
    ['another port', { http: [to({ ...v1, port: { number: 9090 } })] }, true],
    ['a mirror', { http: [{ ...to({ host: 'reviews', subset: 'v2' }), mirror: v1 }] }, true],
    ['one of several mirrors', { http: [{ ...to({ host: 'reviews', subset: 'v2' }), mirrors: [{ destination: v1 }] }] }, true],
    ['TCP', { tcp: [{ route: [{ destination: v1 }] }] }, true],
    ['TLS', { tls: [{ match: [{ sniHosts: ['a'] }], route: [{ destination: v1 }] }] }, true],
    ['another subset', { http: [to({ host: 'reviews', subset: 'v2' })] }, false],
    ['all of the service', { http: [to({ host: 'reviews' })] }, false],
    ['another service', { http: [to({ host: 'ratings', subset: 'v1' })] }, false],
    ['a delegate', { http: [{ delegate: { name: 'reviews' } }] }, false],
  ])('%s', (_, spec, leads) => {
    const object = { ...routes(), spec: { hosts: ['reviews'], ...spec } };
    expect(leadsTo(object, SERVICE, { subset: 'v1' })).toBe(leads);
  });

  it('a version that is a host is led to with any subset', () => {
    expect(leadsTo(routes(to({ host: 'reviews-old', subset: 'a' })), SERVICE, { host: 'reviews-old' })).toBe(true);
    expect(leadsTo(routes(to({ host: 'reviews', subset: 'a' })), SERVICE, { host: 'reviews-old' })).toBe(false);
  });
});
