// `node bench/soak/run.ts`: one gateway under a steady load for twenty minutes: memory, latency, failures. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { readOptions, say, UsageError } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import { makeCertificate } from '../gateway/certificate.ts';
import { startOrigins } from '../gateway/nginx.ts';
import { startPerchProxy } from '../gateway/perch.ts';
import { describeMachine } from '../machine.ts';
import { percentile } from '../percentile.ts';
import { cpuTime, residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { table } from '../table.ts';
import { startFixedRate } from './fixed-rate.ts';
import { regression } from './regression.ts';

const USAGE = `usage: node bench/soak/run.ts [options]

Perch's gateway with the visitor scheme and visitors counted, under a steady load of requests at a fixed rate.

  --minutes N       how long                               (20)
  --rate N          requests per second                    (3000)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/soak/run.ts --record           20 minutes
`;

/** How often memory is looked at. */
const SAMPLE_MS = 5_000;
/** The heap grows to its working size first: left out of the slope. */
const WARM_UP_SHARE = 0.2;
const MINUTE = 60_000;

interface Plan {
  readonly minutes: number;
  readonly rate: number;
  readonly record: boolean;
}

function readWhole(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new UsageError(`--${option}: ${JSON.stringify(text)} is not a whole number from 1 to 99999`);
  return Number(text);
}

function readPlan(args: readonly string[]): Plan | string {
  const values = readOptions(args, {
    minutes: { type: 'string', default: '20' },
    rate: { type: 'string', default: '3000' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return USAGE;
  return { minutes: readWhole('minutes', values.minutes), rate: readWhole('rate', values.rate), record: values.record };
}

interface Sample {
  readonly at: number;
  readonly memory: number;
}

/** What one minute, or the last part of one, was like. */
interface Minute {
  readonly seconds: number;
  readonly latencies: readonly number[];
  readonly failed: number;
  readonly cpuShare: number;
  readonly memory: number;
  /** What was alive after a collection of garbage. */
  readonly alive: number;
}

async function soak({ minutes, rate }: Plan): Promise<string> {
  const origins = await startOrigins(LOAD_CORE);
  const proxy = await startPerchProxy(MEASURED_CORE, { origins, certificate: makeCertificate(), scheme: true, evidence: true });
  const load = startFixedRate(proxy.port, rate);
  const samples: Sample[] = [];
  const rows: Minute[] = [];
  const failures = new Map<string, number>();
  const startedAt = performance.now();
  try {
    for (let minute = 1; minute <= minutes; minute++) {
      const [cpuBefore, before] = [cpuOf(proxy.pid), performance.now()];
      while (performance.now() - startedAt < minute * MINUTE) {
        await sleep(SAMPLE_MS);
        samples.push({ at: performance.now() - startedAt, memory: residentMemory(proxy.pid) });
      }
      const seconds = (performance.now() - before) / 1000;
      const { latencies, failures: failed } = load.take();
      for (const [what, count] of failed) failures.set(what, (failures.get(what) ?? 0) + count);
      rows.push({
        ...{ seconds, latencies },
        failed: [...failed.values()].reduce((sum, count) => sum + count, 0),
        cpuShare: (cpuOf(proxy.pid) - cpuBefore) / seconds,
        memory: samples.at(-1)?.memory ?? Number.NaN,
        alive: await proxy.alive(),
      });
      say(`minute ${minute} of ${minutes}: ${samples.at(-1)?.memory.toFixed(1)} MiB`);
    }
  } finally {
    load.stop();
    await proxy.stop();
    await origins.stop();
  }
  return [
    summary(rows, samples, minutes * MINUTE),
    ...[...failures].map(([what, count]) => `${count} x ${what}`),
    '',
    minuteTable(rows),
  ].join('\n');
}

function cpuOf(pid: number): number {
  const { user, system } = cpuTime(pid);
  return user + system;
}

function summary(rows: readonly Minute[], samples: readonly Sample[], totalMs: number): string {
  const all = rows.flatMap(({ latencies }) => latencies);
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  const late = samples.filter(({ at }) => at > totalMs * WARM_UP_SHARE);
  const kept = rows.slice(Math.ceil(rows.length * WARM_UP_SHARE));
  const alive = kept.map((row) => row.alive);
  const sizes = late.map(({ memory }) => memory);
  return table(
    [
      ['what', 'value'],
      ['requests answered', String(all.length)],
      ['requests per second', (all.length / seconds).toFixed(0)],
      ['failed', String(failed)],
      ['p50, p99, p99.9', [0.5, 0.99, 0.999].map((share) => `${percentile(all, share).toFixed(1)} ms`).join(', ')],
      ['memory after the first fifth, least to most', `${Math.min(...sizes).toFixed(1)} to ${Math.max(...sizes).toFixed(1)} MiB`],
      ['slope of memory after the first fifth', slopeText(late.map(({ at, memory }) => ({ x: at / 3_600_000, y: memory })))],
      ['alive after the first fifth, least to most', `${Math.min(...alive).toFixed(1)} to ${Math.max(...alive).toFixed(1)} MiB`],
      ['slope of what is alive', slopeText(kept.map((row, index) => ({ x: index / 60, y: row.alive })))],
    ],
    2,
  );
}

/** `x` in hours, `y` in MiB. */
function slopeText(points: readonly { readonly x: number; readonly y: number }[]): string {
  if (points.length < 3) return 'too short to tell';
  const { slope, error } = regression(points);
  return `${slope.toFixed(1)} ± ${(2 * error).toFixed(1)} MiB per hour (two standard errors)`;
}

function minuteTable(rows: readonly Minute[]): string {
  const body = rows.map(({ seconds, latencies, failed, cpuShare, memory, alive }, index) => [
    ...[String(index + 1), (latencies.length / seconds).toFixed(0), String(failed), percentile(latencies, 0.5).toFixed(1)],
    ...[percentile(latencies, 0.99).toFixed(1), `${(cpuShare * 100).toFixed(0)} %`, memory.toFixed(1), alive.toFixed(1)],
  ]);
  return table([['minute', 'requests/s', 'failed', 'p50 ms', 'p99 ms', 'CPU', 'MiB at its end', 'MiB alive'], ...body], 0);
}

await runBench({
  file: import.meta.url,
  title: 'Soak',
  programs: ['nginx', 'taskset', 'openssl'],
  readPlan,
  async measure(plan) {
    const lines = [
      ...(await describeMachine(['nginx'])),
      '',
      `\`node bench/soak/run.ts --minutes ${plan.minutes} --rate ${plan.rate}\`: one gateway process with the visitor scheme and visitors counted, 64 keep-alive connections; 1 request in 20 asks for 100 KB, 1 in 25 posts 10 KB, after 1 in 199 its connection is given up and opened anew, the others ask for 1 KB. Latency counts from when a request was due.`,
      '',
      await soak(plan),
    ];
    return `${lines.join('\n')}\n`;
  },
});
