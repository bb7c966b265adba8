import type { SchemeFigures, StepFigures } from './tally.ts';
import type { SimulatedStep } from './timeline.ts';

/** How far a step's exposure is from what was asked. */
export interface Deviation {
  /** Percent asked for. */
  readonly weight: number;
  /** Percent of the visitors active in the step whom the canary answered. */
  readonly share: number;
  /** share - weight, in points. */
  readonly points: number;
  /** The difference in standard deviations of a binomial share of so many visitors; infinite where all are asked for and some are missing. */
  readonly sd: number;
}

/** Beyond so many standard deviations a difference is no chance: one step in a thousand (normal approximation). */
export const CHANCE_SD = 3.3;

/** The share of a step; undefined where nobody came. */
function deviationOf({ visitors, exposed }: StepFigures, weight: number): Deviation | undefined {
  if (visitors === 0) return undefined;
  const share = (100 * exposed) / visitors;
  const points = share - weight;
  const sd = Math.sqrt((weight * (100 - weight)) / visitors);
  return { weight, share, points, sd: points === 0 ? 0 : points / sd };
}

/** The step that is furthest from what was asked, in points; undefined where nobody came. */
export function furthest(deviations: readonly (Deviation | undefined)[]): Deviation | undefined {
  return deviations.reduce((worst, each) => (size(each) > size(worst) ? each : worst), undefined);
}

function size(deviation: Deviation | undefined): number {
  return deviation === undefined ? -1 : Math.abs(deviation.points);
}

/** Those of all steps, in order. */
export function deviationsOf({ steps }: SchemeFigures, plan: readonly SimulatedStep[]): readonly (Deviation | undefined)[] {
  return plan.map(({ weight }, index) => {
    const figures = steps[index];
    return figures === undefined ? undefined : deviationOf(figures, weight);
  });
}
