import { CHANCE_SD, furthest } from '../../core/simulation/deviation.ts';
import type { SchemeName } from '../../core/simulation/scheme.ts';
import { percent } from './release-text.ts';
import type { SchemeView, StepView } from './simulation-view.ts';

/** What the schemes are called where people read. */
export const TITLES: Readonly<Record<SchemeName, string>> = {
  article: 'article',
  flagger: 'Flagger',
  'flagger-primary': 'Flagger+primary',
  perch: 'Perch',
};

/** How the schemes keep visitors where they are. */
export const METHODS: Readonly<Record<SchemeName, string>> = {
  article: 'who draws the canary stays, all others draw at each request',
  flagger: 'the same, with Flagger’s cookie',
  'flagger-primary': 'who draws stable stays too, for one interval',
  perch: 'everyone draws once, a number, and keeps it',
};

/** A share of visitors or pages in percent: `10.8 %`, `0.012 %` where one digit would say nothing, `none` for 0. */
export function rareShare(share: number): string {
  if (share === 0) return 'none';
  return share < 0.1 ? `${share.toPrecision(2)} %` : `${share.toFixed(1)} %`;
}

/** Whether a step's share is the weight, but for chance. */
export function isByChance({ share, sd, weight }: StepView): boolean {
  return share === undefined || share === weight || (sd !== undefined && Math.abs(sd) <= CHANCE_SD);
}

/** Whether that holds for every step. */
export function isAsAsked({ steps }: SchemeView): boolean {
  return steps.every(isByChance);
}

/** What came of it, in words. */
export function verdict(scheme: SchemeView): string {
  const worst = furthest(scheme.steps.map(deviation));
  if (worst === undefined) return 'nobody came';
  const exposure = isAsAsked(scheme)
    ? `${atMost(Math.abs(worst.points))} points off, as chance has it`
    : `${worst.share.toFixed(1)} % of visitors where ${percent(worst.weight)} was asked`;
  return `${exposure}; ${wentBack(scheme)} went back`;
}

function atMost(points: number): string {
  return points < 0.05 ? 'less than 0.1' : `at most ${points.toFixed(1)}`;
}

/** Those who went from canary to stable: `10.7 %`, or `nobody`. */
export function wentBack({ flippedBack, flippedBackShare }: SchemeView): string {
  return flippedBack === 0 ? 'nobody' : rareShare(flippedBackShare);
}

function deviation({ weight, share, sd }: StepView) {
  return share === undefined ? undefined : { weight, share, points: share - weight, sd: sd ?? 0 };
}
