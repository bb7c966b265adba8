import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { cookieAgeFindings } from './duration-rules.ts';

/** Fields that mean nothing under `affinity.mode: canaryOnly`: nobody has a visitor id there, so none is issued, and no bucket decides. */
const VISITORS_ONLY: readonly { readonly path: FieldPath; readonly because: string; readonly hint: string }[] = [
  {
    path: ['visitorId', 'cookie'],
    because: 'visitors get no id',
    hint: 'leave it out: affinity.cookie is the cookie of those on the canary',
  },
  {
    path: ['visitorId', 'issueOn'],
    because: 'visitors get no id',
    hint: 'leave it out: at the edge every request without the cookie is drawn, for an internal service every page',
  },
];

/** What `affinity` and the fields that depend on its mode may say together. Like all rules it judges the spec as written. */
export function affinityRules(spec: unknown): readonly Finding[] {
  const mode = valueAt(spec, ['affinity', 'mode']) ?? 'visitor';
  if (mode === 'canaryOnly') return [...meaningless(spec), ...picking(spec), ...cookieFindings(spec)];
  if (mode !== 'visitor' || valueAt(spec, ['affinity', 'cookie']) === undefined) return [];
  const path = ['spec', 'affinity', 'cookie'];
  const message = 'spec.affinity.cookie means nothing with affinity.mode visitor';
  return [{ code: 'PERCH1213', path, at: 'key', message, hint: 'leave it out: the visitor id’s cookie is visitorId.cookie' }];
}

function meaningless(spec: unknown): readonly Finding[] {
  const findings = VISITORS_ONLY.flatMap(({ path, because, hint }): Finding[] =>
    valueAt(spec, path) === undefined ? [] : [meansNothing(['spec', ...path], because, hint, 'key')],
  );
  const cohort = valueAt(spec, ['cohort']);
  if (cohort !== undefined && cohort !== 'auto') {
    const hint = 'leave it out, or use affinity.mode: visitor';
    findings.push(meansNothing(['spec', 'cohort'], 'each draw is a draw of its own', hint, 'key'));
  }
  const propagate = valueAt(spec, ['visitorId', 'propagate']);
  if (Array.isArray(propagate) && propagate.includes('requestId')) {
    const path = ['spec', 'visitorId', 'propagate', propagate.indexOf('requestId')];
    findings.push(meansNothing(path, 'a request id tells nothing about the draw', 'take requestId out of the list'));
  }
  return findings;
}

/** Picking and choosing come before the draw by buckets; the article's scheme has neither. */
function picking(spec: unknown): readonly Finding[] {
  const hint = 'leave it out, or use affinity.mode: visitor';
  const because = 'the article’s scheme knows draws only';
  const steps = valueAt(spec, ['steps']);
  const picks = Array.isArray(steps) ? steps.flatMap((step, index) => (valueAt(step, ['match']) === undefined ? [] : [index])) : [];
  return [
    ...(valueAt(spec, ['optIn']) === undefined ? [] : [meansNothing(['spec', 'optIn'], because, hint, 'key')]),
    ...picks.map((index) => meansNothing(['spec', 'steps', index, 'match'], because, hint, 'key')),
  ];
}

function meansNothing(path: FieldPath, because: string, hint: string, at?: 'key'): Finding {
  const message = `${formatPath(path)} means nothing with affinity.mode canaryOnly: ${because}`;
  return { code: 'PERCH1213', path, ...(at === undefined ? {} : { at }), message, hint };
}

function cookieFindings(spec: unknown): readonly Finding[] {
  const cookie = valueAt(spec, ['affinity', 'cookie']);
  if (!isMapping(cookie)) return [];
  const base = ['spec', 'affinity', 'cookie'];
  const { name, maxAge } = cookie;
  const findings = [...cookieAgeFindings(maxAge, [...base, 'maxAge'])];
  // Browsers compare the prefixes without regard to case (RFC 6265bis, section 4.1.3).
  if (typeof name === 'string' && /^__(?:host|secure)-/i.test(name)) {
    const message = `browsers drop a cookie named ${name} that is not secure, and this one never is`;
    findings.push({ code: 'PERCH1206', path: [...base, 'name'], message, hint: 'use another name' });
  }
  return findings;
}
