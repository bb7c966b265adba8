import { wrap } from '../../core/diagnostics/wrap.ts';
import { formatDuration } from '../../core/release/durations.ts';
import { describeVersion } from '../../core/release/version.ts';
import type { ExpectedCount } from '../../core/release/visitor-forecast.ts';
import { objectName } from '../objects/object-name.ts';
import { count, percent } from '../reports/release-text.ts';
import { factLines, section } from '../reports/report-lines.ts';
import type { Style } from '../terminal/style.ts';
import { table } from '../terminal/table.ts';
import type { ObjectPlan, ObjectStage, PlannedRule } from './object-plan.ts';
import type { DrawPlan, ReleasePlan, StartTime } from './release-plan.ts';

/** A plan for people. */
export function planReport(plan: ReleasePlan, style: Style, columns: number): readonly string[] {
  const { name, stable, canary, service, draw, objects } = plan;
  const pair = `${stable === undefined ? '?' : describeVersion(stable)} → ${describeVersion(canary)}`;
  const facts = [
    ['service', `${service.host}:${service.port}`],
    ...(draw === undefined ? [] : [['draw', drawText(plan, draw)] as const]),
    ...(plan.waitsFor === undefined ? [] : [['waits', plan.waitsFor] as const]),
  ] as const;
  return [
    `${style.bold(name)}  ${pair}    ${outcomeText(plan, style)}`,
    '',
    ...factLines(facts, columns),
    ...section('Steps', stepLines(plan), style),
    ...section(visitorsTitle(plan), visitorLines(plan, columns - 2), style),
    ...section(
      'Objects',
      objects.flatMap((object) => objectLines(plan, object, columns - 2)),
      style,
    ),
    ...objects.flatMap(({ stages }) => stages.flatMap(({ diff = [] }) => (diff.length === 0 ? [] : ['', ...diff.map(colourOf(style))]))),
  ];
}

function outcomeText({ outcome, steps, ends, canary }: ReleasePlan, style: Style): string {
  switch (outcome) {
    case 'live':
      return `nothing to release: ${describeVersion(canary)} is live already`;
    case 'waits':
      return style.bad('would not start');
    case 'starts':
      return `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}${ends === undefined ? '' : `, live after ${startText(ends)}`}`;
  }
}

/** What decides, and what it depends on. */
function drawText({ started, name }: ReleasePlan, { offset, cookie, from }: DrawPlan): string {
  const what =
    cookie === undefined
      ? `at digit ${offset} of the id's last group`
      : `by weight, where the cookie ${cookie.name}=${cookie.value} is missing (kept ${formatDuration(cookie.maxAge * 1000)})`;
  switch (from) {
    case 'cohort':
      return `${what}: spec.cohort fixes it`;
    case 'revision':
      return `${what}: the name ${name} and spec.revision fix it`;
    case 'spec':
      return `${what}: spec.affinity.cookie fixes it`;
    case 'started': {
      const fixes = cookie === undefined ? 'a whole-number spec.revision, or spec.cohort,' : 'a whole-number spec.revision';
      return `${what}, with ${started} releases started on ${name} before (--started); ${fixes} would fix it`;
    }
  }
}

/** `30s`, `30s + hold 2`, `hold 1`: after the release's start. */
function startText({ afterMs, manualHolds }: StartTime): string {
  if (manualHolds.length === 0) return formatDuration(afterMs);
  const holds = `${manualHolds.length === 1 ? 'hold' : 'holds'} ${manualHolds.join(', ')}`;
  return afterMs === 0 ? holds : `${formatDuration(afterMs)} + ${holds}`;
}

function stepLines({ steps, ends, mode }: ReleasePlan): readonly string[] {
  const rows = steps.map(({ step, weight, picks, hold, cutoff, starts }) => [
    String(step),
    starts === undefined ? '-' : startText(starts),
    hold,
    picks ?? percent(weight),
    ...(mode === 'canaryOnly' ? [] : [cutoff === undefined ? '-' : String(cutoff)]),
  ]);
  const head = ['STEP', 'STARTS', 'HOLD', 'WEIGHT', ...(mode === 'canaryOnly' ? [] : ['CUTOFF'])];
  return table(head, ends === undefined ? rows : [...rows, ['end', startText(ends), '', '', '']]);
}

function visitorsTitle({ mode, visitorsPerMinute = 0 }: ReleasePlan): string {
  const what = mode === 'canaryOnly' ? 'First draws' : 'Visitors';
  return `${what}, at ${count(visitorsPerMinute)} new visitors a minute (in brackets: 95 of 100 releases)`;
}

