import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { PHASES } from '../../src/core/release/phase.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const BOOKINFO = fileURLToPath(new URL('../../examples/bookinfo/', import.meta.url));
const FILES = ['gateway', 'bookinfo', 'destination-rules', 'endpoints', 'reviews', 'release'].map((name) => `${BOOKINFO}${name}.yaml`);
const REVIEWS = 'namespace="default",name="reviews"';

/** What a controller says at its port. */
class Probed {
  readonly process: PerchProcess;
  readonly #port: string;

  private constructor(process: PerchProcess, port: string) {
    this.process = process;
    this.#port = port;
  }

  static async start(kubeconfig: string): Promise<Probed> {
    const process = startController(kubeconfig, ['--metrics-port', '0']);
    const [, port = ''] = await process.until(/metrics +http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
    return new Probed(process, port);
  }

  ask(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`);
  }

  /** The samples whose names, labels included, begin so. */
  async samples(prefix: string): Promise<Readonly<Record<string, number>>> {
    const lines = (await (await this.ask('/metrics')).text()).split('\n').filter((line) => line.startsWith(prefix));
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  }

  async sample(name: string): Promise<number | undefined> {
    return (await this.samples(name))[name];
  }
}

describeWithKubernetes('metrics and probes of perch controller', (parts) => {
  let cluster: IstioCluster;
  let reviews: ReleaseHandle;
  const started: Probed[] = [];
  const objects = objectsOf(...FILES).map((object): KubeObject => {
    if (object.kind !== 'CanaryRelease') return object;
    const steps = [10, 100].map((weight) => ({ weight, hold: 'manual' }));
    return { ...object, spec: { ...(object.spec as object), steps } };
  });

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
    await cluster.apply(...objects);
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    for (const each of started.splice(0)) await each.process.stop();
  });
  const start = async (): Promise<Probed> => {
    const probed = await Probed.start(cluster.controllerKubeconfig);
    started.push(probed);
    return probed;
  };

  it('follow a release to its deletion; of two controllers one tells', async () => {
    const leader = await start();
    expect((await leader.ask('/healthz')).status).toBe(200);
    await expect.poll(async () => (await leader.ask('/readyz')).status).toBe(200);
    await reviews.reaches('Paused 10 %');
    const follower = await start();
    await expect.poll(async () => (await follower.ask('/readyz')).status).toBe(200);
    expect([await leader.sample('perch_leader'), await follower.sample('perch_leader')]).toEqual([1, 0]);
    expect(await follower.samples('perch_release_')).toEqual({});

    await expect.poll(() => leader.sample(`perch_release_weight{${REVIEWS}}`)).toBe(10);
    expect(await leader.sample(`perch_release_step{${REVIEWS}}`)).toBe(0);
    // As kubectl shows it.
    const { exposure } = (await reviews.status()) ?? {};
    expect(`${await leader.sample(`perch_release_exposure_percent{${REVIEWS}}`)} %`).toBe(exposure);
    expect(exposure).toBe('10.01 %');
    const phases = Object.fromEntries(
      PHASES.map((phase) => [`perch_release_phase{${REVIEWS},phase="${phase}"}`, phase === 'Paused' ? 1 : 0]),
    );
    expect(await leader.samples('perch_release_phase')).toEqual(phases);

    expect(await leader.sample('perch_reconcile_total{result="done"}')).toBeGreaterThan(0);
    expect(await leader.sample('perch_reconcile_duration_seconds_sum')).toBeGreaterThan(0);
    await expect.poll(() => leader.sample('perch_workqueue_depth')).toBe(0);
    // A page for each of the fourteen kinds that are read, and one of the bases that are kept; one watch of each kind; routes woven in.
    expect(await leader.sample('perch_kube_requests_total{verb="list",code="200"}')).toBe(15);
    expect(await leader.sample('perch_kube_requests_total{verb="watch",code="200"}')).toBe(14);
    // Statuses are replaced, routes applied.
    expect(await leader.sample('perch_kube_requests_total{verb="update",code="200"}')).toBeGreaterThan(1);
    expect(await leader.sample('perch_kube_requests_total{verb="patch",code="200"}')).toBeGreaterThan(1);
    // Asked too soon after its definition, a kind may have been refused at first.
    expect(await leader.sample('perch_kube_request_duration_seconds_count{verb="watch"}')).toBeGreaterThanOrEqual(14);

    await reviews.ask('promote');
    await expect.poll(() => leader.sample(`perch_release_weight{${REVIEWS}}`)).toBe(100);
    await reviews.delete();
    await expect.poll(() => leader.samples('perch_release_')).toEqual({});
  });

  it('tell which releases are refused, until they are not', async () => {
    const leader = await start();
    await expect.poll(() => leader.sample('perch_leader'), { timeout: 40_000 }).toBe(1);
    const odd = objects
      .filter(({ kind }) => kind === 'CanaryRelease')
      .map((object) => ({ ...object, metadata: { name: 'odd', namespace: 'default' } }));
    await cluster.apply(...objects, ...odd);
    await reviews.reaches('Paused 10 %');
    await expect
      .poll(() => leader.samples('perch_release_refused'))
      .toEqual({ 'perch_release_refused{namespace="default",name="odd"}': 1 });
    const { conditions = [] } = (await new ReleaseHandle(cluster, 'odd').status()) ?? {};
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'Refused' }));
    await reviews.delete();
    await expect.poll(() => leader.samples('perch_release_refused')).toEqual({});
    await new ReleaseHandle(cluster, 'odd').delete();
  });

  it('an apiserver that is away is told of, and that it is back', async () => {
    const controller = await start();
    await expect.poll(() => controller.sample('perch_leader'), { timeout: 40_000 }).toBe(1);
    expect(await controller.samples('perch_watch_failures_total')).toEqual({});
    await cluster.restart(2000);
    await expect.poll(() => controller.sample('perch_watch_failures_total{kind="VirtualService"}')).toBeGreaterThan(0);
    expect(await controller.sample('perch_kube_requests_total{verb="watch",code="none"}')).toBeGreaterThan(0);
    // It goes on by what it knows, and is no less ready for that.
    expect((await controller.ask('/readyz')).status).toBe(200);
    expect((await controller.ask('/healthz')).status).toBe(200);
    const watches = async () => (await controller.sample('perch_kube_requests_total{verb="watch",code="200"}')) ?? 0;
    const before = await watches();
    await expect.poll(watches, { timeout: 60_000 }).toBeGreaterThan(before);
  });
});
