import { expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { baseAtVersion, releasedVersions } from './released-destination.ts';

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
