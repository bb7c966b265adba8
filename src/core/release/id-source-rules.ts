import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { WOVEN_HEADERS } from './woven-headers.ts';

/** Fields that mean nothing where ids come with a header: nothing is issued. */
const ISSUING = ['cookie', 'issueOn'] as const;
/** Headers that cannot be a visitor's: each request has another one, or several say something in it. */
const NOBODYS: readonly string[] = [...WOVEN_HEADERS, 'traceparent', 'host'];

/** What `visitorId.from: {header}` may be combined with. Like all rules it judges the spec as written. */
export function idSourceRules(spec: unknown): readonly Finding[] {
  const from = valueAt(spec, ['visitorId', 'from']);
  if (!isMapping(from)) return [];
  const path = ['spec', 'visitorId'];
  const findings = ISSUING.flatMap((field): Finding[] => {
    if (valueAt(spec, ['visitorId', field]) === undefined) return [];
    const message = `spec.visitorId.${field} means nothing with visitorId.from.header: no id is issued`;
    return [{ code: 'PERCH1215', path: [...path, field], at: 'key', message, hint: 'leave it out' }];
  });
  const propagate = valueAt(spec, ['visitorId', 'propagate']);
  if (Array.isArray(propagate) && propagate.includes('requestId')) {
    const message = 'propagate: requestId means nothing with visitorId.from.header: no request id becomes an id';
    findings.push({
      code: 'PERCH1215',
      path: [...path, 'propagate', propagate.indexOf('requestId')],
      message,
      hint: 'take it out of the list',
    });
  }
  const { header } = from;
  if (typeof header === 'string' && NOBODYS.includes(header)) {
    const message = `${header} is no visitor’s: spec.visitorId.from.header has to name a header with a visitor’s own UUID`;
    findings.push({ code: 'PERCH1215', path: [...path, 'from', 'header'], message, hint: 'name a header such as x-tenant-id' });
  }
  if (valueAt(spec, ['affinity', 'mode']) === 'canaryOnly') {
    const message = 'spec.visitorId.from means nothing with affinity.mode canaryOnly: visitors have no id';
    findings.push({ code: 'PERCH1213', path: [...path, 'from'], at: 'key', message, hint: 'leave it out, or use affinity.mode: visitor' });
  }
  return findings;
}
