import { type Deviation, deviationsOf } from '../../core/simulation/deviation.ts';
import type { SchemeName } from '../../core/simulation/scheme.ts';
import type { Simulation, SimulationResult } from '../../core/simulation/simulate.ts';
import type { StepFigures } from '../../core/simulation/tally.ts';
import type { SimulatedStep } from '../../core/simulation/timeline.ts';

/** One step under one scheme. Shares are in percent, and absent where nobody came. */
export interface StepView extends StepFigures {
  readonly weight: number;
  /** `exposed` of `visitors`. */
  readonly share?: number;
  /** The difference to the weight in standard deviations of chance; absent where it is none of chance's: at 100 %. */
  readonly sd?: number;
}

/** One scheme over the whole release. Shares are in percent. */
export interface SchemeView {
  readonly scheme: SchemeName;
  readonly visitors: number;
  readonly flippedBack: number;
  readonly flippedBackShare: number;
  readonly mixedPageShare: number;
  readonly switchesPerVisitor: number;
  readonly steps: readonly StepView[];
}

/** What `-o json` prints, and everything else is made of. */
export interface SimulationView {
  readonly seed: number;
  readonly visitorsPerMinute: number;
  /** Share of clients that keep no cookie, and of visitors whose first page races: 0 to 1. */
  readonly cookieless: number;
  readonly racing: number;
  readonly intervalMs: number;
  readonly steps: readonly SimulatedStep[];
  readonly schemes: readonly SchemeView[];
}

/** The figures with what was asked for, and what follows from them. */
export function simulationView({ steps, traffic, intervalMs }: Simulation, seed: number, result: SimulationResult): SimulationView {
  const { visitorsPerMinute, cookieless, racing } = traffic;
  const schemes = result.map(({ scheme, figures }): SchemeView => {
    const sum = (field: keyof StepFigures) => figures.steps.reduce((total, step) => total + step[field], 0);
    const deviations = deviationsOf(figures, steps);
    return {
      scheme,
      visitors: figures.visitors,
      flippedBack: figures.flippedBack,
      flippedBackShare: percentOf(figures.flippedBack, figures.visitors),
      mixedPageShare: percentOf(sum('mixedPages'), sum('pages')),
      switchesPerVisitor: figures.visitors === 0 ? 0 : sum('switches') / figures.visitors,
      steps: figures.steps.map((step, index) => ({ weight: steps[index]?.weight ?? 0, ...measured(deviations[index]), ...step })),
    };
  });
  return { seed, visitorsPerMinute, cookieless, racing, intervalMs, steps, schemes };
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}

function measured(deviation: Deviation | undefined): Pick<StepView, 'share' | 'sd'> {
  if (deviation === undefined) return {};
  const { share, sd } = deviation;
  return Number.isFinite(sd) ? { share, sd } : { share };
}
