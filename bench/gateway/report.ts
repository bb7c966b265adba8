import { median } from '../median.ts';
import { table } from '../table.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import type { Candidate, ProxyName } from './candidate.ts';
import { type LoadKind, rateOf } from './load.ts';
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

/** Median over the rounds of this candidate's cost, or of another of its figures, divided by the rival's in the same round. */
function pairedRatio(series: Series, rival: Series, of: 'cpu' | 'p99' = 'cpu'): number {
  return median(series.samples.map((sample, round) => sample[of] / (rival.samples[round]?.[of] ?? Number.NaN)));
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
  const rate = rateOf(size, load);
  return rate === undefined ? `${label}, as fast as it goes` : `${label}, ${rate} requests per second`;
}

/** One table for each size and load, with its heading. Ratios compare equals: same scheme, load and round. */
export function resultTables(all: readonly Series[]): string {
  const groups = Map.groupBy(all, ({ size, load }) => title(size, load));
  return [...groups]
    .map(([heading, series]) => `## ${heading}\n\n${table([HEADERS, ...series.map((each) => row(all, each))], 2)}\n`)
    .join('\n');
}

/** At most this much of the rival's figure, with the visitor scheme on. */
interface Goal {
  readonly what: string;
  readonly of: 'cpu' | 'p99';
  readonly size: BodySize;
  readonly load: LoadKind;
  readonly than: (series: Series) => boolean;
  readonly name: string;
  readonly atMost: number;
  /** Whether it is about this candidate. */
  readonly about: (series: Series) => boolean;
}

const isPerch = ({ candidate }: Series): boolean => candidate.proxy === 'Perch' && candidate.scheme;
const isProxy = (proxy: ProxyName) => (series: Series) => series.candidate.proxy === proxy && series.candidate.scheme;
const counts = (series: Series): boolean => isPerch(series) && series.candidate.evidence === true;
const countsNot = (series: Series): boolean => isPerch(series) && !counts(series);

const GOALS: readonly Goal[] = [
  { what: 'CPU, 1 KB', of: 'cpu', size: '1k', load: 'full', than: isProxy('Envoy'), name: 'Envoy', atMost: 0.5, about: isPerch },
  {
    what: 'p99, 1 KB at 5000 a second',
    of: 'p99',
    size: '1k',
    load: 'paced',
    than: isProxy('nginx'),
    name: 'nginx',
    atMost: 1.5,
    about: isPerch,
  },
  {
    what: 'CPU, 1 KB, as fast as it goes',
    of: 'cpu',
    size: '1k',
    load: 'full',
    than: countsNot,
    name: 'not counting',
    atMost: 1.1,
    about: counts,
  },
  {
    what: 'CPU, 1 KB at 5000 a second',
    of: 'cpu',
    size: '1k',
    load: 'paced',
    than: countsNot,
    name: 'not counting',
    atMost: 1.1,
    about: counts,
  },
];

/** How Perch stands against the goals, for each of its candidates that they are about. */
export function goalTable(all: readonly Series[]): string {
  const rows = GOALS.flatMap(({ what, of, size, load, than, name, atMost, about }) => {
    const measured = all.filter((series) => series.size === size && series.load === load);
    const rival = measured.find(than);
    if (rival === undefined) return [];
    return measured.filter(about).map((series) => {
      const ratio = pairedRatio(series, rival, of);
      return [`${what}: ${series.candidate.name}`, `${atMost} x ${name}`, ratio.toFixed(2), ratio <= atMost ? 'met' : 'MISSED'];
    });
  });
  const body = rows.length === 0 ? 'The goals were not measured in this run.' : table([['goal', 'at most', 'measured', ''], ...rows], 1);
  return `## Goals\n\n${body}\n`;
}

/** How much others took of the proxies' core; above a few percent the figures are worth little. */
export function quietLine(all: readonly Series[]): string {
  const shares = all.flatMap(({ samples }) => samples.map(({ disturbance }) => disturbance));
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const middle = median(shares);
  const advice = middle > 0.03 ? ': NOT a quiet machine, run it again' : '';
  return `Others took ${percent(middle)} of the proxies' core (median; at worst ${percent(Math.max(...shares))})${advice}.`;
}
