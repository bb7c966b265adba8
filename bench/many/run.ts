// `node bench/many/run.ts`: 1,000 releases in one embedded runtime: start, idle CPU, memory, and how soon each reacts. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCount, readOptions, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { percentile } from '../percentile.ts';
import { cpuTime, residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { startEndpoints } from './endpoints.ts';
import { releaseNameOf } from './estate.ts';
import type { EstateOptions } from './runtime.ts';
import { type Estate, type EstateRequest, request, startEstate } from './start-estate.ts';

/** Releases that are asked for something one after the other, and as many at once. */
const ASKED = 100;
/** Those that are asked before them: a process compiles what it runs for the first time. */
const WARM_UP = 10;
/** What is still going on after a start is not idle. */
const SETTLE_MS = 5000;
/** Of a core. */
const GOAL_IDLE = 0.01;
const GOAL_REACTION_MS = 100;

const USAGE = `usage: node bench/many/run.ts [options]

Releases with a service, VirtualService and two endpoints each in one embedded runtime: all on their first step, then all at their end.

  --releases N      how many                                              (1000)
  --idle SECONDS    how long CPU is counted while nothing happens, twice   (60)
  --interval TIME   how often each endpoint is checked, as in spec.readiness.healthCheck (1s)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/many/run.ts --record           about 8 minutes
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

/** Asks one release; gives the milliseconds from the call to its answer. */
async function reaction({ apiPort }: Estate, index: number, what: EstateRequest): Promise<number> {
  const began = performance.now();
  await request(apiPort, releaseNameOf(index), what);
  return performance.now() - began;
}

async function reactionsInTurn(estate: Estate, indexes: readonly number[], what: EstateRequest): Promise<readonly number[]> {
  const times: number[] = [];
  for (const index of indexes) times.push(await reaction(estate, index, what));
  return times;
}

/** Share of a core that the runtime uses while nobody asks for anything. */
async function idleShare({ pid }: Estate, seconds: number): Promise<number> {
  await sleep(SETTLE_MS);
  const before = cpuTime(pid);
  await sleep(seconds * 1000);
  const after = cpuTime(pid);
  return (after.user + after.system - before.user - before.system) / seconds;
}

async function measureEstate({ releases, idle, interval }: Plan, dataDir: string): Promise<string> {
  const endpoints = await startEndpoints();
  const options: EstateOptions = { dataDir, releases, endpoints: endpoints.port, ...(interval === undefined ? {} : { interval }) };
  try {
    const first = await startEstate(options);
    await first.stop();
    const estate = await startEstate(options);
    const shareOnStep = await idleShare(estate, idle);
    const memory = residentMemory(estate.pid);
    say('idle, on a step: done');
    const order = shuffled(
      Array.from({ length: releases }, (_, index) => index),
      Math.random,
    );
    const [warmUp, inTurn, atOnce] = [order.slice(0, WARM_UP), order.slice(WARM_UP, WARM_UP + ASKED), order.slice(-ASKED)];
    await reactionsInTurn(estate, warmUp, 'promote');
    const promoted = await reactionsInTurn(estate, inTurn, 'promote');
    const together = await Promise.all(atOnce.map((index) => reaction(estate, index, 'promote')));
    say('promotions: done');
    await reactionsInTurn(estate, order, 'promote to the end');
    await estate.stop();
    say('all at their end');
    const ended = await startEstate(options);
    const shareAtEnd = await idleShare(ended, idle);
    say('idle, at their end: done');
    await reactionsInTurn(ended, warmUp, 'roll back');
    const undone = await reactionsInTurn(ended, inTurn, 'roll back');
    await ended.stop();
    const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
    const middleAndLate = (times: readonly number[]) => `${percentile(times, 0.5).toFixed(0)} / ${percentile(times, 0.99).toFixed(0)} ms`;
    const judged = (times: readonly number[]) => `100 ms: ${verdict(percentile(times, 0.99) <= GOAL_REACTION_MS)}`;
    const seconds = (ms: number | undefined): string => `${((ms ?? Number.NaN) / 1000).toFixed(1)} s`;
    const percent = (share: number): string => `${(share * 100).toFixed(2)} % of a core`;
    const rows = [
      ['applied, from an empty folder', seconds(first.reached.applied), ''],
      ['all on their first step, served', seconds(first.reached.started), ''],
      ['a restart, to everything served', seconds(estate.reached.started), ''],
      [`CPU while idle, all on a step, over ${idle} s`, percent(shareOnStep), ''],
      [`CPU while idle, all at their end, over ${idle} s`, percent(shareAtEnd), `under 1 %: ${verdict(shareAtEnd < GOAL_IDLE)}`],
      ['resident memory, all on a step', `${memory.toFixed(0)} MiB`, ''],
      [`promoted one after the other, ${ASKED} at random: p50 / p99`, middleAndLate(promoted), judged(promoted)],
      [`${ASKED} promoted at once: p50 / p99`, middleAndLate(together), ''],
      [`rolled back from their end, ${ASKED} one after the other: p50 / p99`, middleAndLate(undone), judged(undone)],
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
        `${plan.releases} releases, each with a service of two versions, a VirtualService and two endpoints, in one runtime on a core of its own; ${checks}. A request: from the call of the API to its answer, which comes once the new routes are served.`,
        '',
        await measureEstate(plan, folder),
      ];
      return `${lines.join('\n')}\n`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
