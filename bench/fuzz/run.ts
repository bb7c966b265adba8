// `node bench/fuzz/run.ts`: the gateway's parsers and whole conversations through it, held against llhttp a million times. See ../README.md.
import { LAXER } from '../../test/gateway/fuzz/allowed-differences.ts';
import { fuzzAnswers } from '../../test/gateway/fuzz/answers-end-to-end.ts';
import { fuzzEndToEnd } from '../../test/gateway/fuzz/end-to-end.ts';
import { fuzzParsers } from '../../test/gateway/fuzz/fuzz-parsers.ts';
import { readOptions, say, UsageError } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { runBench } from '../run-bench.ts';
import { table } from '../table.ts';

const USAGE = `usage: node bench/fuzz/run.ts [options]

Requests and responses, most of them with mistakes, from a seed: to the gateway's parsers, cut in pieces, and from real clients through a real gateway to
a real upstream and back. llhttp says what each of them is. Ends at the first that is read in another way, with the seed and a minimised input.

  --inputs N        of the parsers alone, half of them requests             (1000000)
  --requests N      of clients, end to end                                  (800000)
  --responses N     of upstreams, end to end                                (200000)
  --seed N          another one gives other inputs                          (1)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/fuzz/run.ts --record           about 8 minutes
`;

interface Plan {
  readonly inputs: number;
  readonly requests: number;
  readonly responses: number;
  readonly seed: number;
  readonly record: boolean;
}

function readNumber(option: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new UsageError(`--${option}: ${JSON.stringify(text)} is not a whole number below a billion`);
  return Number(text);
}

function readPlan(args: readonly string[]): Plan | string {
  const values = readOptions(args, {
    inputs: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '800000' },
    responses: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return USAGE;
  const [inputs, requests, responses, seed] = (['inputs', 'requests', 'responses', 'seed'] as const).map((name) =>
    readNumber(name, values[name]),
  ) as [number, number, number, number];
  return { inputs, requests, responses, seed, record: values.record };
}

/** Runs one part and tells how long it took. */
async function timed<Figures extends { readonly inputs: number }>(
  what: string,
  run: () => Figures | Promise<Figures>,
): Promise<readonly [Figures, readonly string[]]> {
  say(`${what} ...`);
  const startedAt = performance.now();
  const figures = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  return [figures, [what, String(figures.inputs), '0', '0', seconds.toFixed(0), (figures.inputs / seconds).toFixed(0)]];
}

const several = (counts: Iterable<readonly [string, number]>): string => [...counts].map(([what, count]) => `${count} ${what}`).join(', ');

async function measure({ inputs, requests, responses, seed }: Plan): Promise<string> {
  // A bug that the gateway survives is a warning (proxied-request.ts).
  process.on('warning', (warning) => {
    throw warning;
  });
  const [parsers, parserRow] = await timed('parsers alone', () => fuzzParsers(seed, inputs));
  const [clients, clientRow] = await timed('requests, end to end', () => fuzzEndToEnd(seed, requests));
  const [upstreams, upstreamRow] = await timed('responses, end to end', () => fuzzAnswers(seed, responses));
  return [
    ...(await describeMachine([])),
    '',
    `\`node bench/fuzz/run.ts --inputs ${inputs} --requests ${requests} --responses ${responses} --seed ${seed} --record\``,
    '',
    table([['', 'inputs', 'crashes', 'desyncs', 's', 'inputs/s'], parserRow, clientRow, upstreamRow], 1),
    '',
    `Parsers alone: ${several([...parsers.counts].sort(([one], [other]) => one.localeCompare(other)))}. Each input was read at once and in pieces.`,
    '',
    `Requests: ${clients.connections} connections; the upstream saw ${clients.forwarded} whole requests, each of them one that a client sent and got the answer to.`,
    '',
    `Responses: ${upstreams.whole} reached their client whole, for ${upstreams.refused} the gateway answered 502 or 503, ${upstreams.cut} were cut off.`,
    '',
    'What the gateway’s parser takes for whole and llhttp does not, and why nobody is misled by it:',
    '',
    table([['what', 'RFC', 'why'], ...LAXER.map(({ what, section, why }) => [what, section, why])], 3),
    '',
  ].join('\n');
}

await runBench<Plan>({
  file: import.meta.url,
  title: 'Fuzzing of HTTP/1.1 at the gateway against llhttp',
  programs: [],
  hasOwnCore: false,
  readPlan,
  measure,
});
