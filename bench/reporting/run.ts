// `node bench/reporting/run.ts`: what each layer takes that is told of a request, without the gateway around it. See bench/README.md.
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../tools/run-command.ts';
import { readRounds, say } from '../command-line.ts';
import { MEASURED_CORE } from '../cores.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';
import { LAYERS, type Layer, type LayerFigures, type LayerOptions } from './layers.ts';

const REPORTS = 200_000;
const ONE_LAYER = fileURLToPath(new URL('one-layer.ts', import.meta.url));

const USAGE = `usage: node bench/reporting/run.ts [--rounds N] [--record]

Nanoseconds and bytes that one report of a request takes, with nothing told, an event that nobody reads, visitors counted, rates, Istio's metrics, and
all of it as \`perch serve\` does: what bench/telemetry measures with a gateway around it. About 30 seconds with 2 rounds.
`;

async function measure(layer: Layer): Promise<LayerFigures> {
  const options: LayerOptions = { layer, reports: REPORTS };
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ONE_LAYER, JSON.stringify(options)];
  const { code, output } = await runCommand('taskset', ['-c', String(MEASURED_CORE), ...node]);
  if (code !== 0) throw new Error(`${layer}: ${output}`);
  return JSON.parse(output) as LayerFigures;
}

await runBench({
  file: import.meta.url,
  title: 'What it takes to tell of a request',
  programs: ['taskset'],
  readPlan: (args) => readRounds(args, USAGE, 2),
  async measure({ rounds }) {
    const figures = new Map<Layer, LayerFigures[]>(LAYERS.map((layer) => [layer, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const layer of shuffled(LAYERS, Math.random)) figures.get(layer)?.push(await measure(layer));
      say(`round ${round} of ${rounds}`);
    }
    const rows = [...figures].map(([layer, all]) => [
      layer,
      median(all.map(({ ns }) => ns)).toFixed(0),
      median(all.map(({ bytes }) => bytes)).toFixed(0),
    ]);
    const lines = [
      ...(await describeMachine([])),
      '',
      `Requests of bench/gateway, every second one of a new visitor; medians of ${rounds} processes of ${REPORTS} reports each.`,
      '',
      table([['told', 'ns', 'bytes'], ...rows], 1),
    ];
    return `${lines.join('\n')}\n`;
  },
});
