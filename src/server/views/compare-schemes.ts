import { setImmediate } from 'node:timers/promises';
import type { StepTime } from '../../core/release/step-times.ts';
import { seededStreams } from '../../core/simulation/random.ts';
import { SCHEMES, type SchemeName } from '../../core/simulation/scheme.ts';
import { type Simulation, type SimulationResult, simulate } from '../../core/simulation/simulate.ts';
import type { SimulatedStep } from '../../core/simulation/timeline.ts';
import { TRAFFIC } from '../../core/simulation/traffic.ts';
import type { ComparisonView } from '../../core/view/comparison-view.ts';

const SEED = 1;
/** Visitors have been coming for so long when the release begins, in ms. */
const WARM_UP_MS = 2 * 3_600_000;
/** Visitors of a simulation, about: half a second of work. */
const MOST_VISITORS = 40_000;
const MOST_PER_MINUTE = 200;
/** Points of a curve, about. */
const POINTS = 240;
/** Visits between two turns of the event loop: half a millisecond. */
const BATCH = 50;
/** Results that are kept. */
const MOST_KEPT = 50;

const LABELS: Readonly<Record<SchemeName, string>> = {
  article: 'the article’s cookie',
  flagger: 'Flagger’s session affinity',
  'flagger-primary': 'Flagger’s, with a cookie for its primary',
  perch: 'Perch',
};

/** By the steps: results, and those on their way. The oldest first. */
const kept = new Map<string, Promise<SimulationResult>>();
/** One simulation at a time: the process has other things to do. */
let last: Promise<unknown> = Promise.resolve();

/**
 * What each scheme would have exposed over these steps, by simulated visitors (core/simulation). Bounded: the longer the release, the fewer come in a minute.
 * In slices of half a millisecond between which the event loop has its turn, one simulation at a time; what was simulated is kept.
 */
export async function compareSchemes(steps: readonly StepTime[]): Promise<ComparisonView> {
  const simulation = simulationOf(
    steps.map(({ weight, lengthMs }) => ({ weight, holdMs: Math.max(1000, Math.round(lengthMs / 1000) * 1000) })),
  );
  const result = await resultOf(simulation);
  return {
    simulated: true,
    seed: SEED,
    visitorsPerMinute: simulation.traffic.visitorsPerMinute,
    schemes: result.map(({ scheme, curve }) => ({
      scheme,
      label: LABELS[scheme],
      points: curve.flatMap(({ step, passed, share }) => {
        const time = steps[step];
        if (time === undefined || share === undefined) return [];
        return [{ at: new Date(Math.round(time.beginMs + passed * time.lengthMs)).toISOString(), share: Math.round(share * 100) / 100 }];
      }),
    })),
  };
}

function simulationOf(steps: readonly SimulatedStep[]): Simulation {
  const minutes = (steps.reduce((sum, { holdMs }) => sum + holdMs, 0) + WARM_UP_MS) / 60_000;
  return {
    steps,
    schemes: SCHEMES,
    traffic: { ...TRAFFIC, visitorsPerMinute: Math.min(MOST_PER_MINUTE, Number((MOST_VISITORS / minutes).toPrecision(2))) },
    intervalMs: Math.min(...steps.map(({ holdMs }) => holdMs)),
    warmUpMs: WARM_UP_MS,
    pointsPerStep: Math.max(2, Math.floor(POINTS / Math.max(1, steps.length))),
  };
}

function resultOf(simulation: Simulation): Promise<SimulationResult> {
  const key = JSON.stringify(simulation.steps);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const result = last.then(() => run(simulation));
  last = result.catch(() => kept.delete(key));
  kept.set(key, result);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return result;
}

async function run(simulation: Simulation): Promise<SimulationResult> {
  const work = simulate(simulation, seededStreams(SEED), BATCH);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await setImmediate();
  }
}
