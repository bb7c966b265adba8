import { expect, test } from 'vitest';
import { compileRouting } from '../routing/compile.ts';
import type { KubeObject } from './resources.ts';
import { type EndpointSlice, serviceEntryOf } from './service-entry-of.ts';

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    ports: [
      { name: 'http', port: 80 },
      { name: 'admin', port: 9000 },
    ],
  },
};
const slice = (endpoints: EndpointSlice['endpoints'], ports: EndpointSlice['ports'] = [{ name: 'http', port: 8080 }]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'shop' },
  ...(endpoints === undefined ? {} : { endpoints }),
  ...(ports === undefined ? {} : { ports }),
});
const at = (address: string, pod: string, conditions: object = { ready: true }) => ({
  addresses: [address],
  conditions,
  targetRef: { kind: 'Pod', name: pod },
});
const labels = (pod: string) => (pod.startsWith('gone') ? undefined : { app: 'web', version: pod.slice(0, 2) });

const RULE: KubeObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { host: 'web', subsets: ['v1', 'v2'].map((name) => ({ name, labels: { version: name } })) },
};

/** Addresses by subset, as Envoy would have them. */
function endpoints(slices: readonly EndpointSlice[], readyOnly = true): Record<string, readonly string[]> {
  const { clusters } = compileRouting([serviceEntryOf(SERVICE, slices, labels, readyOnly), RULE]).table;
  const web = clusters.filter(({ host, port }) => host === 'web.shop.svc.cluster.local' && port === 80);
  return Object.fromEntries(
    web.map(({ subset = 'all', endpoints: all }) => [subset, all.map(({ address, port }) => `${address}:${port}`)]),
  );
}

test('subsets choose among the pods of a Service by their labels, at the ports of the slice', () => {
  const first = slice([at('10.0.0.1', 'v1-a'), at('10.0.0.2', 'v2-a')]);
  const second = slice([at('10.0.0.3', 'v2-b'), at('10.0.0.4', 'gone-a')], [{ name: 'http', port: 8081 }]);
  expect(endpoints([first, second])).toEqual({
    all: ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8081', '10.0.0.4:8081'],
    v1: ['10.0.0.1:8080'],
    v2: ['10.0.0.2:8080', '10.0.0.3:8081'],
  });
});

test('what is not ready, or is about to end, is left out where only ready ones are asked for; what does not say is ready', () => {
  const all = slice([
    at('10.0.0.1', 'v1-a', { ready: false }),
    at('10.0.0.2', 'v1-b', { ready: true, terminating: true }),
    at('10.0.0.3', 'v1-c', {}),
    { addresses: [], conditions: { ready: true } },
  ]);
  expect(endpoints([all])).toMatchObject({ all: ['10.0.0.3:8080'], v1: ['10.0.0.3:8080'], v2: [] });
  expect(endpoints([all], false).v1).toHaveLength(3);
});

test('a Service without slices, ports or names of ports', () => {
  expect(endpoints([])).toEqual({ all: [], v1: [], v2: [] });
  expect(endpoints([slice(null, null)])).toEqual({ all: [], v1: [], v2: [] });
  const one = { ...SERVICE, spec: { ports: [{ port: 80 }] } };
  const entry = serviceEntryOf(one, [slice([at('10.0.0.1', 'v1-a')], [{ name: '', port: 8080 }])], labels, true);
  expect([entry.spec.ports, entry.spec.endpoints?.[0]?.ports]).toEqual([[{ number: 80, name: 'http', protocol: 'HTTP' }], { http: 8080 }]);
  expect(serviceEntryOf({ ...SERVICE, spec: {} }, [], labels, true).spec.ports).toEqual([]);
});
