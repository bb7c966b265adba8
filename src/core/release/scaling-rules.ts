import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { DAY_MS, durationFindings } from './duration-rules.ts';

const MAX_DELAY_MS = 30 * DAY_MS;

/** What `spec.scaling` may say, as written. */
export function scalingRules(spec: unknown): readonly Finding[] {
  const path = ['spec', 'scaling'];
  const scaling = valueAt(spec, ['scaling']);
  if (isMapping(scaling) && Object.keys(scaling).length === 0) {
    const message = 'spec.scaling is empty: nothing would be scaled';
    return [{ code: 'PERCH1203', path, message, hint: 'add beforeStep or afterSuccess, or leave it out' }];
  }
  const delay = valueAt(scaling, ['afterSuccess', 'delay']);
  return durationFindings(delay, [...path, 'afterSuccess', 'delay'], MAX_DELAY_MS, 'use at most 30d, or scale it down yourself');
}
