// `node bench/idle/run.ts`: memory that 1,000 idle keep-alive connections take in Perch, nginx, HAProxy and Envoy. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { provideEnvoy } from '../../tools/provide-envoy.ts';
import { readRounds, say } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import type { Candidate, RunningProxy } from '../gateway/candidate.ts';
import { allCandidates } from '../gateway/candidates.ts';
import { makeCertificate } from '../gateway/certificate.ts';
import { loadRequests } from '../gateway/load.ts';
import { startOrigins } from '../gateway/nginx.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { residentMemory } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { startBareNode } from './bare-node.ts';
import { openIdleConnections } from './idle-connections.ts';

const CONNECTIONS = 1000;
/** Requests before the first look: what a proxy allocates once, or compiles, is not the connections'. */
const WARM_UP_REQUESTS = 5000;
const WARM_UP_CONNECTIONS = 50;
/** Resident memory with the connections, at most, in MiB. */
const GOAL_MIB = 60;
/** Time for memory to be given back before each look. */
const SETTLE_MS = 2000;

const USAGE = `usage: node bench/idle/run.ts [options]

Memory of ${CONNECTIONS} idle keep-alive connections in Perch's gateway, nginx, HAProxy and Envoy, with the visitor scheme on, and in a Node that only
answers.

  --rounds N        fresh processes of each proxy                         (5)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/idle/run.ts --record           about 4 minutes
`;

/** What is measured: the proxies, and Node alone. */
interface Server {
  readonly name: string;
  readonly proxy: Candidate['proxy'] | undefined;
  start(): Promise<Omit<RunningProxy, 'tlsPort'>>;
}

/** Resident memory in MiB: before the connections, and with them. */
interface Look {
  readonly before: number;
  readonly with: number;
}

/** A fresh process, warmed up over a few connections, then with the idle ones. */
async function measure(candidate: Server): Promise<Look> {
  const heads = loadRequests('1k');
  const proxy = await candidate.start();
  try {
    const few = Math.ceil(WARM_UP_REQUESTS / WARM_UP_CONNECTIONS);
    for (let round = 0; round < few; round++) {
      const sockets = await openIdleConnections(proxy.port, WARM_UP_CONNECTIONS, heads);
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
    }
    await sleep(SETTLE_MS);
    const before = residentMemory(proxy.pid);
    const sockets = await openIdleConnections(proxy.port, CONNECTIONS, heads);
    await sleep(SETTLE_MS);
    const open = sockets.filter(({ closed }) => !closed).length;
    if (open < CONNECTIONS) throw new Error(`${candidate.name} closed ${CONNECTIONS - open} of the connections`);
    const look = { before, with: residentMemory(proxy.pid) };
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
    return look;
  } finally {
    await proxy.stop();
  }
}

function resultTable(looks: ReadonlyMap<Server, readonly Look[]>): string {
  const rows = [...looks].map(([{ name, proxy }, samples]) => ({
    name,
    proxy,
    before: median(samples.map(({ before }) => before)),
    all: median(samples.map((look) => look.with)),
    each: median(samples.map((look) => ((look.with - look.before) * 1024) / CONNECTIONS)),
  }));
  const rivals = ['nginx', 'HAProxy', 'Envoy'] as const;
  const ratio = (each: number, rival: Candidate['proxy']) => {
    const theirs = rows.find(({ proxy }) => proxy === rival)?.each ?? Number.NaN;
    // Next to nothing is no measure.
    return theirs < 0.1 ? '-' : (each / theirs).toFixed(2);
  };
  const head = ['proxy', 'MiB before', 'MiB with them', 'KiB each', ...rivals.map((rival) => `x ${rival}`)];
  const body = rows.map(({ name, before, all, each }) => [
    ...[name, before.toFixed(1), all.toFixed(1), each.toFixed(1)],
    ...rivals.map((rival) => ratio(each, rival)),
  ]);
  const goals = rows
    .filter(({ proxy }) => proxy === 'Perch')
    .map(({ name, all }) => [`MiB with them: ${name}`, String(GOAL_MIB), all.toFixed(1), all <= GOAL_MIB ? 'met' : 'MISSED']);
  return `${table([head, ...body], 1)}\n\n${table([['goal', 'at most', 'measured', ''], ...goals], 1)}`;
}

async function bench(rounds: number, envoy: string): Promise<string> {
  const origins = await startOrigins(LOAD_CORE);
  try {
    const candidates: readonly Server[] = [
      ...allCandidates(MEASURED_CORE, envoy, origins, makeCertificate()).filter(({ scheme }) => scheme),
      { name: 'Node that answers with one text', proxy: undefined, start: () => startBareNode(MEASURED_CORE) },
    ];
    const looks = new Map<Server, Look[]>(candidates.map((candidate) => [candidate, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const candidate of shuffled(candidates, Math.random)) looks.get(candidate)?.push(await measure(candidate));
      say(`round ${round} of ${rounds}`);
    }
    return resultTable(looks);
  } finally {
    await origins.stop();
  }
}

await runBench({
  file: import.meta.url,
  title: 'Idle connections',
  programs: ['nginx', 'haproxy', 'taskset', 'openssl'],
  readPlan: (args) => readRounds(args, USAGE, 5),
  async measure({ rounds }) {
    const envoy = await provideEnvoy();
    const lines = [
      ...(await describeMachine(['nginx', 'haproxy'], envoy)),
      '',
      `Resident memory of fresh processes with the visitor scheme on, before and with ${CONNECTIONS} keep-alive connections that have each had one request answered; medians of ${rounds} processes.`,
      '',
      await bench(rounds, envoy),
    ];
    return `${lines.join('\n')}\n`;
  },
});
