// `node bench/change/run.ts`: how soon a change of a release reaches every new request, under continuous requests. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRounds, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { startEndpoints } from '../many/endpoints.ts';
import { publicHostOf, releaseNameOf } from '../many/estate.ts';
import { type Estate, request, startEstate } from '../many/start-estate.ts';
import { median } from '../median.ts';
import { runBench } from '../run-bench.ts';
import { table } from '../table.ts';

/** Connections that ask one request after the other. */
const CONNECTIONS = 4;
/** Requests before and after the change. */
const AROUND_MS = 100;
/** From the commit to the last request that still goes to the old version. */
const GOAL_MS = 5;

const USAGE = `usage: node bench/change/run.ts [options]

A visitor asks over ${CONNECTIONS} connections without a pause while the release is promoted to the step at which that visitor's turn comes:
from the commit of the new routes to the last request that was sent and still answered by the old version.

  --rounds N        releases, each promoted once                          (30)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/change/run.ts --record         about 1 minute
`;

/** Bucket 128 of 4096 wherever it is read: on stable at 1 %, on the canary at 10 %. */
const VISITOR = '00000000-0000-4000-8000-080080080080';

interface Answer {
  readonly sentAt: number;
  readonly version: string;
}

function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function ask(agent: Agent, port: number, host: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sentAt = clock();
    get({ agent, host: '127.0.0.1', port, path: '/', headers: { host, cookie: `perch=${VISITOR}` } }, (response) => {
      let version = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        version += text;
      });
      response.on('end', () => resolve({ sentAt, version }));
    }).once('error', reject);
  });
}

/** The parts of one change, in ms. */
interface Change {
  readonly toCommit: number;
  readonly toSwap: number;
  readonly toFirstNew: number;
  readonly toLastOld: number;
}

async function measureChange(estate: Estate, index: number): Promise<Change> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const host = publicHostOf(index);
  const answers: Answer[] = [];
  let isOver = false;
  const asking = Array.from({ length: CONNECTIONS }, async () => {
    while (!isOver) answers.push(await ask(agent, estate.edgePort, host));
  });
  await sleep(AROUND_MS);
  const seen = estate.changes.length;
  const askedAt = clock();
  await request(estate.apiPort, releaseNameOf(index), 'promote');
  await sleep(AROUND_MS);
  isOver = true;
  await Promise.all(asking);
  agent.destroy();
  const changes = estate.changes.slice(seen);
  const committed = changes.find(({ what }) => what === 'routes')?.at ?? Number.NaN;
  const swapped = changes.find(({ what, at }) => what === 'served' && at >= committed)?.at ?? Number.NaN;
  const sent = (version: string): readonly number[] => answers.filter((each) => each.version === version).map(({ sentAt }) => sentAt);
  const [before, after] = [sent('v1'), sent('v2')];
  if (before.length + after.length < answers.length || before.length === 0 || after.length === 0) {
    throw new Error(`${releaseNameOf(index)}: ${before.length} answers of v1, ${after.length} of v2, ${answers.length} in all`);
  }
  return {
    toCommit: committed - askedAt,
    toSwap: swapped - committed,
    toFirstNew: Math.min(...after) - committed,
    toLastOld: Math.max(0, Math.max(...before) - committed),
  };
}

async function measureChanges(rounds: number, dataDir: string): Promise<string> {
  const endpoints = await startEndpoints();
  try {
    const estate = await startEstate({ dataDir, releases: rounds, endpoints: endpoints.port });
    const changes: Change[] = [];
    for (let index = 0; index < rounds; index++) changes.push(await measureChange(estate, index));
    await estate.stop();
    const row = (what: string, field: keyof Change, isJudged = false): readonly string[] => {
      const times = changes.map((each) => each[field]);
      const worst = Math.max(...times);
      const verdict = isJudged ? `at most ${GOAL_MS} ms: ${worst <= GOAL_MS ? 'met' : 'MISSED'}` : '';
      return [what, median(times).toFixed(1), worst.toFixed(1), verdict];
    };
    const rows = [
      row('call of the API to the commit', 'toCommit'),
      row('commit to the routes swapped', 'toSwap'),
      row('commit to the first request, when it was sent, of the new version', 'toFirstNew'),
      row('commit to the last request, when it was sent, of the old version', 'toLastOld', true),
    ];
    say('changes: done');
    return table([['', 'ms, median', 'ms, worst', 'goal'], ...rows], 1);
  } finally {
    endpoints.stop();
  }
}

await runBench({
  file: import.meta.url,
  title: 'A change',
  programs: ['taskset'],
  readPlan: (args) => readRounds(args, USAGE, 30),
  async measure({ rounds }) {
    const folder = mkdtempSync(join(tmpdir(), 'perch-change-'));
    try {
      const lines = [
        ...(await describeMachine([])),
        '',
        `${rounds} releases in one runtime on a core of its own, each promoted once while a visitor asks over ${CONNECTIONS} connections.`,
        '',
        await measureChanges(rounds, folder),
      ];
      return `${lines.join('\n')}\n`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
