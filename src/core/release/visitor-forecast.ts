import { binomialBand } from '../evidence/binomial-band.ts';

/** A step as far as visitors are concerned. */
export interface ForecastStep {
  /** Chance of one visitor to be on the canary, 0 to 1: cutoff / 4096. */
  readonly share: number;
  /** In ms; undefined where nobody knows: a manual hold. */
  readonly holdMs: number | undefined;
}

/** A count that chance decides: what to expect, and where it lies in 95 of 100 cases. */
export interface ExpectedCount {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** The visitors of one step; undefined parts depend on a hold whose length nobody knows. */
export interface StepForecast {
  /** Who comes for the first time while it lasts. */
  readonly newVisitors?: number;
  readonly canary?: ExpectedCount;
  readonly stable?: ExpectedCount;
  /** Who came in earlier steps, was on stable and moves to the canary, as far as they come again. */
  readonly moving?: ExpectedCount;
}

/**
 * Visitors per cohort and step. The model: `perMinute` new visitors come in every minute, evenly, each with a bucket of their own, independent of
 * all others and uniform; so of n visitors binomial(n, share) are on the canary, and of those who came in earlier steps binomial(n, the share that is added)
 * move to it. Visitors who had an id before the release are not counted. Counts are whole visitors, `expected` is not rounded.
 */
export function forecastVisitors(steps: readonly ForecastStep[], perMinute: number): readonly StepForecast[] {
  return steps.map(({ share, holdMs }, index) => {
    const earlier = arrivals(steps.slice(0, index), perMinute);
    const moving = index === 0 || earlier === undefined ? {} : { moving: expected(earlier, share - (steps[index - 1]?.share ?? 0)) };
    const count = arrivals([{ share, holdMs }], perMinute);
    if (count === undefined) return moving;
    return { newVisitors: count, canary: expected(count, share), stable: expected(count, 1 - share), ...moving };
  });
}

function arrivals(steps: readonly ForecastStep[], perMinute: number): number | undefined {
  const lengths = steps.map(({ holdMs }) => holdMs);
  if (!lengths.every((ms) => ms !== undefined)) return undefined;
  return Math.round((perMinute * lengths.reduce((sum, ms) => sum + ms, 0)) / 60_000);
}

function expected(count: number, share: number): ExpectedCount {
  const [low, high] = binomialBand(count, share);
  return { expected: count * share, low, high };
}
