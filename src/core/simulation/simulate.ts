import { type CurvePoint, ExposureCurve } from './exposure-curve.ts';
import { ARTICLE_COOKIES, FLAGGER_COOKIES, flaggerPrimaryCookies, outcomeScheme } from './outcome-scheme.ts';
import type { Random } from './random.ts';
import type { Client, MakeScheme, SchemeName, SimulatedRequest } from './scheme.ts';
import { type SchemeFigures, Tally } from './tally.ts';
import { type PageLoad, type SimulatedStep, Timeline } from './timeline.ts';
import { type Traffic, visits } from './traffic.ts';
import { visitorScheme } from './visitor-scheme.ts';

/** What is simulated. */
export interface Simulation {
  readonly steps: readonly SimulatedStep[];
  readonly schemes: readonly SchemeName[];
  readonly traffic: Traffic;
  /** Flagger's analysis interval in ms: after it the cookie of those on its primary expires. */
  readonly intervalMs: number;
  /** How long visitors have been coming when the release begins, in ms. */
  readonly warmUpMs: number;
  /** Points of the exposure over time in each step; default: none. */
  readonly pointsPerStep?: number;
}

/** Figures by scheme, in the order asked for. */
export type SimulationResult = readonly {
  readonly scheme: SchemeName;
  readonly figures: SchemeFigures;
  readonly curve: readonly CurvePoint[];
}[];

/** Visits between two reports of progress, unless said otherwise. */
const BATCH = 2000;

/** One scheme with what it counts. */
interface Run {
  readonly scheme: SchemeName;
  readonly newClient: () => Client;
  readonly tally: Tally;
  readonly curve: ExposureCurve | undefined;
}

/**
 * Sends the same visitors through a release under each scheme. Yields how much is done (0 to 1) from time to time and returns the figures.
 * `streams` gives a source of random numbers by name: one for the traffic, and one for each scheme, all of which begin alike; so the result of a
 * scheme does not depend on which others run, and two that draw alike come to the same.
 */
export function* simulate(
  simulation: Simulation,
  streams: (name: string) => Random,
  batch = BATCH,
): Generator<number, SimulationResult, undefined> {
  const { steps, schemes, traffic, intervalMs, warmUpMs, pointsPerStep } = simulation;
  const makers: Readonly<Record<SchemeName, MakeScheme>> = {
    article: (random) => outcomeScheme(ARTICLE_COOKIES, random),
    flagger: (random) => outcomeScheme(FLAGGER_COOKIES, random),
    'flagger-primary': (random) => outcomeScheme(flaggerPrimaryCookies(intervalMs), random),
    perch: (random) => visitorScheme(0, random),
  };
  const runs = schemes.map((scheme): Run => {
    const curve = pointsPerStep === undefined ? undefined : new ExposureCurve(steps.length, pointsPerStep);
    return { scheme, newClient: makers[scheme](streams('draws')), tally: new Tally(steps.length), curve };
  });
  const timeline = new Timeline(steps);
  let count = 0;
  for (const { keepsCookies, races, pages } of visits(traffic, -warmUpMs, timeline.endMs, streams('traffic'))) {
    if (++count % batch === 0) yield ((pages[0]?.atMs ?? 0) + warmUpMs) / (timeline.endMs + warmUpMs);
    if ((pages.at(-1)?.atMs ?? 0) + traffic.answerMs < 0) continue;
    const loads = pages.map((page, index) => timeline.load(page, races && index === 0 ? 0 : traffic.answerMs));
    for (const run of runs) replay(loads, keepsCookies, run, timeline);
  }
  return runs.map(({ scheme, tally, curve }) => ({ scheme, figures: tally.figures(), curve: curve?.points() ?? [] }));
}

/** One visit through one scheme. */
function replay(loads: readonly PageLoad[], keepsCookies: boolean, { newClient, tally, curve }: Run, timeline: Timeline): void {
  const client = newClient();
  tally.client(keepsCookies);
  const ofVisitor = keepsCookies ? curve : undefined;
  ofVisitor?.client();
  const answer = (at: number, request: SimulatedRequest): void => {
    const isCanary = client.isOnCanary(request);
    tally.answer(at, isCanary);
    if (at >= 0) ofVisitor?.answer(at, timeline.passed(at, request.atMs), isCanary);
  };
  for (const { document, step, asset, assetStep, assets, waits } of loads) {
    tally.page(step);
    answer(step, document);
    if (keepsCookies && waits) client.keepCookies();
    for (let sent = 0; sent < assets; sent++) answer(assetStep, asset);
    if (keepsCookies) client.keepCookies();
  }
}
