import { wrap } from '../../core/diagnostics/wrap.ts';
import type { RouteTrialView, TrailLine } from '../../core/view/route-trial-view.ts';
import { printable } from '../terminal/clip.ts';
import type { Style } from '../terminal/style.ts';

/** Columns before the text of a line of the trail: a sign, and what it is about. */
const MARGIN = 16;

/** What `perch route` says about a request, for people: what becomes of it, then its way there, then what was not looked at. */
export function trialReport({ trail, outcome, sentence, notes }: RouteTrialView, style: Style, columns: number): readonly string[] {
  const isServed = outcome.kind === 'redirect' || outcome.kind === 'direct' || (outcome.kind === 'forward' && outcome.status === undefined);
  const tone = isServed ? style.good : style.bad;
  return [
    ...wrap(printable(sentence), columns).map(tone),
    '',
    ...grouped(trail).flatMap((group) => groupLines(group, style, columns)),
    ...(notes.length === 0 ? [] : ['']),
    ...notes.flatMap((note) => wrap(`note: ${printable(note)}`, columns, 'note: '.length)),
  ];
}

/** What is said of one rule: a line for each of its match blocks. */
interface Told {
  readonly line: TrailLine;
  /** The rule without which of its match blocks is meant. */
  readonly rule: string | undefined;
  readonly blocks: { readonly match: string | undefined; readonly text: string }[];
}

/** Lines of the trail, with those of one rule's match blocks together: a woven rule may have dozens of them. */
function grouped(trail: readonly TrailLine[]): readonly Told[] {
  const groups: Told[] = [];
  for (const line of trail) {
    const [, rule = line.rule, match] = /^(.*), match (\d+)$/s.exec(line.rule ?? '') ?? [];
    const block = { match, text: line.text };
    const last = groups.at(-1);
    if (match !== undefined && last?.rule === rule && last?.line.object === line.object && last?.line.matched === line.matched) {
      last?.blocks.push(block);
    } else {
      groups.push({ line, rule, blocks: [block] });
    }
  }
  return groups;
}

/** The rule by its name on a line of its own, since woven names are long; below it why it takes the request, or does not. */
function groupLines({ line: { kind, object, matched }, rule, blocks }: Told, style: Style, columns: number): readonly string[] {
  const sign = matched ? style.good('✓') : style.dim('✗');
  const name = printable([object, rule].filter((part) => part !== undefined).join(' '));
  const room = columns - MARGIN;
  const emphasis = kind === 'rule' && matched ? style.bold : (part: string) => part;
  const isOne = blocks.length === 1;
  const whose = isOne ? '' : sharedStart(blocks.map(({ text }) => text));
  const whys = blocks.map(({ match, text }) => `${match === undefined ? '' : `match ${match}: `}${text.slice(whose.length)}`);
  const lines = [
    ...(name === '' ? [] : wrap(name, room).map(emphasis)),
    ...(whose === '' ? [] : wrap(printable(whose), room)),
    ...whys.flatMap((why) => wrap(printable(why), room, isOne ? 0 : 2)),
  ];
  return lines.map((line, index) => `${index === 0 ? `  ${sign} ${kind.padEnd(MARGIN - 4)}` : ' '.repeat(MARGIN)}${line}`);
}

/** What all texts begin with, up to a colon: whose requests the rule takes. */
function sharedStart([first = '', ...others]: readonly string[]): string {
  const start = /^.*?\): /s.exec(first)?.[0] ?? '';
  return others.every((text) => text.startsWith(start)) ? start : '';
}