function visitorLines({ steps, mode, canary, visitorsPerMinute }: ReleasePlan, columns: number): readonly string[] {
  if (visitorsPerMinute === undefined || steps.every(({ visitors }) => visitors === undefined)) return [];
  const isDrawn = mode === 'canaryOnly';
  const version = describeVersion(canary);
  const rows = steps.map(({ step, visitors = {} }) => [
    String(step),
    visitors.newVisitors === undefined ? '-' : count(visitors.newVisitors),
    expectedText(visitors.canary),
    expectedText(visitors.stable),
    ...(isDrawn ? [] : [expectedText(visitors.moving)]),
  ]);
  const notes = [
    ...(steps.some(({ visitors }) => visitors?.newVisitors === undefined)
      ? ['-: depends on how long a manual hold lasts; --manual-hold says how long.']
      : []),
    ...(isDrawn
      ? [
          `Whoever drew stable draws again with the next page, so more visitors than these reach ${version}: how many, depends on how often they come.`,
        ]
      : []),
  ];
  return [
    ...table(['STEP', 'NEW', 'ON CANARY', 'ON STABLE', ...(isDrawn ? [] : ['MOVE TO CANARY'])], rows),
    ...notes.flatMap((note) => wrap(note, columns)),
  ];
}

function expectedText(expected: ExpectedCount | undefined): string {
  if (expected === undefined) return '-';
  const middle = expected.expected < 100 ? String(Number(expected.expected.toFixed(1))) : count(Math.round(expected.expected));
  return expected.low === expected.high ? middle : `${middle} (${count(expected.low)} … ${count(expected.high)})`;
}

function objectLines(plan: ReleasePlan, object: ObjectPlan, columns: number): readonly string[] {
  const drawn = plan.mode === 'canaryOnly' ? 'requests are drawn here' : 'ids are issued here';
  const role = { adopted: 'adopted', owned: 'owned by the release', issuing: drawn, other: '' }[object.role];
  const texts = object.stages.map((stage, index) => stageText(plan, stage, object.stages[index - 1]));
  const groups: { from: string; to: string; text: string }[] = [];
  for (const [index, { at }] of object.stages.entries()) {
    const text = texts[index] ?? '';
    const last = groups.at(-1);
    if (last !== undefined && last.text === text && at !== 'end') last.to = at;
    else groups.push({ from: at, to: at, text });
  }
  return [
    `${objectName(object)}${role === '' ? '' : `, ${role}`}`,
    ...groups.flatMap(({ from, to, text }) => {
      const when = from === to ? from : `${from.replace('step', 'steps')}-${to.replace('step ', '')}`;
      return wrap(text, columns - 14).map((line, index) => `  ${(index === 0 ? when : '').padEnd(12)}${line}`);
    }),
  ];
}

function stageText({ canary }: ReleasePlan, stage: ObjectStage, before: ObjectStage | undefined): string {
  if (!stage.changed) return before === undefined ? 'as in the files' : 'unchanged';
  const everyone = stage.at === 'end' ? `; everyone on ${describeVersion(canary)}` : '';
  const isAsBefore = JSON.stringify(stage.rules) === JSON.stringify(before?.rules);
  if (isAsBefore && stage.at !== 'end') return 'the same rules, with the step’s weight';
  return `${rulesText(stage.rules)}${everyone}`;
}

const SHOWN_NAMES = 4;

/** `rule a becomes 5 rules; rules b, c 9 each; 3 others stay`. */
function rulesText(rules: readonly PlannedRule[]): string {
  const groups = [...Map.groupBy(rules, ({ woven }) => woven)].filter(([woven]) => woven > 0);
  const parts = groups.map(([woven, members]) => {
    const names = members.slice(0, SHOWN_NAMES).map(({ rule }) => rule);
    const more = members.length > SHOWN_NAMES ? ` and ${count(members.length - SHOWN_NAMES)} more` : '';
    const [become, each] = members.length === 1 ? ['becomes', ''] : ['become', ' each'];
    return `${names.join(', ')}${more} ${become} ${woven} ${woven === 1 ? 'rule' : 'rules'}${each}`;
  });
  const left = rules.filter(({ woven }) => woven === 0).length;
  if (parts.length === 0) return `${left} ${left === 1 ? 'rule' : 'rules'}, none woven`;
  return [...parts, ...(left === 0 ? [] : [`${left} ${left === 1 ? 'other stays as it is' : 'others stay as they are'}`])].join('; ');
}

function colourOf(style: Style): (line: string) => string {
  return (line) => {
    if (/^(?:---|\+\+\+) /.test(line)) return style.bold(line);
    if (line.startsWith('@@')) return style.link(line);
    if (line.startsWith('+')) return style.good(line);
    return line.startsWith('-') ? style.bad(line) : line;
  };
}
