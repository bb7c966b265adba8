import { regexProblem } from '../routing/string-matcher.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { DAY_MS, durationFindings } from './duration-rules.ts';
import { WOVEN_HEADERS } from './woven-headers.ts';

/** Longest hold of a step; a longer wait is what `manual` is for. */
const MAX_HOLD_MS = 90 * DAY_MS;

/** What the steps may say together. Like all rules it judges the spec as written. */
export function stepRules(spec: unknown): readonly Finding[] {
  const steps = valueAt(spec, ['steps']);
  if (!Array.isArray(steps)) return [];
  const mappings = steps.flatMap((step: unknown, index) => (isMapping(step) ? [{ step, index }] : []));
  return [
    ...mappings.flatMap(({ step, index }) => [
      ...kindFindings(step, ['spec', 'steps', index], isAfterWeights(steps, index)),
      ...matchFindings(step['match'], ['spec', 'steps', index, 'match']),
      ...durationFindings(step['hold'], ['spec', 'steps', index, 'hold'], MAX_HOLD_MS, 'use hold: manual for longer waits'),
    ]),
    ...orderFindings(steps),
  ];
}

/** A step either picks, before all weights, or has a weight. */
function kindFindings({ weight, match }: Readonly<Record<string, unknown>>, path: FieldPath, isAfter: boolean): readonly Finding[] {
  const text = formatPath(path);
  if (match === undefined && weight === undefined) {
    const hint = `add ${text}.weight: a number over 0 and up to 100, in steps of 0.1; or ${text}.match`;
    return [{ code: 'PERCH1202', path: [...path, 'weight'], message: `${text}.weight is missing`, hint }];
  }
  if (match === undefined && weight === 0) {
    const message = `${text}.weight is 0, and the step has no match: it would do nothing`;
    return [{ code: 'PERCH1204', path: [...path, 'weight'], message, hint: 'give it a weight over 0, or a match' }];
  }
  if (match !== undefined && typeof weight === 'number' && weight > 0) {
    const message = `${text} has a weight and a match: a step either draws or picks`;
    const hint = 'put the match into a step of its own, before the weights; it stays in force with them';
    return [{ code: 'PERCH1204', path: [...path, 'match'], at: 'key', message, hint }];
  }
  if (match === undefined || !isAfter) return [];
  const message = `${text} picks visitors after a step that draws some`;
  return [{ code: 'PERCH1204', path: [...path, 'match'], at: 'key', message, hint: 'put the steps with match before those with weights' }];
}

function isAfterWeights(steps: readonly unknown[], index: number): boolean {
  return steps.slice(0, index).some((step) => isMapping(step) && typeof step['weight'] === 'number' && step['weight'] > 0);
}

function matchFindings(match: unknown, path: FieldPath): readonly Finding[] {
  if (!Array.isArray(match)) return [];
  return match.flatMap((each: unknown, index) => {
    const headers = valueAt(each, ['headers']);
    if (!isMapping(headers)) return [];
    const place = [...path, index, 'headers'];
    const names = Object.keys(headers);
    if (names.length === 0) {
      const hint = 'name a header, such as x-team: {exact: qa}';
      return [{ code: 'PERCH1203' as const, path: place, message: `${formatPath(place)} names no header: it would pick everyone`, hint }];
    }
    return names.flatMap((name) => headerFindings(name, headers[name], [...place, name]));
  });
}

function headerFindings(name: string, value: unknown, path: FieldPath): readonly Finding[] {
  if (WOVEN_HEADERS.includes(name)) {
    const message = `${name} cannot pick visitors: by it they are known or their requests told`;
    return [{ code: 'PERCH1203', path, at: 'key', message, hint: 'use another header; to pick by a cookie, use optIn' }];
  }
  const regex = valueAt(value, ['regex']);
  const problem = typeof regex === 'string' ? regexProblem(regex) : undefined;
  if (problem === undefined) return [];
  return [{ code: 'PERCH1203', path: [...path, 'regex'], message: `RE2 does not take this regex: ${problem}`, hint: 'correct the regex' }];
}

function orderFindings(steps: readonly unknown[]): readonly Finding[] {
  const findings: Finding[] = [];
  let before = 0;
  steps.forEach((step: unknown, index) => {
    const weight = isMapping(step) ? step['weight'] : undefined;
    if (typeof weight !== 'number' || weight === 0) return;
    if (weight <= before) {
      const path = ['spec', 'steps', index, 'weight'];
      const message = `${formatPath(path)} is ${weight}, but the step before has ${before}`;
      findings.push({ code: 'PERCH1204', path, message, hint: 'order the steps so that weights increase' });
    }
    before = Math.max(weight, before);
  });
  const last = steps.at(-1);
  const isPick = isMapping(last) && last['match'] !== undefined;
  const lastWeight: unknown = isPick ? 0 : valueAt(last, ['weight']);
  if (typeof lastWeight === 'number' && lastWeight < 100 && (lastWeight > 0 || isPick)) {
    const message = isPick
      ? 'the last step picks visitors: a release ends at 100'
      : `the last step has weight ${lastWeight}: a release ends at 100`;
    const path = ['spec', 'steps', steps.length - 1, ...(isPick ? ['match'] : ['weight'])];
    findings.push({ code: 'PERCH1204', path, message, hint: 'add a step such as {weight: 100, hold: 10m}' });
  }
  return findings;
}
