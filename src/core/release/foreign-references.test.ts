import { expect, test } from 'vitest';
import type { CanaryReleaseSpec } from './canary-release.ts';
import { foreignReferences } from './foreign-references.ts';
import { specOf } from './release-world.cases.ts';

const referencesOf = (changes: Partial<CanaryReleaseSpec>) => {
  const metadata = { name: 'web', namespace: 'shop' };
  const found = foreignReferences({ apiVersion: 'perch.dev/v1alpha1', kind: 'CanaryRelease', metadata, spec: specOf(changes) });
  return found.map(({ path, what, namespace }) => `${path}: ${what} (${namespace})`);
};
const managed = (changes: object): Partial<CanaryReleaseSpec> => ({
  route: { managed: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }] }], ...changes } },
});

test.each<[string, Partial<CanaryReleaseSpec>]>([
  ['names of its own namespace, short or full', { service: { host: 'web.shop.svc.cluster.local', port: 80 }, canary: { host: 'web-v2' } }],
  ['hosts of no namespace', { canary: { host: 'api.example.com' }, stable: { host: '10.0.0.1' } }],
  ['gateways of its own namespace, and the mesh', managed({ gateways: ['edge', 'shop/edge', './edge', 'mesh'] })],
  ['any host at a gateway', managed({ hosts: ['*'], gateways: ['edge'] })],
  ['what an object that it adopts names: who wrote that was asked', { route: { adopt: { virtualService: 'web' } } }],
])('nothing foreign: %s', (_, changes) => {
  expect(referencesOf(changes)).toEqual([]);
});

test.each<[string, Partial<CanaryReleaseSpec>, readonly string[]]>([
  [
    'versions and the service itself',
    {
      service: { host: 'web.pay.svc.cluster.local', port: 80 },
      canary: { host: 'v2.pay.svc.cluster.local' },
      stable: { host: 'v1.old.svc.cluster.local' },
    },
    ['spec.service.host: Service pay/web (pay)', 'spec.canary.host: Service pay/v2 (pay)', 'spec.stable.host: Service old/v1 (old)'],
  ],
  [
    'gateways, in every way to write them',
    managed({ gateways: ['istio-system/edge', 'edge.ingress'] }),
    [
      'spec.route.managed.gateways[0]: Gateway istio-system/edge (istio-system)',
      'spec.route.managed.gateways[1]: Gateway ingress/edge (ingress)',
    ],
  ],
  [
    'hosts of the mesh: a service of others, or of everybody',
    managed({ hosts: ['web', 'web.pay.svc.cluster.local', '*.pay.svc.cluster.local', '*.local', '*'] }),
    [
      'spec.route.managed.hosts[1]: Service pay/web (pay)',
      'spec.route.managed.hosts[2]: Service pay/* (pay)',
      'spec.route.managed.hosts[3]: *.local, services of all namespaces (*)',
      'spec.route.managed.hosts[4]: *, services of all namespaces (*)',
    ],
  ],
  [
    'whatever a rule names',
    {
      route: {
        delegate: {
          name: 'web',
          http: [
            {
              match: [{ gateways: ['istio-system/edge'] }],
              route: [{ destination: { host: 'web' } }, { destination: { host: 'a.pay.svc.cluster.local' } }],
              mirror: { host: 'b.pay.svc.cluster.local' },
              mirrors: [{ destination: { host: 'c.pay.svc.cluster.local' } }],
            },
            { delegate: { name: 'next', namespace: 'pay' } },
          ],
        },
      },
    },
    [
      'spec.route.delegate.http[0].match[0].gateways[0]: Gateway istio-system/edge (istio-system)',
      'spec.route.delegate.http[0].route[1].destination.host: Service pay/a (pay)',
      'spec.route.delegate.http[0].mirror.host: Service pay/b (pay)',
      'spec.route.delegate.http[0].mirrors[0].destination.host: Service pay/c (pay)',
      'spec.route.delegate.http[1].delegate.namespace: VirtualService pay/next (pay)',
    ],
  ],
])('found: %s', (_, changes, expected) => {
  expect(referencesOf(changes)).toEqual(expected);
});
