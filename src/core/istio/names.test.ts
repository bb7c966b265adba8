import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  admittedServerHost,
  boundGateways,
  compareSpecificity,
  hostMatches,
  intersectHosts,
  isSubsetOf,
  resolveGateway,
  resolveHost,
  splitServiceHost,
} from './names.ts';

describe('short names (istio-semantics 1.1)', () => {
  test.each([
    ['reviews', 'reviews.shop.svc.cluster.local'],
    ['reviews.default', 'reviews.default'],
    ['reviews.default.svc.cluster.local', 'reviews.default.svc.cluster.local'],
    ['*', '*'],
    ['*.example.com', '*.example.com'],
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['', ''],
  ])('host %j in namespace shop is %j', (host, resolved) => {
    expect(resolveHost(host, 'shop')).toBe(resolved);
  });

  test.each([
    ['mesh', 'mesh'],
    ['web', 'shop/web'],
    ['other/web', 'other/web'],
    ['./web', 'shop/web'],
    ['web.other', 'other/web'],
    ['web.other.svc.cluster.local', 'other/web'],
  ])('gateway %j in namespace shop is %j', (name, resolved) => {
    expect(resolveGateway(name, 'shop')).toBe(resolved);
  });

  test('no gateways means the mesh, not every gateway (istio-semantics 1.2)', () => {
    expect(boundGateways(undefined, 'shop')).toEqual(['mesh']);
    expect(boundGateways([], 'shop')).toEqual(['mesh']);
    expect(boundGateways(['web', 'mesh'], 'shop')).toEqual(['shop/web', 'mesh']);
  });

  test('the parts of a service host', () => {
    expect(splitServiceHost('reviews.shop.svc.cluster.local')).toEqual({ name: 'reviews', namespace: 'shop' });
    expect(splitServiceHost('reviews.shop')).toBeUndefined();
    expect(splitServiceHost('shop.svc.cluster.local')).toBeUndefined();
  });
});

describe('wildcard hosts', () => {
  test.each([
    ['a.example.com', '*', true],
    ['a.example.com', '*.example.com', true],
    ['a.b.example.com', '*.example.com', true],
    ['example.com', '*.example.com', false],
    ['.example.com', '*.example.com', false],
    ['x-bar.foo.com', '*-bar.foo.com', true],
    ['-bar.foo.com', '*-bar.foo.com', false],
    ['a.example.com', 'a.example.com', true],
    ['b.example.com', 'a.example.com', false],
  ])('host %j under %j: %s', (host, pattern, expected) => {
    expect(hostMatches(pattern, host)).toBe(expected);
  });

  test.each([
    // server hosts, VirtualService hosts, what both cover (istio-semantics 1.3)
    [['*.example.com'], ['*'], ['*.example.com']],
    [['foo.bar'], ['*'], ['foo.bar']],
    [['*'], ['a.com'], ['a.com']],
    [['*.example.com'], ['a.example.com', 'a.org'], ['a.example.com']],
    [['*.com'], ['*.example.com'], ['*.example.com']],
    [['A.com'], ['a.COM'], ['a.com']],
    [['a.com'], ['b.com'], []],
    [['*', '*.com'], ['a.com'], ['a.com']],
  ])('%j and %j share %j', (left, right, shared) => {
    expect(intersectHosts(left, right)).toEqual(shared);
    expect(intersectHosts(right, left)).toEqual(shared);
  });

  test('exact names come first, then longer wildcards', () => {
    const hosts = ['*', '*.com', 'a.com', '*.example.com'];
    expect(hosts.sort(compareSpecificity)).toEqual(['a.com', '*.example.com', '*.com', '*']);
  });

  test('a subset covers no host that the larger one does not', () => {
    const label = fc.constantFrom('a', 'b', 'x-a', 'com');
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
    const pattern = fc.oneof(
      name,
      name.map((host) => `*.${host}`),
      fc.constant('*'),
    );
    fc.assert(
      fc.property(pattern, pattern, name, (inner, outer, host) => {
        fc.pre(isSubsetOf(inner, outer));
        return !hostMatches(inner, host) || hostMatches(outer, host);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

test('a server host can be reserved to namespaces (istio-semantics 1.3)', () => {
  expect(admittedServerHost('a.com', 'edge', 'shop')).toBe('a.com');
  expect(admittedServerHost('shop/a.com', 'edge', 'shop')).toBe('a.com');
  expect(admittedServerHost('./a.com', 'edge', 'shop')).toBeUndefined();
  expect(admittedServerHost('./a.com', 'edge', 'edge')).toBe('a.com');
  expect(admittedServerHost('*/a.com', 'edge', 'shop')).toBe('a.com');
});
