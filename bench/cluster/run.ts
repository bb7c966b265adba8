// `node bench/cluster/run.ts`: hundreds or thousands of releases in one `perch controller` at a real kube-apiserver. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../../src/cluster/kube/kube-client.ts';
import { Reflector } from '../../src/cluster/kube/reflector.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { KIND } from '../../src/core/release/canary-release.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { PerchProcess } from '../../test/harness/perch-process.ts';
import { inParallel } from '../../test/harness/visitor.ts';
import { type IstioCluster, startIstioCluster } from '../../test/real/istio-cluster.ts';
import { provideKubernetes } from '../../tools/provide-kubernetes.ts';
import { readCount, readOptions, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { estate, releaseNameOf } from '../many/estate.ts';
import { percentile } from '../percentile.ts';
import { cpuTime, peakMemory, residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';

/** Releases that are asked to move on at once. */
const AT_ONCE = 50;
const SETTLE_MS = 5000;
/** As the issue of the controller has them. */
const GOAL_MIB = 400;
const GOAL_REACTION_MS = 1000;
/** Thousands of releases start at the pace of the apiserver, which has a part of a core. */
const LONGEST_MS = 45 * 60_000;
/**
 * What Flagger 1.44 reads from the API for a canary at rest each time it looks, by its source (pkg/controller/scheduler.go advanceCanary; Deployment and
 * Istio, no autoscaler): 12 objects, and here 4 ConfigMaps and Secrets. It looks every `interval`, here a minute.
 */
const FLAGGER_READS = 16;

const RELEASES = '/apis/perch.dev/v1alpha1/namespaces/default/canaryreleases';

const USAGE = `usage: node bench/cluster/run.ts [options]

Releases with a VirtualService, DestinationRule and ServiceEntry each in a real kube-apiserver, moved on by one perch controller.

  --releases N      how many                                              (500)
  --idle SECONDS    how long CPU and requests are counted at rest          (60)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/cluster/run.ts --record                      500: about 3 minutes
  node bench/cluster/run.ts --releases 5000 --record      about 25 minutes
`;

interface Plan {
  readonly releases: number;
  readonly idle: number;
  readonly record: boolean;
}

function readPlan(args: readonly string[]): Plan | string {
  const { help, releases, idle, record } = readOptions(args, {
    releases: { type: 'string', default: '500' },
    idle: { type: 'string', default: '60' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return help ? USAGE : { releases: readCount('releases', releases), idle: readCount('idle', idle), record };
}

type Release = KubeObject & { readonly status?: ReleaseStatus };

/** What the API says of all releases, as it comes. */
function watchReleases(cluster: IstioCluster): { readonly status: Map<string, ReleaseStatus>; readonly reflector: Reflector } {
  const status = new Map<string, ReleaseStatus>();
  const keep = ({ metadata, status: now }: Release): void => {
    if (now !== undefined) status.set(metadata.name, now);
  };
  const reflector = new Reflector({
    client: new KubeClient({ url: `https://127.0.0.1:${cluster.port}`, authenticate: cluster.authenticate }),
    path: RELEASES,
    handler: {
      replaced: (objects) => {
        for (const object of objects) keep(object as Release);
      },
      applied: (object) => keep(object as Release),
      deleted: () => undefined,
      failed: (error) => say(error.message),
    },
  });
  return { status, reflector };
}

async function until(what: string, isThere: () => boolean): Promise<number> {
  const began = performance.now();
  while (!isThere()) {
    if (performance.now() - began > LONGEST_MS) throw new Error(`${what}: not after ${LONGEST_MS / 60_000} minutes`);
    await sleep(10);
  }
  return performance.now() - began;
}

/** Requests that the apiserver has answered so far, but those about Leases and about itself; a watch counts once it ends. */
async function answered(cluster: IstioCluster): Promise<number> {
  const { body } = await cluster.send('GET', '/metrics');
  const lines = (body.message ?? '').split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  const ours = lines.filter((line) => /group="(?:perch\.dev|networking\.istio\.io|events\.k8s\.io)"/.test(line));
  return ours.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

function startController(cluster: IstioCluster): PerchProcess {
  const args = ['controller', '--kubeconfig', cluster.controllerKubeconfig, '--settle', '200ms'];
  return new PerchProcess(args);
}

async function measureCluster(cluster: IstioCluster, { releases, idle }: Plan): Promise<string> {
  const objects = estate(releases, 80, undefined);
  const began = performance.now();
  // Releases last: all at once would begin while the others come in.
  for (const isRelease of [false, true]) {
    await inParallel(
      objects.filter(({ kind }) => (kind === KIND) === isRelease),
      16,
      (object) => cluster.apply(object),
    );
  }
  say(`${objects.length} objects applied in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const { status, reflector } = watchReleases(cluster);
  await reflector.synced;

  const first = startController(cluster);
  let paused = 0;
  const started = await until('the first step', () => {
    const now = [...status.values()].filter(({ phase }) => phase === 'Paused').length;
    if (Math.floor(now / 500) > Math.floor(paused / 500)) say(`${now} on their first step`);
    paused = now;
    return now === releases;
  });
  const startCpu = cpuTime(first.pid);
  await first.stop();
  say(`all on their first step, for ${(startCpu.user + startCpu.system).toFixed(0)} s of CPU`);

  const controller = startController(cluster);
  const restarted = await until('to lead', () => /leads/.test(`${controller.stdout}${controller.stderr}`));
  const restartCpu = cpuTime(controller.pid);
  // Whoever begins to lead passes over all of them once.
  await isQuiet(controller);
  await sleep(SETTLE_MS);
  const [cpu, requests] = [cpuTime(controller.pid), await answered(cluster)];
  await sleep(idle * 1000);
  const [cpuLater, requestsLater] = [cpuTime(controller.pid), await answered(cluster)];
  const share = (cpuLater.user + cpuLater.system - cpu.user - cpu.system) / idle;
  const memory = residentMemory(controller.pid);
  say('at rest: done');

  const asked = shuffled(
    Array.from({ length: releases }, (_, index) => releaseNameOf(index)),
    Math.random,
  ).slice(0, AT_ONCE);
  const reactionCpu = cpuTime(controller.pid);
  const reactions = await Promise.all(asked.map((name) => reaction(cluster, status, name)));
  const reactionCpuLater = cpuTime(controller.pid);
  await reflector.stop();

  const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
  const late = percentile(reactions, 0.99);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const rows = [
    ['from nothing known to all on their first step', seconds(started), ''],
    ['of it CPU of the controller', `${(startCpu.user + startCpu.system).toFixed(1)} s`, ''],
    ['a restart, to leading', seconds(restarted), ''],
    ['of it CPU of the controller', `${(restartCpu.user + restartCpu.system).toFixed(1)} s`, ''],
    [`CPU at rest, over ${idle} s`, `${(share * 100).toFixed(2)} % of a core`, ''],
    [
      `requests at rest, over ${idle} s, but for the Lease`,
      String(requestsLater - requests),
      `none: ${verdict(requestsLater === requests)}`,
    ],
    ['the same of Flagger 1.44, computed', String(Math.round((releases * FLAGGER_READS * idle) / 60)), ''],
    ['resident memory at rest', `${memory.toFixed(0)} MiB`, `${GOAL_MIB} MiB: ${verdict(memory <= GOAL_MIB)}`],
    ['resident memory, at most so far', `${peakMemory(controller.pid).toFixed(0)} MiB`, ''],
    [
      `${asked.length} promoted at once, to the new weight in the status: p50 / p99`,
      `${percentile(reactions, 0.5).toFixed(0)} / ${late.toFixed(0)} ms`,
      `${GOAL_REACTION_MS} ms: ${verdict(late <= GOAL_REACTION_MS)}`,
    ],
    [
      'of it CPU of the controller',
      `${((reactionCpuLater.user + reactionCpuLater.system - reactionCpu.user - reactionCpu.system) * 1000).toFixed(0)} ms`,
      '',
    ],
  ];
  await controller.stop();
  return table([['', 'measured', 'goal'], ...rows], 3);
}

/** Waits until a process has used no more than a hundredth of a core for five seconds. */
async function isQuiet({ pid }: PerchProcess): Promise<void> {
  const used = (): number => cpuTime(pid).user + cpuTime(pid).system;
  for (let before = used(), now = Number.POSITIVE_INFINITY; now - before > SETTLE_MS / 1000 / 100; ) {
    before = used();
    await sleep(SETTLE_MS);
    now = used();
  }
}

/** Milliseconds from the annotation to the status that has the next weight. */
async function reaction(cluster: IstioCluster, status: ReadonlyMap<string, ReleaseStatus>, name: string): Promise<number> {
  const before = status.get(name)?.weight ?? 0;
  const annotations = { 'perch.dev/request': JSON.stringify({ id: 'bench', action: 'promote', by: 'bench' }) };
  const began = performance.now();
  await cluster.send('PATCH', `${RELEASES}/${name}`, { metadata: { annotations } }, { 'content-type': 'application/merge-patch+json' });
  await until(name, () => (status.get(name)?.weight ?? 0) > before);
  return performance.now() - began;
}

await runBench({
  file: import.meta.url,
  title: 'Releases in a cluster',
  programs: [],
  hasOwnCore: false,
  readPlan,
  async measure(plan) {
    const cluster = await startIstioCluster(await provideKubernetes());
    try {
      const lines = [
        ...(await describeMachine([])),
        '',
        `${plan.releases} releases in one perch controller, on a machine with its kube-apiserver and etcd.`,
        '',
        await measureCluster(cluster, plan),
      ];
      return `${lines.join('\n')}\n`;
    } finally {
      await cluster.stop();
    }
  },
});
