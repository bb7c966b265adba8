import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type CutLine, startCutLine } from './cut-line.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { ReleaseBatch } from './release-batch.ts';
import { startController } from './start-controller.ts';
import { termsOf } from './writing-terms.ts';

const COUNT = 8;
const STEPS = 4;

/** Releases that go through their steps while something is away, slow or wrong: each gets to its end, with each step once and as long as it is to be. */
describeWithKubernetes('perch controller while something is away, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let etcdLine: CutLine;
  let controller: PerchProcess;
  let batch: ReleaseBatch;

  const start = (environment: Readonly<Record<string, string>> = {}): PerchProcess =>
    startController(cluster.controllerKubeconfig, [], environment);
  beforeAll(async () => {
    const beforeEtcd = async (port: number): Promise<number> => {
      etcdLine = await startCutLine(port);
      return etcdLine.port;
    };
    cluster = await startIstioCluster(parts, { isAudited: true, beforeEtcd });
    controller = start();
    await controller.until(/leads/, 60_000);
    batch = new ReleaseBatch(cluster, { count: COUNT, steps: STEPS, holdMs: 1000 });
  });
  afterAll(async () => {
    await controller?.stop('SIGKILL');
    await cluster?.stop();
    await etcdLine?.close();
  });
  afterEach(() => batch.end());

  it('the apiserver is killed, and comes back', async () => {
    await batch.begin();
    await cluster.restart(3000);
    await batch.succeeds();
  });

  it('etcd says nothing for longer than one may lead without asking', async () => {
    await batch.begin();
    const before = controller.stderr.length;
    cluster.signalEtcd('SIGSTOP');
    await expect.poll(() => controller.stderr.slice(before), { timeout: 30_000 }).toContain('follows:');
    await sleep(3000);
    cluster.signalEtcd('SIGCONT');
    await batch.succeeds();
  });

  it('etcd answers half a second late', async () => {
    etcdLine.delay(500);
    await batch.begin();
    await batch.succeeds();
    etcdLine.delay(0);
  });

  it.each([
    ['behind', 'ahead', -1],
    ['ahead', 'behind', 1],
  ])('the clock of one controller is an hour %s, that of the next an hour %s', async (_, __, hours) => {
    await controller.stop();
    const slow = new ReleaseBatch(cluster, { count: COUNT, steps: 2, holdMs: 25_000 });
    const first = start(skewed(hours));
    await first.until(/leads/, 60_000);
    const second = start(skewed(-hours));
    try {
      await second.until(/knows what the cluster holds/, 60_000);
      await first.until(/clock is 3[56]\d\d s/);
      await slow.begin();
      // While its first hold is on.
      await sleep(2000);
      await first.stop('SIGKILL');
      await slow.succeeds(2000);
      const [former, next] = termsOf(slow.writes()).slice(-2);
      // By when it saw the Lease change, not by the times in it.
      expect((next?.takenAt ?? 0) - (former?.renewedAt ?? 0)).toBeGreaterThanOrEqual(15_000);
      expect((next?.takenAt ?? 0) - (former?.renewedAt ?? 0)).toBeLessThan(24_000);
    } finally {
      await slow.end();
      await first.stop('SIGKILL');
      await second.stop();
      controller = start();
      await controller.until(/leads/, 60_000);
    }
  });
});

/** An environment in which Node's clock is wrong: TLS looks at the system's own. */
function skewed(hours: number): Readonly<Record<string, string>> {
  const code = `const Right = Date, by = ${hours * 3_600_000};
    globalThis.Date = class Date extends Right {
      constructor(...args) { if (args.length === 0) super(Right.now() + by); else super(...args); }
      static now() { return Right.now() + by; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

describeWithKubernetes('perch controller at a real kube-apiserver that takes one write at a time', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  beforeAll(async () => {
    const args = ['--enable-priority-and-fairness=false', '--max-requests-inflight=4', '--max-mutating-requests-inflight=1'];
    cluster = await startIstioCluster(parts, { isAudited: true, arguments: args });
    controller = startController(cluster.controllerKubeconfig);
    await controller.until(/leads/, 60_000);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('is told to come again later, does, and gets all releases to their end', async () => {
    const batch = new ReleaseBatch(cluster, { count: 24, steps: STEPS, holdMs: 1000 });
    await batch.begin();
    await batch.succeeds();
    expect(batch.writes().filter(({ code }) => code === 429).length).toBeGreaterThan(0);
    await batch.end();
  });
});
