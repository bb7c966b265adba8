// `node bench/abuse/run.ts`: memory that clients and upstreams that stand still take in the gateway. See ../README.md.
import { measureStalled, type Stalled } from '../../test/gateway/stalled-clients.ts';
import { readOptions, say } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { runBench } from '../run-bench.ts';
import { table } from '../table.ts';

const USAGE = `usage: node bench/abuse/run.ts [options]

Memory of Perch's gateway while many clients, or the upstream, stand still.

  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/abuse/run.ts --record           about 4 minutes
`;

const SCENES: readonly (readonly [kind: Stalled, what: string, counts: readonly number[]])[] = [
  ['downloads', 'clients that read nothing of an answer of 32 MiB', [100, 400, 1000]],
  ['uploads', 'uploads of 32 MiB of which the upstream reads nothing', [100, 400, 1000]],
  ['heads', 'clients that stop within a head of 8 KB', [1000, 4000]],
  ['silent', 'clients that never say a word', [1000, 4000]],
];
const MIB = 1024 * 1024;

await runBench({
  file: import.meta.url,
  title: 'Clients and upstreams that stand still',
  programs: [],
  hasOwnCore: false,
  readPlan(args) {
    const values = readOptions(args, { record: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } });
    return values.help ? USAGE : { record: values.record };
  },
  async measure() {
    const rows: string[][] = [];
    for (const [kind, what, counts] of SCENES) {
      for (const count of counts) {
        const { before, stalled } = await measureStalled(kind, count);
        rows.push([
          what,
          String(count),
          (before / MIB).toFixed(1),
          (stalled / MIB).toFixed(1),
          ((stalled - before) / count / 1024).toFixed(0),
        ]);
        say(`${count} ${kind}`);
      }
    }
    const lines = [
      ...(await describeMachine([])),
      '',
      '`node bench/abuse/run.ts`: the most memory (`VmHWM`) of a fresh gateway process that has answered 200 requests, before and with them. Each time another request was answered while all stood still.',
      '',
      table([['what stands still', 'how many', 'MiB before', 'MiB with them', 'KiB each'], ...rows], 1),
    ];
    return `${lines.join('\n')}\n`;
  },
});
