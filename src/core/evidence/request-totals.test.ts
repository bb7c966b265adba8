import { expect, test } from 'vitest';
import { requestEvent } from './request-event.cases.ts';
import { BUCKETS, MAXIMUM_SERIES, RequestCounter } from './request-totals.ts';

function countOf({ counts }: { readonly counts: readonly number[] }): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

test('a request has the labels that Istio’s client proxy gives it', () => {
  const counter = new RequestCounter();
  counter.count(requestEvent());
  expect(counter.totals().series.map(({ labels }) => labels)).toEqual([
    {
      reporter: 'source',
      source_workload: 'unknown',
      source_canonical_service: 'unknown',
      source_canonical_revision: 'latest',
      source_workload_namespace: 'unknown',
      source_principal: 'unknown',
      source_app: 'unknown',
      source_version: 'unknown',
      source_cluster: 'unknown',
      destination_workload: 'unknown',
      destination_workload_namespace: 'unknown',
      destination_principal: 'unknown',
      destination_app: 'reviews',
      destination_version: 'v2',
      destination_service: 'reviews.default.svc.cluster.local',
      destination_service_name: 'reviews',
      destination_service_namespace: 'default',
      destination_canonical_service: 'reviews',
      destination_canonical_revision: 'v2',
      destination_cluster: 'unknown',
      request_protocol: 'http',
      response_code: '200',
      response_flags: '-',
      connection_security_policy: 'unknown',
    },
  ]);
});

test.each([
  ['at the edge the gateway is the source', { listener: 'ingress' }, { source_workload: 'perch-gateway', source_app: 'perch-gateway' }],
  [
    'a WorkloadEntry is a workload',
    { endpoint: { address: 'a', port: 1, workload: { name: 'vm', namespace: 'shop', labels: {} } } },
    {
      destination_workload: 'vm',
      destination_workload_namespace: 'shop',
      destination_canonical_service: 'vm',
      destination_version: 'unknown',
    },
  ],
  [
    'canonical names come first',
    {
      endpoint: {
        ...{ address: 'a', port: 1 },
        workload: { labels: { app: 'a', version: 'v1', 'service.istio.io/canonical-name': 'b', 'app.kubernetes.io/version': '7' } },
      },
    },
    { destination_canonical_service: 'b', destination_canonical_revision: '7', destination_app: 'a', destination_version: 'v1' },
  ],
  [
    'no route',
    { destination: undefined, endpoint: undefined, status: 404, flag: 'NR' },
    { destination_service: 'unknown', response_flags: 'NR' },
  ],
  ['a client that left', { status: 0, flag: 'DC' }, { response_code: '0', response_flags: 'DC' }],
  [
    'a host of the internet',
    { destination: { host: 'api.example.com', subset: undefined, port: 80 } },
    { destination_service: 'api.example.com', destination_service_name: 'api.example.com', destination_service_namespace: 'unknown' },
  ],
] as const)('%s', (_name, more, labels) => {
  const counter = new RequestCounter();
  counter.count(requestEvent(more));
  expect(counter.totals().series[0]?.labels).toMatchObject(labels);
});

test('the same labels are one series, whatever rule led there; values fall into Envoy’s buckets', () => {
  const counter = new RequestCounter();
  const destination = { host: 'reviews.default.svc.cluster.local', subset: 'v2', port: 9080 };
  for (const durationMs of [0.5, 0.6, 5, 4_000_000])
    counter.count(requestEvent({ durationMs, destination: { ...destination }, bytesSent: 1000 }));
  const { series } = counter.totals();
  expect(series).toHaveLength(1);
  const [each] = series;
  const filled = each?.durationMs.counts.flatMap((count, bucket) => (count === 0 ? [] : [[BUCKETS[bucket] ?? 'more', count]]));
  expect(filled).toEqual([
    [0.5, 1],
    [1, 1],
    [5, 1],
    ['more', 1],
  ]);
  expect(each?.durationMs.sum).toBeCloseTo(4_000_006.1);
  expect(each?.responseBytes.sum).toBe(4000);
});

test('each value is in the first bucket whose bound it does not exceed', () => {
  const around = [...BUCKETS, 1, 2, 4, 1024].flatMap((bound) => [
    bound,
    bound * (1 + Number.EPSILON),
    bound * (1 - Number.EPSILON),
    bound + 1,
  ]);
  for (const bytesSent of [...around, 0, -0, -1, 0.1, 2 ** 31, 2 ** 32, 2 ** 40]) {
    const counter = new RequestCounter();
    counter.count(requestEvent({ bytesSent }));
    const expected = BUCKETS.findIndex((bound) => bytesSent <= bound);
    const filled = counter.totals().series[0]?.responseBytes.counts.indexOf(1);
    expect([bytesSent, filled]).toEqual([bytesSent, expected < 0 ? BUCKETS.length : expected]);
  }
});

test('requests of one endpoint that differ in one thing only are told apart, in whatever order they come', () => {
  const same = requestEvent();
  const kinds = [
    same,
    { ...same, status: 503 },
    { ...same, flag: 'DC' },
    { ...same, listener: 'ingress' as const },
    { ...same, destination: { host: 'ratings', subset: undefined, port: 80 } },
    { ...same, destination: undefined },
    { ...same, endpoint: undefined },
  ];
  const counter = new RequestCounter();
  // Each pair of kinds one behind the other, in both orders.
  for (const first of kinds) for (const second of kinds) for (const each of [first, second]) counter.count(each);
  const { series } = counter.totals();
  expect(series.map(({ durationMs }) => countOf(durationMs))).toEqual(kinds.map(() => 2 * kinds.length));
});

test('the number of series is bounded, and what is beyond it is counted', () => {
  const counter = new RequestCounter();
  for (let status = 100; status < 100 + MAXIMUM_SERIES + 20; status++) counter.count(requestEvent({ status }));
  counter.count(requestEvent({ status: 100 }));
  const { series, uncounted } = counter.totals();
  expect(series).toHaveLength(MAXIMUM_SERIES);
  expect(uncounted).toBe(20);
  expect(series.map(({ durationMs }) => countOf(durationMs)).filter((count) => count === 2)).toHaveLength(1);
});

test('totals stay as they were when more comes', () => {
  const counter = new RequestCounter();
  counter.count(requestEvent());
  const before = counter.totals();
  counter.count(requestEvent());
  expect(countOf((before.series[0] as (typeof before.series)[number]).durationMs)).toBe(1);
});
