import { resolveHost } from '../istio/names.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { formatPath } from '../source/locate.ts';
import { affinityRules } from './affinity-rules.ts';
import { cookieRules } from './cookie-rules.ts';
import { DAY_MS, durationFindings } from './duration-rules.ts';
import { readinessRules } from './readiness-rules.ts';

/** Longest hold of a step; a longer wait is what `manual` is for. */
const MAX_HOLD_MS = 90 * DAY_MS;

/**
 * The rules that no single field shows. They read the spec as the user wrote it and judge what is readable, so that they speak up even
 * while other fields are wrong; what is unreadable is the schema's to report.
 */
export function ruleFindings(spec: unknown, namespace: string): readonly Finding[] {
  return [
    ...versionRules(spec, namespace),
    ...stepRules(spec),
    ...cookieRules(spec),
    ...propagateRules(spec),
    ...affinityRules(spec),
    ...readinessRules(spec),
  ];
}

function versionRules(spec: unknown, namespace: string): readonly Finding[] {
  const canary = versionKey(spec, 'canary', namespace);
  if (canary === undefined || canary !== versionKey(spec, 'stable', namespace)) return [];
  const message = 'spec.canary and spec.stable name the same version';
  return [{ code: 'PERCH1207', path: ['spec', 'canary'], message, hint: 'name the new version in canary and the one before in stable' }];
}

/** What a version stands for, however it is written; undefined where it is unreadable. */
function versionKey(spec: unknown, field: 'canary' | 'stable', namespace: string): string | undefined {
  const subset = valueAt(spec, [field, 'subset']);
  const host = valueAt(spec, [field, 'host']);
  if (typeof subset === 'string' && host === undefined) return `subset ${subset}`;
  if (typeof host !== 'string' || subset !== undefined) return undefined;
  const port = valueAt(spec, [field, 'port']) ?? valueAt(spec, ['service', 'port']);
  return `host ${resolveHost(host, namespace)}:${String(port)}`;
}

function stepRules(spec: unknown): readonly Finding[] {
  const steps = valueAt(spec, ['steps']);
  if (!Array.isArray(steps)) return [];
  const findings: Finding[] = [];
  let before: number | undefined;
  steps.forEach((step: unknown, index) => {
    if (!isMapping(step)) return;
    const { weight, hold } = step;
    if (typeof weight === 'number') {
      if (before !== undefined && weight <= before) {
        const path = ['spec', 'steps', index, 'weight'];
        const message = `${formatPath(path)} is ${weight}, but the step before has ${before}`;
        findings.push({ code: 'PERCH1204', path, message, hint: 'order the steps so that weights increase' });
      }
      before = Math.max(weight, before ?? weight);
    }
    findings.push(...durationFindings(hold, ['spec', 'steps', index, 'hold'], MAX_HOLD_MS, 'use hold: manual for longer waits'));
  });
  const last = steps.at(-1);
  const lastWeight: unknown = isMapping(last) ? last['weight'] : undefined;
  if (typeof lastWeight === 'number' && lastWeight < 100) {
    const message = `the last step has weight ${lastWeight}: a release ends at 100`;
    const hint = 'add a step such as {weight: 100, hold: 10m}';
    findings.push({ code: 'PERCH1204', path: ['spec', 'steps', steps.length - 1, 'weight'], message, hint });
  }
  return findings;
}

function propagateRules(spec: unknown): readonly Finding[] {
  const propagate = valueAt(spec, ['visitorId', 'propagate']);
  if (!Array.isArray(propagate)) return [];
  const path = ['spec', 'visitorId', 'propagate'];
  const findings: Finding[] = [];
  propagate.forEach((way: unknown, index) => {
    if (typeof way !== 'string' || propagate.indexOf(way) === index) return;
    findings.push({
      code: 'PERCH1203',
      path: [...path, index],
      message: `${way} stands twice in spec.visitorId.propagate`,
      hint: 'keep one',
    });
  });
  // A misspelt entry may have meant cookie: then only the misspelling is told.
  const known = propagate.every((way: unknown) => way === 'baggage' || way === 'requestId');
  if (known && propagate.includes('requestId')) {
    const message = 'propagate: requestId without cookie would draw returning visitors anew: their request id is fresh each time';
    findings.push({ code: 'PERCH1209', path, message, hint: 'add cookie to the list, or take requestId out' });
  }
  return findings;
}
