// `node bench/many/run.ts`: 1,000 releases in one embedded runtime: start, idle CPU, memory, and how soon each reacts. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCount, readOptions, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { cpuTime, residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { startEndpoints } from './endpoints.ts';
import { releaseNameOf } from './estate.ts';
import type { EstateOptions } from './runtime.ts';
import { promote, startEstate } from './start-estate.ts';

/** Releases that are promoted one after the other, and as many at once. */
const PROMOTED = 100;
/** What is still going on after a start is not idle. */
const SETTLE_MS = 5000;
/** Of a core. */
const GOAL_IDLE = 0.01;
const GOAL_REACTION_MS = 100;

const USAGE = `usage: node bench/many/run.ts [options]

Releases with a service, VirtualService and two endpoints each in one embedded runtime, all on their first step.

  --releases N      how many                                              (1000)
  --idle SECONDS    how long CPU is counted while nothing happens         (60)
  --interval TIME   how often each endpoint is checked, as in spec.readiness.healthCheck (1s)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/many/run.ts --record           about 5 minutes
`;

interface Plan {
  readonly releases: number;
  readonly idle: number;
  readonly interval: string | undefined;
  readonly record: boolean;
}

function readPlan(args: readonly string[]): Plan | string {
  const { help, releases, idle, interval, record } = readOptions(args, {
    releases: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '60' },
    interval: { type: 'string' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return help ? USAGE : { releases: readCount('releases', releases), idle: readCount('idle', idle), interval, record };
}

/** Promotes a release; gives the milliseconds from the call to its answer. */
async function reaction(apiPort: number, index: number): Promise<number> {
  const began = performance.now();
  await promote(apiPort, releaseNameOf(index));
  return performance.now() - began;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measureEstate({ releases, idle, interval }: Plan, dataDir: string): Promise<string> {
  const endpoints = await startEndpoints();
  const options: EstateOptions = { dataDir, releases, endpoints: endpoints.port, ...(interval === undefined ? {} : { interval }) };
  try {
    const first = await startEstate(options);
    await first.stop();
    const estate = await startEstate(options);
    await sleep(SETTLE_MS);
    const before = cpuTime(estate.pid);
    await sleep(idle * 1000);
    const after = cpuTime(estate.pid);
    const share = (after.user + after.system - before.user - before.system) / idle;
    const memory = residentMemory(estate.pid);
    say('idle: done');
    const order = shuffled(
      Array.from({ length: releases }, (_, index) => index),
      Math.random,
    );
    const single: number[] = [];
    for (const index of order.slice(0, PROMOTED)) single.push(await reaction(estate.apiPort, index));
    say('one after the other: done');
    const together = await Promise.all(order.slice(PROMOTED, 2 * PROMOTED).map((index) => reaction(estate.apiPort, index)));
    await estate.stop();
    const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
    const middleAndLate = (times: readonly number[]) => `${percentile(times, 0.5).toFixed(0)} / ${percentile(times, 0.99).toFixed(0)} ms`;
    const seconds = (ms: number | undefined): string => `${((ms ?? Number.NaN) / 1000).toFixed(1)} s`;
    const rows = [
      ['applied, from an empty folder', seconds(first.reached.applied), ''],
      ['all on their first step, served', seconds(first.reached.started), ''],
      ['a restart, to everything served', seconds(estate.reached.started), ''],
      [`CPU while idle, over ${idle} s`, `${(share * 100).toFixed(2)} % of a core`, `under 1 %: ${verdict(share < GOAL_IDLE)}`],
      ['resident memory', `${memory.toFixed(0)} MiB`, ''],
      [
        `promoted one after the other, ${PROMOTED} at random: p50 / p99`,
        middleAndLate(single),
        `100 ms: ${verdict(percentile(single, 0.99) <= GOAL_REACTION_MS)}`,
      ],
      [`${PROMOTED} promoted at once: p50 / p99`, middleAndLate(together), ''],
    ];
    return table([['', 'measured', 'goal'], ...rows], 3);
  } finally {
    endpoints.stop();
  }
}

await runBench({
  file: import.meta.url,
  title: 'Many releases',
  programs: ['taskset'],
  readPlan,
  async measure(plan) {
    const folder = mkdtempSync(join(tmpdir(), 'perch-many-'));
    try {
      const checks = `each endpoint checked every ${plan.interval ?? '1s, the default'}`;
      const lines = [
        ...(await describeMachine([])),
        '',
        `${plan.releases} releases, each with a service of two versions, a VirtualService and two endpoints, in one runtime on a core of its own; ${checks}. A promotion: from the call of the API to its answer, which comes once the new routes are served.`,
        '',
        await measureEstate(plan, folder),
      ];
      return `${lines.join('\n')}\n`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
