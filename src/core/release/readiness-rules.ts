import { type Finding, valueAt } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import { DAY_MS } from './duration-rules.ts';
import { formatDuration, parseDuration } from './durations.ts';

/** Of a field below `spec.readiness`: how long it may be, in ms. */
interface Bounds {
  readonly path: FieldPath;
  readonly min: number;
  readonly max: number;
  readonly hint: string;
}

const INTERVAL: Bounds = {
  path: ['healthCheck', 'interval'],
  min: 100,
  max: 60_000,
  hint: 'a check is one connection to each endpoint: once in a second is usual',
};
const TIMEOUT: Bounds = {
  path: ['healthCheck', 'timeout'],
  min: 10,
  max: 60_000,
  hint: 'give an endpoint the time that it needs when it is busy',
};
const GRACE: Bounds = { path: ['grace'], min: 1000, max: DAY_MS, hint: 'meanwhile visitors on the canary get errors: 30s is usual' };

/** What the times of `spec.readiness` may be, each and together. Like all rules it judges the spec as written. */
export function readinessRules(spec: unknown): readonly Finding[] {
  const findings = [INTERVAL, TIMEOUT, GRACE].flatMap((bounds) => boundFindings(spec, bounds));
  return findings.length > 0 ? findings : timeoutBeyondInterval(spec);
}

function boundFindings(spec: unknown, { path: below, min, max, hint }: Bounds): readonly Finding[] {
  const path = ['spec', 'readiness', ...below];
  const [value, ms] = durationAt(spec, below);
  if (ms === undefined || (ms >= min && ms <= max)) return [];
  const message = `${formatPath(path)} is ${value}, but must be from ${formatDuration(min)} to ${formatDuration(max)}`;
  return [{ code: 'PERCH1208', path, message, hint }];
}

/** The next check of an endpoint begins when the one before has ended: a longer timeout would stretch the interval. */
function timeoutBeyondInterval(spec: unknown): readonly Finding[] {
  const [timeout, timeoutMs] = durationAt(spec, TIMEOUT.path);
  const [interval = '1s', intervalMs = 1000] = durationAt(spec, INTERVAL.path);
  if (timeoutMs === undefined || timeoutMs <= intervalMs) return [];
  const path = ['spec', 'readiness', ...TIMEOUT.path];
  const message = `${formatPath(path)} is ${timeout}, longer than the interval of ${interval}`;
  return [{ code: 'PERCH1214', path, message, hint: `use at most ${interval}, or a longer interval` }];
}

function durationAt(spec: unknown, below: FieldPath): readonly [text: string | undefined, ms: number | undefined] {
  const value = valueAt(spec, ['readiness', ...below]);
  return typeof value === 'string' ? [value, parseDuration(value)] : [undefined, undefined];
}
