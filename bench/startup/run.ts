// `node bench/startup/run.ts`: how long `perch version` takes beside a bare `node`, and `perch serve` to its first answer. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRounds, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { builtPackage, clone, type Installation } from './perch-install.ts';
import { timeToEnd, timeToFirstAnswer } from './time-start.ts';

const USAGE = `usage: node bench/startup/run.ts [options]

How long perch version takes beside a bare node, and perch serve from its start to the first answered request: from the clone,
which runs TypeScript, and from the built package.

  --rounds N        starts of each, in shuffled order                     (30)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/startup/run.ts --record        about 2 minutes
`;

/** `perch version` takes at most this many times as long as a bare node. */
const GOAL = 1.5;

/** Something whose time is taken over and over. */
interface Case {
  readonly what: string;
  readonly from: string;
  /** Whether what Node makes of the source was kept from an earlier start. */
  readonly kept: 'yes' | 'no' | '-';
  /** What it is compared with: a case in the same round. */
  readonly goal?: number;
  time(): Promise<number>;
}

const NOTHING_KEPT = { NODE_DISABLE_COMPILE_CACHE: '1' };

function casesOf({ name, bin }: Installation, folder: string): readonly Case[] {
  const kept = { XDG_CACHE_HOME: join(folder, 'cache') };
  const work = join(folder, name);
  return [
    { what: 'perch version', from: name, kept: 'yes', goal: GOAL, time: () => timeToEnd({ args: [bin, 'version'], env: kept }) },
    { what: 'perch version', from: name, kept: 'no', time: () => timeToEnd({ args: [bin, 'version'], env: NOTHING_KEPT }) },
    { what: 'perch --help', from: name, kept: 'yes', time: () => timeToEnd({ args: [bin, '--help'], env: kept }) },
    { what: 'perch serve', from: name, kept: 'yes', time: () => timeToFirstAnswer(bin, kept, work) },
    { what: 'perch serve', from: name, kept: 'no', time: () => timeToFirstAnswer(bin, NOTHING_KEPT, work) },
  ];
}

async function bench(rounds: number, folder: string): Promise<string> {
  say('building the package');
  const installations = [clone, await builtPackage(join(folder, 'perch'))];
  const bare: Case = { what: 'node -e 0', from: '-', kept: '-', time: () => timeToEnd({ args: ['-e', '0'], env: {} }) };
  const cases = [bare, ...installations.flatMap((installation) => casesOf(installation, folder))];
  const times = new Map<Case, number[]>(cases.map((each) => [each, []]));
  // The first start of each fills the caches, the disk's among them.
  for (const each of cases) await each.time();
  for (let round = 1; round <= rounds; round++) {
    for (const each of shuffled(cases, Math.random)) times.get(each)?.push(await each.time());
    if (round % 5 === 0) say(`round ${round} of ${rounds}`);
  }
  const bareTimes = times.get(bare) ?? [];
  const rows = cases.map((each) => {
    const taken = times.get(each) ?? [];
    const ratio = median(taken.map((time, round) => time / (bareTimes[round] ?? Number.NaN)));
    const goal = each.goal === undefined ? '' : `at most ${each.goal}: ${ratio <= each.goal ? 'met' : 'MISSED'}`;
    return [...[each.what, each.from, each.kept], ...[median(taken).toFixed(1), Math.min(...taken).toFixed(1), ratio.toFixed(2), goal]];
  });
  return table([['command', 'from', 'compiled before', 'ms', 'least', 'x node', 'goal'], ...rows], 3);
}

await runBench({
  file: import.meta.url,
  title: 'Start-up',
  programs: ['taskset'],
  readPlan: (args) => readRounds(args, USAGE, 30),
  async measure({ rounds }) {
    const folder = mkdtempSync(join(tmpdir(), 'perch-startup-'));
    try {
      const lines = [
        ...(await describeMachine([])),
        '',
        `Medians of ${rounds} shuffled rounds, each process on a core of its own; ratios are medians of the rounds' own. perch serve: to the first answered request.`,
        '',
        await bench(rounds, folder),
      ];
      return `${lines.join('\n')}\n`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});
