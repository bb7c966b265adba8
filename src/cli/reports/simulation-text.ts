import { widthOf, wrap } from '../../core/diagnostics/wrap.ts';
import { formatDuration } from '../../core/release/durations.ts';
import type { Style } from '../terminal/style.ts';
import { count, percent } from './release-text.ts';
import { isAsAsked, isByChance, METHODS, rareShare, TITLES, verdict } from './scheme-words.ts';
import type { SchemeView, SimulationView, StepView } from './simulation-view.ts';

const ASKED = '█';
const MORE = '▒';
const LESS = '╌';
const REST = '·';

const LABEL = 9;
/** What a bar has beside it: the number, and the gap to the next one. */
const BESIDE = 8;
const LONGEST_BAR = 40;
const SHORTEST_BAR = 5;
/** The longest of the schemes' names. */
const TITLE = 15;

/** Visitors on the canary in each step, what happened to them, and a verdict; for terminals of `columns`. */
export function simulationText(view: SimulationView, style: Style, columns: number): readonly string[] {
  const { schemes, steps, seed } = view;
  const lastsMs = steps.reduce((sum, { holdMs }) => sum + holdMs, 0);
  const visitors = schemes[0]?.visitors ?? 0;
  return [
    '',
    `  ${style.bold('perch simulate')} · ${count(visitors)} visitors in ${formatDuration(lastsMs)} · seed ${seed}`,
    '',
    ...chart(view, style, columns),
    '',
    ...sums(schemes, style),
    '',
    ...schemes.flatMap((scheme) => judged(scheme, style, columns)),
  ];
}

function chart({ schemes, steps }: SimulationView, style: Style, columns: number): readonly string[] {
  const room = Math.floor((columns - LABEL + 2) / schemes.length) - BESIDE;
  const width = Math.min(Math.max(room, SHORTEST_BAR), LONGEST_BAR);
  const titles = schemes.map(({ scheme }) => TITLES[scheme].padEnd(width + BESIDE)).join('');
  const rows = steps.map(({ weight }, index) => {
    const bars = schemes.map(({ steps: figures }) => bar(figures[index], width, style));
    return `  ${percent(weight).padStart(LABEL - 4)}  ${bars.join('  ')}`;
  });
  return [
    '  On the canary, of the visitors who came in the step, in %',
    style.dim(`  ${'asked'.padStart(5)}  ${titles}`.trimEnd()),
    ...rows,
    '',
    style.dim(`  ${legend(rows.join(''))}`.trimEnd()),
  ];
}

/** What the signs in a chart mean. */
function legend(shown: string): string {
  const signs = [
    [ASKED, 'as asked'],
    [MORE, 'more than asked'],
    [LESS, 'less than asked'],
  ] as const;
  return signs.flatMap(([sign, meaning]) => (shown.includes(sign) ? [`${sign} ${meaning}`] : [])).join('   ');
}

/** `█▒▒▒······  43.8` */
function bar(step: StepView | undefined, width: number, style: Style): string {
  if (step?.share === undefined) return `${style.dim(REST.repeat(width))} ${'-'.padStart(5)}`;
  const cells = (share: number) => Math.round((share * width) / 100);
  const { weight, share } = step;
  const asked = cells(weight);
  const seen = cells(share);
  const full = ASKED.repeat(Math.min(asked, seen));
  const more = MORE.repeat(Math.max(seen - asked, 0));
  const less = LESS.repeat(Math.max(asked - seen, 0));
  const rest = REST.repeat(width - Math.max(asked, seen));
  const number = share.toFixed(1).padStart(5);
  const shown = isByChance(step) ? number : style.bad(number);
  const paint = (text: string, colour: (text: string) => string) => (text === '' ? '' : colour(text));
  return `${paint(full, style.good)}${paint(more, style.bad)}${paint(less, style.attention)}${paint(rest, style.dim)} ${shown}`;
}

function sums(schemes: readonly SchemeView[], style: Style): readonly string[] {
  const rows = [
    ['', ...schemes.map(({ scheme }) => TITLES[scheme])],
    ['visitors who went back', ...schemes.map(({ flippedBackShare }) => rareShare(flippedBackShare))],
    ['pages of both versions', ...schemes.map(({ mixedPageShare }) => rareShare(mixedPageShare))],
    ['step 1: requests canary/stable', ...schemes.map(({ steps: [first] }) => requestsEach(first))],
    ['switches per visitor', ...schemes.map(({ switchesPerVisitor }) => switchesPerVisitor.toFixed(2))],
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return lines.map((row, index) => (index === 0 ? style.dim(`  ${row.join('  ')}`) : `  ${row.join('  ')}`));
}

/** `12.6/4.1`: mean requests in the step of a visitor who was on the canary in it, and of one who was not. */
function requestsEach(step: StepView | undefined): string {
  const { visitors = 0, exposed = 0, visitorRequests = 0, exposedRequests = 0 } = step ?? {};
  const mean = (requests: number, those: number) => (those === 0 ? '-' : (requests / those).toFixed(1));
  return `${mean(exposedRequests, exposed)}/${mean(visitorRequests - exposedRequests, visitors - exposed)}`;
}

function judged(scheme: SchemeView, style: Style, columns: number): readonly string[] {
  const mark = scheme.visitors === 0 ? '-' : isAsAsked(scheme) ? style.good('✓') : style.bad('✗');
  const title = style.bold(TITLES[scheme.scheme].padEnd(TITLE));
  const below = (text: string) => wrap(text, columns - TITLE - 5);
  const [first = '', ...others] = below(verdict(scheme));
  const indent = ' '.repeat(TITLE + 5);
  return [
    `  ${mark} ${title} ${first}`,
    ...others.map((line) => `${indent}${line}`),
    ...below(METHODS[scheme.scheme]).map((line) => style.dim(`${indent}${line}`)),
  ];
}
