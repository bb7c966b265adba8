import { type Finding, valueAt } from '../source/finding.ts';
import { cookieAgeFindings } from './duration-rules.ts';

/** What `optIn` may say. Like all rules it judges the spec as written. */
export function optInRules(spec: unknown): readonly Finding[] {
  return [...cookieAgeFindings(valueAt(spec, ['optIn', 'maxAge']), ['spec', 'optIn', 'maxAge'])];
}
