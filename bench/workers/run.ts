// `node bench/workers/run.ts`: what two workers do beside one, and what a worker costs. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../tools/run-command.ts';
import { readRounds, say } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import type { RunningProxy } from '../gateway/candidate.ts';
import { makeCertificate } from '../gateway/certificate.ts';
import { runLoad, writeLoadFiles } from '../gateway/load.ts';
import { startOrigins } from '../gateway/nginx.ts';
import { startPerchProxy } from '../gateway/perch.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { childProcesses, ownCpuTime, residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { capCpu } from './cpu-cap.ts';

/** Of a core, for each worker: what makes and answers the load has to be faster than both. */
const SHARE = 0.25;
const SECONDS = 3;
const WARM_UP_SECONDS = 4;
/** Requests per second of two workers, at least this many times those of one. */
const GOAL = 1.8;

const USAGE = `usage: node bench/workers/run.ts [options]

Requests per second of two workers beside one, each with ${SHARE * 100} % of a core, and CPU per request of workers and of the control process.

  --rounds N        rounds, each in another order                          (5)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/workers/run.ts --record        about 2 minutes
`;

/** A gateway of the bench. */
interface Pool {
  readonly name: string;
  readonly proxy: RunningProxy;
  /** The processes that serve; the control process beside them, if there is one. */
  readonly workers: readonly number[];
  readonly control: number | undefined;
}

/** CPU in microseconds per request. */
interface Sample {
  readonly workerCpu: number;
  readonly controlCpu: number;
  readonly requestsPerSecond: number;
}

async function start(name: string, workers: number | undefined, origins: Awaited<ReturnType<typeof startOrigins>>): Promise<Pool> {
  const options = {
    origins,
    certificate: makeCertificate(),
    scheme: true,
    evidence: true,
    telemetry: {},
    ...(workers === undefined ? {} : { workers }),
  };
  const proxy = await startPerchProxy(MEASURED_CORE, options);
  if (workers === undefined) return { name, proxy, workers: [proxy.pid], control: undefined };
  await runCommand('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(proxy.pid)]);
  return { name, proxy, workers: childProcesses(proxy.pid), control: proxy.pid };
}

async function measure({ proxy, workers, control }: Pool, script: string, seconds = SECONDS): Promise<Sample> {
  const used = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + ownCpuTime(pid), 0);
  const [workersBefore, controlBefore] = [used(workers), control === undefined ? 0 : ownCpuTime(control)];
  const { requests, seconds: took } = await runLoad({ script, port: proxy.port, seconds, core: LOAD_CORE });
  return {
    workerCpu: ((used(workers) - workersBefore) * 1e6) / requests,
    controlCpu: control === undefined ? 0 : ((ownCpuTime(control) - controlBefore) * 1e6) / requests,
    requestsPerSecond: requests / took,
  };
}

interface Results {
  readonly free: ReadonlyMap<Pool, Sample[]>;
  readonly capped: ReadonlyMap<Pool, Sample[]>;
}

async function bench(rounds: number): Promise<string> {
  const origins = await startOrigins(LOAD_CORE);
  const folder = mkdtempSync(join(tmpdir(), 'perch-bench-'));
  const pools: Pool[] = [];
  try {
    const { script } = writeLoadFiles(folder, '1k');
    for (const [name, workers] of [
      ['in one process', undefined],
      ['1 worker', 1],
      ['2 workers', 2],
    ] as const) {
      pools.push(await start(name, workers, origins));
    }
    const [own, one, two] = pools as [Pool, Pool, Pool];
    for (const pool of pools) await measure(pool, script, WARM_UP_SECONDS);
    const free = new Map(pools.map((pool): [Pool, Sample[]] => [pool, []]));
    const capped = new Map([one, two].map((pool): [Pool, Sample[]] => [pool, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const pool of shuffled(pools, Math.random)) free.get(pool)?.push(await measure(pool, script));
      for (const pool of shuffled([one, two], Math.random)) {
        const release = capCpu(pool.workers, SHARE);
        if (release === undefined) continue;
        try {
          capped.get(pool)?.push(await measure(pool, script));
        } finally {
          release();
        }
      }
      say(`round ${round} of ${rounds}`);
    }
    return report({ free, capped }, own, one, two);
  } finally {
    await Promise.all(pools.map(({ proxy }) => proxy.stop()));
    await origins.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report({ free, capped }: Results, own: Pool, one: Pool, two: Pool): string {
  const middle = (samples: readonly Sample[] | undefined, of: keyof Sample): number => median((samples ?? []).map((sample) => sample[of]));
  const text = (value: number, digits: number): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));
  const memory = ({ workers, control }: Pool): string =>
    [control, ...workers]
      .map((pid) => (pid === undefined ? '' : residentMemory(pid, false).toFixed(0)))
      .filter((each) => each !== '')
      .join(' + ');
  const head = ['gateway', 'CPU us, serving', 'CPU us, control', `req/s, ${SHARE * 100} % of a core each`, 'MiB'];
  const rows = [own, one, two].map((pool) => [
    pool.name,
    text(middle(free.get(pool), 'workerCpu'), 1),
    pool.control === undefined ? '-' : text(middle(free.get(pool), 'controlCpu'), 1),
    text(middle(capped.get(pool), 'requestsPerSecond'), 0),
    memory(pool),
  ]);
  const ratios = (capped.get(two) ?? []).map(
    (sample, round) => sample.requestsPerSecond / (capped.get(one)?.[round]?.requestsPerSecond ?? Number.NaN),
  );
  const ratio = median(ratios);
  const verdict = Number.isNaN(ratio)
    ? 'Requests per second were not measured: it takes root to give each worker its share.'
    : table(
        [
          ['goal', 'at least', 'measured', ''],
          ['requests per second of two workers', `${GOAL} x one`, ratio.toFixed(2), ratio >= GOAL ? 'met' : 'MISSED'],
        ],
        1,
      );
  return `${table([head, ...rows], 1)}\n\n${verdict}\n`;
}

await runBench({
  file: import.meta.url,
  title: 'Workers',
  programs: ['nginx', 'wrk', 'taskset', 'openssl'],
  readPlan: (args) => readRounds(args, USAGE, 5),
  async measure({ rounds }) {
    const lines = [
      ...(await describeMachine(['nginx', 'wrk'])),
      '',
      `1 KB, with evidence and metrics, 64 connections as fast as it goes; medians of ${rounds} shuffled rounds of ${SECONDS} s windows. Serving processes share core 0, the control process is with the load on the other.`,
      '',
      await bench(rounds),
    ];
    return `${lines.join('\n')}\n`;
  },
});
