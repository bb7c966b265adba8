import type { Candidate } from './candidate.ts';
import { median, type Sample } from './measure.ts';

/** All windows of one candidate, in the order of the rounds. */
export interface Series {
  readonly candidate: Candidate;
  readonly samples: readonly Sample[];
}

const HEADERS = ['proxy', 'scheme', 'CPU us', 'user', 'system', 'x nginx', 'x Envoy', 'p50 ms', 'p99 ms', 'req/s', 'MiB'];

/** A ratio as text; a dash where the rival did not run. */
function ratio(series: Series, rival: Series | undefined): string {
  return rival === undefined ? '-' : pairedRatio(series, rival).toFixed(2);
}

/** Median over the rounds of this candidate's cost divided by the rival's in the same round. */
function pairedRatio(series: Series, rival: Series): number {
  return median(series.samples.map((sample, round) => sample.cpu / (rival.samples[round]?.cpu ?? Number.NaN)));
}

function rivalOf(all: readonly Series[], series: Series, proxy: Candidate['proxy']): Series | undefined {
  return all.find(({ candidate }) => candidate.proxy === proxy && candidate.scheme === series.candidate.scheme);
}

function row(all: readonly Series[], series: Series): readonly string[] {
  const middle = (value: (sample: Sample) => number, digits: number) => median(series.samples.map(value)).toFixed(digits);
  return [
    series.candidate.name,
    series.candidate.scheme ? 'on' : 'off',
    middle((sample) => sample.cpu, 1),
    middle((sample) => sample.user, 1),
    middle((sample) => sample.system, 1),
    ratio(series, rivalOf(all, series, 'nginx')),
    ratio(series, rivalOf(all, series, 'Envoy')),
    middle((sample) => sample.p50, 2),
    middle((sample) => sample.p99, 2),
    middle((sample) => sample.requestsPerSecond, 0),
    middle((sample) => sample.memory, 0),
  ];
}

/** The results as a Markdown table, padded so that it also reads well on a terminal. Ratios compare equals: same scheme, same round. */
export function resultTable(all: readonly Series[]): string {
  const rows = [HEADERS, ...all.map((series) => row(all, series))];
  const widths = HEADERS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(rows[0] ?? []), rule, ...rows.slice(1).map(line)].join('\n');
}

/** How Perch with the scheme stands against the goal. */
export function goalLine(all: readonly Series[], goal: number): string {
  const ratios = all
    .filter(({ candidate }) => candidate.proxy === 'Perch' && candidate.scheme)
    .flatMap((series) => {
      const rival = rivalOf(all, series, 'Envoy');
      return rival === undefined ? [] : [pairedRatio(series, rival)];
    });
  if (ratios.length === 0) return `Goal (at most ${goal} x Envoy with the scheme on): not measured in this run.`;
  const worst = Math.max(...ratios);
  return `Goal (at most ${goal} x Envoy with the scheme on): ${worst.toFixed(2)}, ${worst <= goal ? 'met' : 'MISSED'}.`;
}

/** How much others took of the proxies' core; above a few percent the figures are worth little. */
export function quietLine(all: readonly Series[]): string {
  const shares = all.flatMap(({ samples }) => samples.map(({ disturbance }) => disturbance));
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const middle = median(shares);
  const advice = middle > 0.03 ? ': NOT a quiet machine, run it again' : '';
  return `Others took ${percent(middle)} of the proxies' core (median; at worst ${percent(Math.max(...shares))})${advice}.`;
}
