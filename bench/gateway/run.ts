// `node bench/gateway/run.ts`: CPU per proxied request and latency of Perch's gateway beside nginx, HAProxy and Envoy. See README.md here.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideEnvoy } from '../../tools/provide-envoy.ts';
import { say } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import { describeMachine } from '../machine.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import type { BodySize } from './body-size.ts';
import { allCandidates } from './candidates.ts';
import { makeCertificate } from './certificate.ts';
import { CONNECTIONS, type LoadFiles, type LoadKind, rateOf, writeLoadFiles } from './load.ts';
import { measureWindow, type RunningCandidate, type Sample } from './measure.ts';
import { startOrigins } from './nginx.ts';
import { type Plan, readPlan } from './options.ts';
import { goalTable, quietLine, resultTables, type Series } from './report.ts';
import { verifyCandidate, verifyUpstream } from './verify.ts';

const PROGRAMS = ['nginx', 'haproxy', 'wrk', 'taskset', 'openssl'] as const;

/** One cell of the results: a proxy under a load, and what was measured of it. */
interface Cell {
  readonly running: RunningCandidate;
  readonly size: BodySize;
  readonly load: LoadKind;
  readonly files: LoadFiles;
  readonly samples: Sample[];
}

/** What is left, from what was done so far. */
function remaining(startedAt: number, done: number, total: number): string {
  const seconds = Math.round(((performance.now() - startedAt) / 1000 / done) * (total - done));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

async function warmUp(running: readonly RunningCandidate[], plan: Plan, all: ReadonlyMap<BodySize, LoadFiles>): Promise<void> {
  for (const each of running) {
    say(`warming up ${each.candidate.name}, scheme ${each.candidate.scheme ? 'on' : 'off'}`);
    for (const [size, files] of all) await measureWindow(each, { size, load: 'full', files, core: LOAD_CORE, seconds: plan.warmUp });
  }
}

async function measure(running: readonly RunningCandidate[], plan: Plan): Promise<readonly Series[]> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-bench-'));
  const files = new Map(plan.sizes.map((size) => [size, writeLoadFiles(folder, size)]));
  const cells: readonly Cell[] = plan.loads.flatMap((load) =>
    [...files].flatMap(([size, each]) => {
      if (load !== 'full' && rateOf(size, load) === undefined) return [];
      return running.map((one) => ({ running: one, size, load, files: each, samples: [] }));
    }),
  );
  try {
    await warmUp(running, plan, files);
    const startedAt = performance.now();
    for (let round = 1; round <= plan.rounds; round++) {
      for (const cell of shuffled(cells, Math.random)) {
        cell.samples.push(await measureWindow(cell.running, { ...cell, core: LOAD_CORE, seconds: plan.seconds }));
      }
      say(`round ${round} of ${plan.rounds}, ${remaining(startedAt, round, plan.rounds)} left`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return cells.map(({ running: { candidate }, size, load, samples }) => ({ candidate, size, load, samples }));
}

async function bench(plan: Plan, envoy: string): Promise<readonly Series[]> {
  const origins = await startOrigins(LOAD_CORE);
  const running: RunningCandidate[] = [];
  try {
    for (const candidate of allCandidates(MEASURED_CORE, envoy, origins, makeCertificate())) {
      if (!plan.only.includes(candidate.proxy) || !plan.scheme.includes(candidate.scheme ? 'on' : 'off')) continue;
      const started = { candidate, proxy: await candidate.start() };
      running.push(started);
      for (const size of plan.sizes) await verifyCandidate(started, size);
      await verifyUpstream(started);
    }
    return await measure(running, plan);
  } finally {
    await Promise.all(running.map(({ proxy }) => proxy.stop()));
    await origins.stop();
  }
}

async function report(series: readonly Series[], plan: Plan, envoy: string): Promise<string> {
  const lines = [
    ...(await describeMachine(['nginx', 'haproxy', 'wrk'], envoy)),
    '',
    `Medians of ${plan.rounds} shuffled rounds of ${plan.seconds} s windows after ${plan.warmUp} s of warm-up, ${CONNECTIONS} keep-alive connections; ratios are medians of the rounds' own. Rates are of a Poisson process that does not wait for answers.`,
    quietLine(series),
    '',
    resultTables(series),
    goalTable(series),
  ];
  return lines.join('\n');
}

await runBench({
  file: import.meta.url,
  title: 'The gateway beside nginx, HAProxy and Envoy',
  programs: PROGRAMS,
  readPlan,
  async measure(plan) {
    const envoy = await provideEnvoy();
    return report(await bench(plan, envoy), plan, envoy);
  },
});
