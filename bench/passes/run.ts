// `node bench/passes/run.ts`: time and memory of advance + weave + compile for VirtualServices of 10,000 rules. See ../README.md.
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/server/node-flags.ts';
import { runCommand } from '../../tools/run-command.ts';
import { readRounds, say } from '../command-line.ts';
import { MEASURED_CORE } from '../cores.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { runBench } from '../run-bench.ts';
import { table } from '../table.ts';
import { CASES, type Case } from './big-routes.ts';
import type { PassFigures, PassOptions } from './one-pass.ts';

const RULES = 10_000;
/** In each process: the first one compiles what the later ones use. */
const PASSES = 6;
/** All three parts together. */
const GOAL = { ms: 200, mib: 100 };

const USAGE = `usage: node bench/passes/run.ts [options]

CPU time and memory of advance, weave and compile, when a release moves on by a step, for a VirtualService of ${RULES} rules of different prefixes.

  --rounds N        fresh processes of each case                          (3)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/passes/run.ts --record         about 2 minutes
`;

const ONE_PASS = fileURLToPath(new URL('one-pass.ts', import.meta.url));

async function measure(which: Case): Promise<readonly PassFigures[]> {
  const options: PassOptions = { which, rules: RULES, passes: PASSES };
  const node = [process.execPath, ...NODE_FLAGS, '--expose-gc', ONE_PASS, JSON.stringify(options)];
  const { code, output } = await runCommand('taskset', ['-c', String(MEASURED_CORE), ...node]);
  if (code !== 0) throw new Error(`${which}: ${output}`);
  return JSON.parse(output) as readonly PassFigures[];
}

function rowOf(which: Case, pass: string, figures: readonly PassFigures[]): readonly string[] {
  const middle = (field: keyof PassFigures): number => median(figures.map((each) => each[field]));
  const parts = (['advance', 'weave', 'compile'] as const).map(middle);
  const sum = median(figures.map(({ advance, weave, compile }) => advance + weave + compile));
  const peak = middle('peak');
  const isMet = sum <= GOAL.ms && peak <= GOAL.mib;
  const numbers = [...parts.map((ms) => ms.toFixed(1)), sum.toFixed(0), peak.toFixed(0), middle('kept').toFixed(0)];
  return [which, String(middle('woven')), pass, ...numbers, isMet ? 'met' : 'MISSED'];
}

await runBench({
  file: import.meta.url,
  title: 'Passes over big VirtualServices',
  programs: ['taskset'],
  readPlan: (args) => readRounds(args, USAGE, 3),
  async measure({ rounds }) {
    const rows: (readonly string[])[] = [];
    for (const which of CASES) {
      const processes: (readonly PassFigures[])[] = [];
      for (let round = 0; round < rounds; round++) processes.push(await measure(which));
      rows.push(
        rowOf(
          which,
          'first',
          processes.flatMap((passes) => passes.slice(0, 1)),
        ),
      );
      rows.push(
        rowOf(
          which,
          'later',
          processes.flatMap((passes) => passes.slice(1)),
        ),
      );
      say(`${which}: done`);
    }
    const head = ['released', 'woven rules', 'pass', 'advance ms', 'weave ms', 'compile ms', 'all ms', 'MiB peak', 'MiB kept'];
    const lines = [
      ...(await describeMachine([])),
      '',
      `A VirtualService of ${RULES} rules at a Gateway, whose release is promoted by a step; medians of ${rounds} processes of ${PASSES} passes each.`,
      '',
      table([[...head, `at most ${GOAL.ms} ms and ${GOAL.mib} MiB`], ...rows], 3),
    ];
    return `${lines.join('\n')}\n`;
  },
});
