import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestEvent } from '../../core/evidence/request-event.cases.ts';
import { RequestCounter } from '../../core/evidence/request-totals.ts';
import { PHASES } from '../../core/release/phase.ts';
import { initialStatus } from '../../core/release/status-change.ts';
import { ApiScene, RELEASE_REF } from '../api-scene.cases.ts';
import type { DataPlane } from '../data-plane.ts';
import { addClusterMetrics } from './cluster-metrics.ts';
import { addControllerMetrics } from './controller-metrics.ts';
import { addEjectionMetrics, addWorkerMetrics } from './data-plane-metrics.ts';
import { addExposureMetrics } from './exposure-metrics.ts';
import { MetricsPage } from './metrics-page.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { addReleaseMetrics } from './release-metrics.ts';
import { addRequestMetrics } from './request-metrics.ts';

let scene: ApiScene;
beforeEach(async () => {
  scene = await ApiScene.open();
});
afterEach(() => scene.close());

const releases = () => scene.store.list('CanaryRelease');

const textOf = async (page: MetricsPage): Promise<string> => [...(await page.pieces())].join('');

/** Samples of the page by name and labels, as Prometheus reads them. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

describe('of releases', () => {
  const labels = 'namespace="default",name="reviews"';

  test('weight, step and phase as they are when asked; nothing of a release that is gone', async () => {
    const page = new MetricsPage();
    addReleaseMetrics(page, releases);
    scene.context.metrics = page;
    await scene.applyExample();
    const read = async () => samplesOf(await (await scene.send('GET', '/metrics')).text());
    expect((await read()).get(`perch_release_step{${labels}}`)).toBe(-1);

    expect((await read()).has(`perch_release_exposure_percent{${labels}}`)).toBe(false);

    await scene.writeStatus({ ...initialStatus(), phase: 'Paused', step: 1, weight: 12.5, cutoff: 513 });
    const samples = await read();
    expect(samples.get(`perch_release_exposure_percent{${labels}}`)).toBe(12.52);
    expect(samples.get(`perch_release_weight{${labels}}`)).toBe(12.5);
    expect(samples.get(`perch_release_step{${labels}}`)).toBe(1);
    const phases = PHASES.map((phase) => [phase, samples.get(`perch_release_phase{${labels},phase="${phase}"}`)]);
    expect(phases).toEqual(PHASES.map((phase) => [phase, phase === 'Paused' ? 1 : 0]));

    await scene.store.commit(RELEASE_REF, { remove: true }, scene.store.revision());
    expect([...(await read()).keys()]).toEqual([]);
  });

  test('exposure by cohort, in visitors where they are counted', async () => {
    const figures = {
      visitors: { total: 40, canary: 4 },
      assigned: { total: 0, canary: 0 },
      requests: { stable: 90, canary: 10 },
      errors: { stable: 1, canary: 2 },
      moved: { toCanary: 0, back: 0 },
    };
    const summary = {
      counts: 'visitors',
      sampled: false,
      sampleRate: 1,
      since: '',
      real: figures,
      synthetic: figures,
      ...figures,
    } as const;
    const page = new MetricsPage();
    addExposureMetrics(page, releases, ({ name }) => (name === 'reviews' ? summary : undefined));
    await scene.applyExample();
    expect(Object.fromEntries(samplesOf(await textOf(page)))).toEqual({
      [`perch_release_exposure_visitors{${labels},cohort="stable"}`]: 36,
      [`perch_release_exposure_visitors{${labels},cohort="canary"}`]: 4,
      [`perch_release_exposure_requests{${labels},cohort="stable"}`]: 90,
      [`perch_release_exposure_requests{${labels},cohort="canary"}`]: 10,
      [`perch_release_exposure_errors{${labels},cohort="stable"}`]: 1,
      [`perch_release_exposure_errors{${labels},cohort="canary"}`]: 2,
    });
  });
});

test('of the cluster: who leads tells of the releases that are refused', async () => {
  const page = new MetricsPage();
  let [isLeading, refused] = [true, [{ kind: 'CanaryRelease', namespace: 'default', name: 'odd' }]];
  addClusterMetrics(
    page,
    () => isLeading,
    () => refused,
  );
  const read = async () => [...samplesOf(await textOf(page))].filter(([name]) => /^perch_(leader|release)/.test(name));
  expect(await read()).toEqual([
    ['perch_leader', 1],
    ['perch_release_refused{namespace="default",name="odd"}', 1],
  ]);
  isLeading = false;
  expect(await read()).toEqual([['perch_leader', 0]]);
  [isLeading, refused] = [true, []];
  expect(await read()).toEqual([['perch_leader', 1]]);
});

test('of the controller: what it has to do, and how passes went', async () => {
  const page = new MetricsPage();
  const load = { waiting: 3, running: 2 };
  const { onPass } = addControllerMetrics(page, () => load);
  onPass({ outcome: 'done', waitedMs: 4, tookMs: 20 });
  onPass({ outcome: 'outdated', waitedMs: 0, tookMs: 300 });
  onPass({ outcome: 'failed', waitedMs: 0, tookMs: 10 });
  const samples = samplesOf(await textOf(page));
  expect(samples.get('perch_workqueue_depth')).toBe(3);
  expect(samples.get('perch_workqueue_running')).toBe(2);
  expect(samples.get('perch_workqueue_retries_total')).toBe(2);
  expect(samples.get('perch_reconcile_total{result="failed"}')).toBe(1);
  expect(samples.get('perch_reconcile_duration_seconds_count')).toBe(3);
  expect(samples.get('perch_reconcile_duration_seconds_sum')).toBeCloseTo(0.33);
  expect(samples.get('perch_reconcile_duration_seconds_bucket{le="0.025"}')).toBe(2);
  expect(samples.get('perch_workqueue_queue_duration_seconds_sum')).toBeCloseTo(0.004);
});

test('of requests: Istio’s histograms, cumulated, with labels that cannot break the page', async () => {
  const counter = new RequestCounter();
  const endpoint = { address: 'a', port: 1, workload: { labels: { version: 'v"2\\' } } };
  for (const durationMs of [3, 30, 4e6]) counter.count(requestEvent({ durationMs, endpoint, bytesSent: 2000 }));
  const page = new MetricsPage();
  addProcessMetrics(page);
  addRequestMetrics(page, () => counter.totals());
  const text = await textOf(page);
  const samples = [...samplesOf(text)].map(
    ([name, value]) => [name.replace(/\{.*destination_version="v\\"2\\\\".*?(le="[^"]*")?\}/, '{$1}'), value] as const,
  );
  const find = (name: string) => samples.find(([each]) => each === name)?.[1];
  expect(find('istio_requests_total{}')).toBe(3);
  expect(find('istio_request_duration_milliseconds_bucket{le="1"}')).toBe(0);
  expect(find('istio_request_duration_milliseconds_bucket{le="5"}')).toBe(1);
  expect(find('istio_request_duration_milliseconds_bucket{le="3600000"}')).toBe(2);
  expect(find('istio_request_duration_milliseconds_bucket{le="+Inf"}')).toBe(3);
  expect(find('istio_request_duration_milliseconds_count{}')).toBe(3);
  expect(find('istio_request_duration_milliseconds_sum{}')).toBe(4_000_033);
  expect(find('istio_response_bytes_sum{}')).toBe(6000);
  expect(text).toMatch(/^# TYPE istio_request_bytes histogram$/m);
  expect(find('perch_requests_uncounted_total')).toBe(0);
  // No line of one metric among those of another, and a line each.
  expect(text.split('\n').filter((line) => line !== '' && !/^(# (HELP|TYPE) )?[a-z_]+(\{.*\})? \S/.test(line))).toEqual([]);
});

test('of the process: its CPU only ever grows', async () => {
  const page = new MetricsPage();
  addProcessMetrics(page);
  const first = samplesOf(await textOf(page));
  const second = samplesOf(await textOf(page));
  expect(second.get('process_cpu_seconds_total')).toBeGreaterThanOrEqual(first.get('process_cpu_seconds_total') ?? Number.NaN);
  expect(first.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(first.get('process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1000, -1);
});

test('who asks while the page is made gets the same one', async () => {
  const page = new MetricsPage();
  let readings = 0;
  page.read(async () => {
    readings += 1;
    await new Promise((resolve) => setImmediate(resolve));
  });
  const counter = new RequestCounter();
  counter.count(requestEvent());
  addRequestMetrics(page, () => counter.totals());
  const [first, ...others] = await Promise.all([textOf(page), textOf(page), textOf(page)]);
  expect(readings).toBe(1);
  expect(first).toContain('istio_requests_total{');
  expect(others).toEqual([first, first]);
  await textOf(page);
  expect(readings).toBe(2);
});

test('a page that is read slowly is as it was when it was asked for', async () => {
  const counter = new RequestCounter();
  counter.count(requestEvent());
  const page = new MetricsPage();
  addRequestMetrics(page, () => counter.totals());
  const pieces = await page.pieces();
  counter.count(requestEvent());
  counter.count(requestEvent({ status: 503 }));
  const samples = [...samplesOf([...pieces].join(''))].filter(([name]) => name.startsWith('istio_requests_total'));
  expect(samples.map(([, value]) => value)).toEqual([1]);
});

test('of outlier detection, by cluster, and of worker processes: as they are when asked', async () => {
  const page = new MetricsPage();
  let ejections: ReturnType<DataPlane['ejections']> = [{ cluster: 'outbound|80|v2|web', active: 1, enforced: 3, overflowed: 2 }];
  let serving = 1;
  addEjectionMetrics(page, { ejections: () => ejections });
  addWorkerMetrics(page, () => ({ wanted: 2, serving, restarts: 5 }));
  const labels = 'cluster_name="outbound|80|v2|web"';
  expect(Object.fromEntries(samplesOf(await textOf(page)))).toEqual({
    [`perch_outlier_detection_ejections_active{${labels}}`]: 1,
    [`perch_outlier_detection_ejections_enforced_total{${labels}}`]: 3,
    [`perch_outlier_detection_ejections_overflow_total{${labels}}`]: 2,
    perch_workers_wanted: 2,
    perch_workers_serving: 1,
    perch_worker_restarts_total: 5,
  });
  ejections = [];
  serving = 2;
  expect(Object.fromEntries(samplesOf(await textOf(page)))).toEqual({
    perch_workers_wanted: 2,
    perch_workers_serving: 2,
    perch_worker_restarts_total: 5,
  });
});
