import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { missingEndpoints } from './missing-endpoints.ts';

const HOST = 'reviews.default.svc.cluster.local';
const istio = (kind: string, spec: unknown, name = 'reviews'): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name },
  spec,
});
const entry = (endpoints: readonly unknown[] = [], name?: string): KubeObject =>
  istio(
    'ServiceEntry',
    { hosts: [HOST], ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }], resolution: 'STATIC', endpoints },
    name,
  );
const rule = (host: string, ...subsets: readonly string[]): KubeObject =>
  istio('DestinationRule', { host, subsets: subsets.map((name) => ({ name, labels: { version: name } })) });

const v2 = { host: HOST, port: 9080, subset: 'v2' };

describe('why a version has no endpoints, and what to do', () => {
  test.each([
    ['no service', [], v2, `no ServiceEntry declares ${HOST}: add one, or correct the host`],
    [
      'no such port',
      [entry(), rule('reviews', 'v2')],
      { ...v2, port: 9081 },
      'ServiceEntry default/reviews has no port 9081, only 9080: add it there, or correct the port',
    ],
    ['no DestinationRule', [entry()], v2, `no DestinationRule is for ${HOST}: add one with a subset v2`],
    ['one for another host only', [entry(), rule('ratings', 'v2')], v2, `no DestinationRule is for ${HOST}: add one with a subset v2`],
    [
      'no such subset',
      [entry(), rule('reviews', 'v1', 'v3')],
      v2,
      'DestinationRule default/reviews has no subset v2, only v1, v3: add it there, or correct the version',
    ],
    [
      'no subsets at all, in a rule for many hosts',
      [entry(), rule('*.default.svc.cluster.local')],
      v2,
      'DestinationRule default/reviews has no subset v2, it has none: add it there, or correct the version',
    ],
    [
      'no endpoint with the labels',
      [entry([{ address: '10.0.0.1', labels: { version: 'v1' } }]), rule('reviews', 'v2')],
      v2,
      'no endpoint of ServiceEntry default/reviews has the labels of subset v2: add one, or correct the labels',
    ],
    [
      'no endpoints, in several declarations of a host that is a version',
      [entry(), entry([], 'more')],
      { host: HOST, port: 9080 },
      'no endpoints in ServiceEntry default/reviews and ServiceEntry default/more: add some',
    ],
  ] as const)('%s', (_, objects, address, expected) => {
    expect(missingEndpoints(objects, address)).toBe(expected);
  });
});
