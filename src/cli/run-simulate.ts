import { setImmediate } from 'node:timers/promises';
import { parseDuration } from '../core/release/durations.ts';
import { isCanaryRelease, validateCanaryRelease } from '../core/release/validate.ts';
import { seededStreams } from '../core/simulation/random.ts';
import type { SchemeName } from '../core/simulation/scheme.ts';
import { type Simulation, type SimulationResult, simulate } from '../core/simulation/simulate.ts';
import type { SimulatedStep } from '../core/simulation/timeline.ts';
import { TRAFFIC } from '../core/simulation/traffic.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { readObjects } from './objects/read-objects.ts';
import { simulationCsv } from './reports/simulation-csv.ts';
import { simulationSvg } from './reports/simulation-svg.ts';
import { simulationText } from './reports/simulation-text.ts';
import { simulationView } from './reports/simulation-view.ts';
import { writeValue } from './terminal/output.ts';
import { openWorkBar } from './terminal/work-bar.ts';

/** What `perch simulate` is told; durations in ms, shares of 1. */
export interface SimulateOptions {
  readonly steps: readonly number[];
  readonly hold: number;
  readonly file?: string;
  readonly scheme: readonly SchemeName[];
  readonly interval?: number;
  readonly visitorsPerMinute: number;
  readonly racing: number;
  readonly seed: number;
  readonly output?: 'json' | 'csv' | 'svg';
}

/** Visitors have been coming for so long when the release begins: those who are in the middle of a visit then are part of it. */
const WARM_UP_MS = 2 * 3_600_000;

/** Simulates, with a bar on a terminal, and prints. Rejects when it is interrupted. */
export async function runSimulate(context: CliContext, options: SimulateOptions): Promise<void> {
  const { terminal } = context;
  const steps = options.file === undefined ? timed(options) : await stepsOfFile(context, options.file, options.hold);
  const simulation: Simulation = {
    steps,
    schemes: [...new Set(options.scheme)],
    traffic: { ...TRAFFIC, visitorsPerMinute: options.visitorsPerMinute, racing: options.racing },
    intervalMs: options.interval ?? Math.min(...steps.map(({ holdMs }) => holdMs)),
    warmUpMs: WARM_UP_MS,
  };
  const view = simulationView(simulation, options.seed, await run(context, simulation, options.seed));
  if (options.output === 'json') await writeValue(terminal, 'json', view);
  else if (options.output === 'csv') terminal.raw(simulationCsv(view));
  else if (options.output === 'svg') terminal.raw(simulationSvg(view));
  else for (const line of simulationText(view, terminal.style, terminal.size().columns)) terminal.out(line);
}

function timed({ steps, hold }: SimulateOptions): readonly SimulatedStep[] {
  return steps.map((weight) => ({ weight, holdMs: hold }));
}

async function run({ terminal, signal }: CliContext, simulation: Simulation, seed: number): Promise<SimulationResult> {
  const work = simulate(simulation, seededStreams(seed));
  const bar = openWorkBar(terminal, 'simulating');
  try {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      bar.show(value);
      // Signals and the terminal get their turn.
      await setImmediate();
      signal.throwIfAborted();
    }
  } finally {
    bar.close();
  }
}

/** The steps of the one release in a file; `manual` holds last `manualMs`. */
async function stepsOfFile(context: CliContext, file: string, manualMs: number): Promise<readonly SimulatedStep[]> {
  const { objects } = await readObjects(context, [file], 'simulated', undefined);
  const releases = objects
    .map(({ object }) => (isCanaryRelease(object) ? validateCanaryRelease(object).release : undefined))
    .filter((release) => release !== undefined);
  const [release, ...others] = releases;
  if (release === undefined) throw new CommandError(`there is no CanaryRelease in ${file}`);
  if (others.length > 0) {
    const names = releases.map(({ metadata }) => metadata.name).join(', ');
    throw new CommandError(`${file} holds ${releases.length} releases (${names}): give a file with one of them`);
  }
  return release.spec.steps.map(({ weight, hold }) => ({
    weight,
    holdMs: hold === 'manual' ? manualMs : (parseDuration(hold) ?? manualMs),
  }));
}
