import type { Finding } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { parseDuration } from './durations.ts';

/** A day in milliseconds; bounds of durations are multiples of it, and told in days. */
export const DAY_MS = 86_400_000;
/** Browsers cap cookies at 400 days (RFC 6265bis, section 5.5). */
const MAX_COOKIE_AGE_MS = 400 * DAY_MS;

/** That a duration is longer than zero and at most `max` ms; `hint` for those that are longer. What is unreadable is the schema's to report. */
export function durationFindings(value: unknown, path: FieldPath, max: number, hint: string): readonly Finding[] {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined) return [];
  const text = formatPath(path);
  if (ms === 0) return [{ code: 'PERCH1208', path, message: `${text} is zero`, hint: 'give it a length, such as 10s' }];
  if (ms > max) return [{ code: 'PERCH1208', path, message: `${text} is ${String(value)}, longer than ${max / DAY_MS}d`, hint }];
  return [];
}

/** That a cookie's age is whole seconds, and no longer than browsers keep cookies. */
export function cookieAgeFindings(value: unknown, path: FieldPath): readonly Finding[] {
  const findings = [...durationFindings(value, path, MAX_COOKIE_AGE_MS, 'use at most 400d: browsers keep no cookie longer')];
  const age = typeof value === 'string' ? parseDuration(value) : undefined;
  if (age !== undefined && age % 1000 !== 0) {
    const message = `${formatPath(path)} is ${String(value)}, but cookies count whole seconds`;
    findings.push({ code: 'PERCH1208', path, message, hint: 'round it to seconds' });
  }
  return findings;
}
