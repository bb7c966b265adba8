// `node bench/telemetry/run.ts`: what the gateway pays, in CPU per request, for telling of its requests. See bench/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRounds, say } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import type { Origins, RunningProxy } from '../gateway/candidate.ts';
import { makeCertificate } from '../gateway/certificate.ts';
import { CONNECTIONS, writeLoadFiles } from '../gateway/load.ts';
import { measureWindow, type RunningCandidate, type Sample } from '../gateway/measure.ts';
import { startOrigins } from '../gateway/nginx.ts';
import { type PerchProxyOptions, startPerchProxy } from '../gateway/perch.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';

const USAGE = `usage: node bench/telemetry/run.ts [--rounds N] [--record]

CPU per request of Perch's gateway with nothing told, with visitors counted, with Istio's metrics, an access log and spans: ratios within one run.
About 90 seconds with 6 rounds.
`;
const SECONDS = 2;
const WARM_UP_SECONDS = 2;

type Told = Pick<PerchProxyOptions, 'evidence' | 'telemetry'>;

function candidates(log: string, collector: string): readonly (readonly [name: string, told: Told])[] {
  return [
    ['nothing', { evidence: false }],
    ['metrics', { evidence: false, telemetry: {} }],
    ['visitors', { evidence: true }],
    ['visitors and metrics: `perch serve`', { evidence: true, telemetry: {} }],
    ['the same, and an access log', { evidence: true, telemetry: { accessLog: log } }],
    ['the same, and spans of 1 %', { evidence: true, telemetry: { collector: { url: collector, share: 0.01 } } }],
    ['the same, and spans of 100 %', { evidence: true, telemetry: { collector: { url: collector, share: 1 } } }],
  ];
}

interface Measured {
  readonly running: RunningCandidate;
  readonly samples: Sample[];
}

async function startAll(log: string, collector: string, origins: Origins): Promise<readonly Measured[]> {
  const certificate = makeCertificate();
  const all: Measured[] = [];
  for (const [name, told] of candidates(log, collector)) {
    const start = (): Promise<RunningProxy> => startPerchProxy(MEASURED_CORE, { origins, certificate, scheme: true, ...told });
    all.push({ running: { candidate: { name, proxy: 'Perch', scheme: true, start }, proxy: await start() }, samples: [] });
  }
  return all;
}

function report(all: readonly Measured[]): string {
  const [base] = all;
  const rows = all.map(({ running, samples }) => [
    running.candidate.name,
    median(samples.map(({ cpu }) => cpu)).toFixed(1),
    median(samples.map(({ cpu }, round) => cpu / (base?.samples[round]?.cpu ?? Number.NaN))).toFixed(2),
    median(samples.map(({ memory }) => memory)).toFixed(0),
  ]);
  return table([['told', 'CPU us', 'x nothing', 'MiB'], ...rows], 1);
}

await runBench({
  file: import.meta.url,
  title: 'What it costs to tell of requests',
  programs: ['nginx', 'wrk', 'taskset', 'openssl'],
  readPlan: (args) => readRounds(args, USAGE, 6),
  async measure({ rounds }) {
    const folder = mkdtempSync(join(tmpdir(), 'perch-bench-'));
    const collector = createServer((request, response) => request.resume().once('end', () => response.end('{}')));
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const origins = await startOrigins(LOAD_CORE);
    let all: readonly Measured[] = [];
    try {
      const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
      const files = writeLoadFiles(folder, '1k');
      all = await startAll(join(folder, 'access.log'), url, origins);
      for (const { running } of all)
        await measureWindow(running, { size: '1k', load: 'full', files, core: LOAD_CORE, seconds: WARM_UP_SECONDS });
      for (let round = 1; round <= rounds; round++) {
        for (const { running, samples } of shuffled(all, Math.random)) {
          samples.push(await measureWindow(running, { size: '1k', load: 'full', files, core: LOAD_CORE, seconds: SECONDS }));
        }
        say(`round ${round} of ${rounds}`);
      }
      const disturbance = median(all.flatMap(({ samples }) => samples.map((sample) => sample.disturbance)));
      return [
        ...(await describeMachine(['nginx', 'wrk'])),
        '',
        `1 KB as fast as it goes, a release woven in, every second request a new visitor (bench/gateway). Medians of ${rounds} shuffled rounds of ${SECONDS} s windows, ${CONNECTIONS} keep-alive connections; ratios are medians of the rounds' own.`,
        `Others took ${(100 * disturbance).toFixed(1)} % of the gateway's core (median).`,
        '',
        report(all),
      ].join('\n');
    } finally {
      await Promise.all(all.map(({ running }) => running.proxy.stop()));
      await origins.stop();
      collector.close();
      collector.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
