import fc from 'fast-check';
import type { KubeObject } from '../istio/resources.ts';

/** Routing objects of a small world, in which names, hosts, ports and labels meet again and again, and which names what is not there. */

const namespaces = fc.constantFrom('default', 'default', 'default', 'shop');
const versions = fc.constantFrom('v1', 'v2');
const ports = fc.constantFrom(80, 8080);
const serviceHosts = fc.constantFrom(
  'web.default.svc.cluster.local',
  'web.default.svc.cluster.local',
  'page.default.svc.cluster.local',
  'web.shop.svc.cluster.local',
  'a.test',
);
const labels = fc.record({ version: versions, app: fc.constantFrom('web', 'page') }, { requiredKeys: [] });

function object(
  kind: string,
  names: readonly string[],
  spec: fc.Arbitrary<object>,
  ownLabels?: fc.Arbitrary<object>,
): fc.Arbitrary<KubeObject> {
  const metadata = fc.record({ name: fc.constantFrom(...names), namespace: namespaces, ...(ownLabels && { labels: ownLabels }) });
  return fc.record({ metadata, spec }).map((each) => ({ apiVersion: 'networking.istio.io/v1', kind, ...each }) as KubeObject);
}

function some<Item>(item: fc.Arbitrary<Item>, minLength = 1): fc.Arbitrary<Item[]> {
  return fc.array(item, { minLength, maxLength: 2 });
}

const match = fc.record(
  {
    uri: fc.constantFrom({ prefix: '/' }, { prefix: '/a' }, { exact: '/a' }, { regex: '/.*' }),
    headers: fc.constant({ team: { exact: 'x' } }),
    port: ports,
    gateways: fc.constantFrom(['edge'], ['mesh'], ['shop/edge']),
  },
  { requiredKeys: [] },
);
const destination = fc.record(
  {
    host: fc.constantFrom('web', 'page', 'web.shop.svc.cluster.local', 'a.test', 'nobody'),
    subset: versions,
    port: fc.record({ number: ports }),
  },
  { requiredKeys: ['host'] },
);
const answers = fc.oneof(
  { weight: 2, arbitrary: fc.record({ route: fc.tuple(fc.record({ destination })) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      route: fc.tuple(fc.record({ destination, weight: fc.constant(1) }), fc.record({ destination, weight: fc.constantFrom(0, 1) })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ directResponse: fc.record({ status: fc.constantFrom(201, 202, 203) }) }) },
);
const delegation = fc.record({
  delegate: fc.record({ name: fc.constantFrom('part', 'rest'), namespace: namespaces }, { requiredKeys: ['name'] }),
});

function rules(answer: fc.Arbitrary<object>): fc.Arbitrary<object[]> {
  return fc.array(
    fc.tuple(fc.record({ match: some(match) }, { requiredKeys: [] }), answer).map(([matched, done]) => ({ ...matched, ...done })),
    { minLength: 1, maxLength: 3 },
  );
}

const rootRules = rules(fc.oneof({ weight: 4, arbitrary: answers }, { weight: 1, arbitrary: delegation }));
const rootHosts = some(fc.constantFrom('web', 'web', 'page', 'WEB', '*.shop.svc.cluster.local', 'a.test', '*.test', '*'));
const rootGateways = some(fc.constantFrom('edge', 'edge', 'mesh', 'mesh', 'shop/edge', 'nobody'));

/** What of a VirtualService that has hosts may become other than it was; without hosts it is one to delegate to. */
export const rootChanges: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ http: rules(answers) }) },
  { weight: 1, arbitrary: fc.record({ http: rootRules }) },
  { weight: 4, arbitrary: fc.record({ hosts: fc.oneof(rootHosts, fc.constant([])) }) },
  { weight: 1, arbitrary: fc.record({ gateways: rootGateways }) },
);

const roots = fc.record(
  {
    hosts: rootHosts,
    gateways: rootGateways,
    http: rootRules,
  },
  { requiredKeys: ['hosts', 'http'] },
);
const servers = some(
  fc.record(
    {
      port: ports.map((number) => ({ number, name: 'http', protocol: 'HTTP' })),
      bind: fc.constant('127.0.0.1'),
      hosts: some(fc.constantFrom('*', '*.test', 'a.test', 'shop/*', './web.default.svc.cluster.local')),
    },
    { requiredKeys: ['port', 'hosts'] },
  ),
);
const workload = fc.record({
  address: fc.constantFrom('127.0.0.1', '127.0.0.2'),
  ports: fc.constantFrom({ http: 9001 }, { other: 9002 }, {}),
  labels,
});

/** One object of any kind that decides where requests go. */
export const routingObjects: fc.Arbitrary<KubeObject> = fc.oneof(
  { weight: 3, arbitrary: object('VirtualService', ['one', 'two', 'three'], roots) },
  { weight: 1, arbitrary: object('VirtualService', ['part', 'rest'], fc.record({ http: rules(answers) })) },
  { weight: 1, arbitrary: object('Gateway', ['edge'], fc.record({ servers })) },
  {
    weight: 2,
    arbitrary: object(
      'ServiceEntry',
      ['one', 'two', 'three'],
      fc.record(
        {
          hosts: some(serviceHosts),
          ports: some(ports.map((number) => ({ number, name: 'http', protocol: 'HTTP' }))),
          endpoints: some(workload),
          workloadSelector: fc.record({ labels }),
        },
        { requiredKeys: ['hosts', 'ports'] },
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: object(
      'DestinationRule',
      ['one', 'two'],
      fc.record({
        host: fc.constantFrom('web', 'page', 'web.shop.svc.cluster.local', '*.svc.cluster.local', 'a.test', '*'),
        subsets: some(fc.record({ name: versions, labels })),
      }),
    ),
  },
  { weight: 1, arbitrary: object('WorkloadEntry', ['one', 'two'], workload, labels) },
);
