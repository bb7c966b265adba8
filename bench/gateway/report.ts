import { median } from '../median.ts';
import { table } from '../table.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import type { Candidate, ProxyName } from './candidate.ts';
import { type LoadKind, PACED_RATE } from './load.ts';
import type { Sample } from './measure.ts';

/** All windows of one candidate under one load, in the order of the rounds. */
export interface Series {
  readonly candidate: Candidate;
  readonly size: BodySize;
  readonly load: LoadKind;
  readonly samples: readonly Sample[];
}

const RIVALS = ['nginx', 'HAProxy', 'Envoy'] as const satisfies readonly ProxyName[];

const HEADERS = ['proxy', 'scheme', 'CPU us', 'user', 'system', ...RIVALS.map((rival) => `x ${rival}`), 'p50 ms', 'p99 ms', 'req/s', 'MiB'];

/** Median over the rounds of this candidate's cost divided by the rival's in the same round. */
function pairedRatio(series: Series, rival: Series): number {
  return median(series.samples.map((sample, round) => sample.cpu / (rival.samples[round]?.cpu ?? Number.NaN)));
}

/** Who does the same work under the same load. */
function rivalOf(all: readonly Series[], { candidate, size, load }: Series, proxy: ProxyName): Series | undefined {
  return all.find(
    (other) => other.candidate.proxy === proxy && other.candidate.scheme === candidate.scheme && other.size === size && other.load === load,
  );
}

/** A ratio as text; a dash where the rival did not run. */
function ratio(all: readonly Series[], series: Series, proxy: ProxyName): string {
  const rival = rivalOf(all, series, proxy);
  return rival === undefined ? '-' : pairedRatio(series, rival).toFixed(2);
}

function row(all: readonly Series[], series: Series): readonly string[] {
  const middle = (value: (sample: Sample) => number, digits: number) => median(series.samples.map(value)).toFixed(digits);
  return [
    series.candidate.name,
    series.candidate.scheme ? 'on' : 'off',
    middle((sample) => sample.cpu, 1),
    middle((sample) => sample.user, 1),
    middle((sample) => sample.system, 1),
    ...RIVALS.map((rival) => ratio(all, series, rival)),
    middle((sample) => sample.p50, 2),
    middle((sample) => sample.p99, 2),
    middle((sample) => sample.requestsPerSecond, 0),
    middle((sample) => sample.memory, 0),
  ];
}

function title(size: BodySize, load: LoadKind): string {
  const { label } = BODY_SIZES[size];
  return load === 'full' ? `${label}, as fast as it goes` : `${label}, at about ${PACED_RATE[size]} requests per second`;
}

/** One table for each size and load, with its heading. Ratios compare equals: same scheme, load and round. */
export function resultTables(all: readonly Series[]): string {
  const groups = Map.groupBy(all, ({ size, load }) => title(size, load));
  return [...groups]
    .map(([heading, series]) => `## ${heading}\n\n${table([HEADERS, ...series.map((each) => row(all, each))], 2)}\n`)
    .join('\n');
}

/** CPU per request at most this much of Envoy's, with the visitor scheme on, for 1 KB at full load. */
const GOAL = 0.65;

/** How Perch stands against the goal, for each of its candidates that the goal is about. */
export function goalTable(all: readonly Series[]): string {
  const rows = all
    .filter(({ candidate, size, load }) => candidate.proxy === 'Perch' && candidate.scheme && size === '1k' && load === 'full')
    .flatMap((series) => {
      const rival = rivalOf(all, series, 'Envoy');
      if (rival === undefined) return [];
      const measured = pairedRatio(series, rival);
      return [[`CPU per request, scheme on, 1 KB: ${series.candidate.name}`, `${GOAL} x Envoy`, measured.toFixed(2), verdict(measured)]];
    });
  const body = rows.length === 0 ? 'The goals were not measured in this run.' : table([['goal', 'at most', 'measured', ''], ...rows], 1);
  return `## Goals\n\n${body}\n`;
}

function verdict(measured: number): string {
  return measured <= GOAL ? 'met' : 'MISSED';
}

/** How much others took of the proxies' core; above a few percent the figures are worth little. */
export function quietLine(all: readonly Series[]): string {
  const shares = all.flatMap(({ samples }) => samples.map(({ disturbance }) => disturbance));
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const middle = median(shares);
  const advice = middle > 0.03 ? ': NOT a quiet machine, run it again' : '';
  return `Others took ${percent(middle)} of the proxies' core (median; at worst ${percent(Math.max(...shares))})${advice}.`;
}
