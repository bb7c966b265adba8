import { resolveHost } from '../istio/names.ts';
import { type Finding, valueAt } from '../source/finding.ts';
import { affinityRules } from './affinity-rules.ts';
import { cookieRules } from './cookie-rules.ts';
import { cookieAgeFindings } from './duration-rules.ts';
import { httpRouteRules } from './http-route-rules.ts';
import { idSourceRules } from './id-source-rules.ts';
import { readinessRules } from './readiness-rules.ts';
import { scalingRules } from './scaling-rules.ts';
import { stepRules } from './step-rules.ts';

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
    ...cookieAgeFindings(valueAt(spec, ['optIn', 'maxAge']), ['spec', 'optIn', 'maxAge']),
    ...scalingRules(spec),
    ...idSourceRules(spec),
    ...httpRouteRules(spec),
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
