import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { PerchProcess } from '../harness/perch-process.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type Fault, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { ReleaseBatch } from './release-batch.ts';
import { startController } from './start-controller.ts';

const COUNT = 8;
const STEPS = 4;
const status = (code: number, reason: string): Fault => ({
  status: code,
  body: { kind: 'Status', code, reason, message: `test: ${reason}` },
});

/** Releases that go through their steps while something goes wrong: each gets to its end, with each step once and as long as it is to be. */
describeWithKubernetes('perch controller while answers are wrong, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let proxy: FaultyProxy;
  let controller: PerchProcess;
  let folder: string;
  let batch: ReleaseBatch;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perch-storms-'));
    cluster = await startIstioCluster(parts, { isAudited: true });
    proxy = await startFaultyProxy(cluster);
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, readFileSync(cluster.controllerKubeconfig, 'utf8').replace(`:${cluster.port}`, `:${proxy.port}`));
    controller = startController(kubeconfig);
    await controller.until(/leads/, 60_000);
    batch = new ReleaseBatch(cluster, { count: COUNT, steps: STEPS, holdMs: 1000 });
  });
  afterAll(async () => {
    await controller?.stop('SIGKILL');
    await proxy?.close();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    proxy.fault = () => undefined;
    await batch.end();
  });

  const isWrite = (method: string, path: string): boolean => method !== 'GET' && !path.includes('/leases');
  const writesAsked = (): number => proxy.asked.filter(({ method, path }) => isWrite(method, path)).length;

  const random = seededRandom(24);
  it.each<[string, (asked: { readonly method: string; readonly path: string; readonly isWatch: boolean }) => Fault | undefined]>([
    ['half of all answers are 500', () => (random() < 0.5 ? status(500, 'InternalError') : undefined)],
    [
      'a third of all writes conflict',
      ({ method, path }) => (isWrite(method, path) && random() < 0.3 ? status(409, 'Conflict') : undefined),
    ],
    [
      'every second watch is cut off in the middle of what it tells',
      ({ isWatch }) => (isWatch && random() < 0.5 ? 'cutInEvent' : undefined),
    ],
    [
      'of half of all writes it is not known whether they were done',
      ({ method }) => (method !== 'GET' && random() < 0.5 ? 'cutInEvent' : undefined),
    ],
    [
      'every second watch has expired',
      ({ isWatch }) =>
        isWatch && random() < 0.5
          ? { status: 200, body: { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'test: too old' } } }
          : undefined,
    ],
  ])('%s', async (_, fault) => {
    const before = proxy.faults();
    await batch.begin();
    proxy.fault = fault;
    proxy.cut();
    await sleep(6000);
    // Watches that failed before may wait for half a minute.
    await expect.poll(() => proxy.faults() - before, { timeout: 90_000 }).toBeGreaterThan(0);
    proxy.fault = () => undefined;
    await batch.succeeds();
  });

  it('a list that is to be asked for again later is no error, one that fails is', async () => {
    // Watches that failed before may wait for half a minute.
    const said = (line: RegExp) => expect.poll(() => line.test(controller.stderr), { timeout: 90_000, message: `${line}` }).toBe(true);
    const initializing = { status: 429, headers: { 'retry-after': '1' }, body: { message: 'storage is (re)initializing' } };
    proxy.fault = ({ path }) =>
      path.includes('/destinationrules') ? initializing : path.includes('/gateways') ? status(429, 'Odd') : undefined;
    proxy.cut();
    await said(/^warning: DestinationRule: \S+: storage is \(re\)initializing; again in \d+ ms$/m);
    await said(/^error: Gateway: \S+: test: Odd; again in \d+ ms$/m);
    expect(controller.stderr).not.toMatch(/error: DestinationRule: .*initializing/);
  });

  it('an apiserver that has too much to do for seconds is asked when it says, and no sooner', async () => {
    await batch.begin();
    const before = proxy.asked.length;
    proxy.fault = ({ method, path }) =>
      isWrite(method, path) ? { status: 429, headers: { 'retry-after': '2' }, body: { message: 'test: too many requests' } } : undefined;
    await sleep(6000);
    proxy.fault = () => undefined;
    // A POST does not say which object it is of.
    const asked = proxy.asked.slice(before).filter(({ method, path }) => isWrite(method, path) && method !== 'POST');
    const times = Map.groupBy(asked, ({ method, path }) => `${method} ${path}`);
    expect(times.size).toBeGreaterThan(0);
    for (const [what, all] of times) {
      const gaps = all.slice(1).map(({ at }, index) => at - (all[index]?.at ?? 0));
      expect(Math.min(...gaps), what).toBeGreaterThanOrEqual(1900);
    }
    await batch.succeeds();
  });

  it('what conflicts again and again, since no watch tells why, is tried less and less', async () => {
    await batch.begin();
    const before = writesAsked();
    proxy.fault = ({ method, path }) => (isWrite(method, path) ? status(409, 'Conflict') : undefined);
    await sleep(6000);
    const asked = writesAsked() - before;
    proxy.fault = () => undefined;
    // After 0, 50, 100 ms and so on up to four seconds: nine times each, and Events.
    expect(asked).toBeGreaterThanOrEqual(COUNT);
    expect(asked).toBeLessThanOrEqual(COUNT * 14);
    await batch.succeeds();
  });

  it('owners who write all the time to what it writes', async () => {
    let isOver = false;
    const annotate = async (path: string): Promise<void> => {
      for (let count = 0; !isOver; count++) {
        const body = { metadata: { annotations: { 'test/count': String(count) } } };
        await cluster.send('PATCH', path, body, { 'content-type': 'application/merge-patch+json' });
      }
    };
    await batch.begin();
    const writers = batch.names.flatMap((name) => [
      annotate(`/apis/perch.dev/v1alpha1/namespaces/default/canaryreleases/${name}`),
      annotate(`/apis/networking.istio.io/v1/namespaces/default/virtualservices/${name}`),
    ]);
    await sleep(8000);
    isOver = true;
    await Promise.all(writers);
    await batch.succeeds();
    expect(batch.writes().filter(({ code }) => code === 409).length).toBeGreaterThan(0);
  });
});
