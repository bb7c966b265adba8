// `node bench/gateway/run.ts`: CPU per proxied request of Perch's gateway beside nginx and Envoy. See README.md here.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provideEnvoy } from '../../tools/provide-envoy.ts';
import { runCommand } from '../../tools/run-command.ts';
import type { Candidate, Origins } from './candidate.ts';
import { startEnvoyProxy } from './envoy.ts';
import { loadRequests, writeLoadScript } from './load.ts';
import { describeMachine, missingPrograms } from './machine.ts';
import { measureWindow, type RunningCandidate, type Sample, shuffled } from './measure.ts';
import { startNginxProxy, startOrigins } from './nginx.ts';
import { startPerchProxy } from './perch.ts';
import { goalLine, quietLine, resultTable, type Series } from './report.ts';
import { CUTOFF, shopRoutes, shopSetCookie, wovenShopRoutes } from './shop.ts';
import { verifyCandidate } from './verify.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 64;
/** DESIGN, issue 3: at most this times Envoy's CPU per request, with the visitor scheme on. */
const GOAL = 0.9;

function candidates(envoy: string, origins: Origins): readonly Candidate[] {
  const scheme = { cutoff: CUTOFF, setCookie: shopSetCookie() };
  return [
    { name: 'nginx', proxy: 'nginx', scheme: false, start: () => startNginxProxy(PROXY_CORE, origins, undefined) },
    { name: 'nginx', proxy: 'nginx', scheme: true, start: () => startNginxProxy(PROXY_CORE, origins, scheme) },
    { name: 'Envoy', proxy: 'Envoy', scheme: false, start: () => startEnvoyProxy(envoy, PROXY_CORE, origins, shopRoutes) },
    { name: 'Envoy', proxy: 'Envoy', scheme: true, start: () => startEnvoyProxy(envoy, PROXY_CORE, origins, wovenShopRoutes()) },
    { name: 'Perch', proxy: 'Perch', scheme: false, start: () => startPerchProxy(PROXY_CORE, { origins, scheme: false, evidence: false }) },
    { name: 'Perch', proxy: 'Perch', scheme: true, start: () => startPerchProxy(PROXY_CORE, { origins, scheme: true, evidence: false }) },
    {
      name: 'Perch, counting visitors',
      proxy: 'Perch',
      scheme: true,
      start: () => startPerchProxy(PROXY_CORE, { origins, scheme: true, evidence: true }),
    },
  ];
}

interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  /** Lower-case names of proxies; empty: all. */
  readonly only: readonly string[];
}

async function measureRounds(running: readonly RunningCandidate[], plan: Plan): Promise<readonly Series[]> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-bench-'));
  const load = { script: writeLoadScript(folder), connections: CONNECTIONS, core: LOAD_CORE };
  const samples = new Map<Candidate, Sample[]>(running.map(({ candidate }) => [candidate, []]));
  try {
    for (const each of running) await measureWindow(each, PROXY_CORE, { ...load, seconds: plan.warmUp });
    for (let round = 1; round <= plan.rounds; round++) {
      for (const each of shuffled(running, Math.random)) {
        samples.get(each.candidate)?.push(await measureWindow(each, PROXY_CORE, { ...load, seconds: plan.seconds }));
      }
      console.error(`round ${round} of ${plan.rounds}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return running.map(({ candidate }) => ({ candidate, samples: samples.get(candidate) ?? [] }));
}

async function bench(plan: Plan): Promise<readonly Series[]> {
  const envoy = await provideEnvoy();
  const origins = await startOrigins(LOAD_CORE);
  const running: RunningCandidate[] = [];
  try {
    for (const candidate of candidates(envoy, origins)) {
      if (plan.only.length > 0 && !plan.only.includes(candidate.proxy.toLowerCase())) continue;
      const started = { candidate, proxy: await candidate.start() };
      running.push(started);
      await verifyCandidate(started, loadRequests(), CUTOFF);
    }
    return await measureRounds(running, plan);
  } finally {
    await Promise.all(running.map(({ proxy }) => proxy.stop()));
    await origins.stop();
  }
}

async function report(series: readonly Series[], plan: Plan): Promise<string> {
  const machine = await describeMachine(await provideEnvoy());
  const lines = [
    resultTable(series),
    '',
    goalLine(series, GOAL),
    '',
    `Medians of ${plan.rounds} shuffled rounds of ${plan.seconds} s after ${plan.warmUp} s of warm-up, ${CONNECTIONS} keep-alive connections; ratios are medians of the rounds' own.`,
    quietLine(series),
    ...machine,
  ];
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '5' },
      only: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  });
  const plan = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUp: Number(values['warm-up']),
    only: values.only?.toLowerCase().split(',') ?? [],
  };
  if (process.platform !== 'linux' || cpus().length < 2) {
    console.error('This bench needs Linux with at least two cores: one for the proxies, one for the load.');
    return 2;
  }
  const missing = await missingPrograms();
  if (missing.length > 0) {
    console.error(missing.join('\n'));
    return 2;
  }
  await runCommand('taskset', ['-cp', String(LOAD_CORE), String(process.pid)]);
  const text = await report(await bench(plan), plan);
  console.log(text);
  if (values.record) {
    const folder = new URL('results/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    const day = new Date().toISOString().slice(0, 10);
    writeFileSync(new URL(`${day}.md`, folder), `# CPU per proxied request, ${day}\n\n${text}`);
  }
  return 0;
}

process.exitCode = await main();
