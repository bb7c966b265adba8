import { describeStep } from '../../core/release/describe-step.ts';
import { parseDuration } from '../../core/release/durations.ts';
import type { RecordedEvent } from '../../core/release/release-event.ts';
import type { Release } from './release.ts';

/** A step, and when it was, is, or is to come. Times in ms since the epoch. */
export interface PlannedStep {
  /** `10 %`, `those picked by header x-team`. */
  readonly what: string;
  readonly weight: number;
  /** A duration as in `10m`, or `manual`. */
  readonly hold: string;
  readonly state: 'past' | 'current' | 'next' | 'passed over';
  /** When it began; expected where the step is to come, absent where nobody knows. */
  readonly from?: number;
  /** When it ended, or is expected to end. */
  readonly until?: number;
  /** Of the current step: when its routes were in force, and its hold began. */
  readonly confirmedAt?: number;
}

/** As core/release writes the message of StepStarted. */
const STEP = /^step (\d{1,2}) of \d/;

/**
 * Events of the current or last release, oldest first; `events` is newest first, as the API gives it. Kubernetes' Events say only in words which
 * step they are about, and are gone after an hour: then the status has at least the current one.
 */
export function eventsOfRun(release: Release, events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const { spec, status } = release;
  const startedAt = Date.parse(status?.startedAt ?? '');
  if (status === undefined || Number.isNaN(startedAt)) return [];
  const run = events
    .filter(({ at }) => Date.parse(at) >= startedAt)
    .toReversed()
    .map((event): RecordedEvent => {
      if (event.reason !== 'StepStarted' || event.step !== undefined) return event;
      const step = Number(STEP.exec(event.message)?.[1]) - 1;
      const weight = spec.steps[step]?.weight;
      return Number.isNaN(step) ? event : { ...event, step, ...(weight === undefined ? {} : { weight }) };
    });
  const isGoing = status.phase === 'Progressing' || status.phase === 'Paused';
  const isTold = run.some(({ reason, step }) => reason === 'StepStarted' && step === status.step);
  if (!isGoing || isTold || status.stepStartedAt === undefined) return run;
  const { step, weight, stepStartedAt: at, message } = status;
  return [...run, { id: 0, at, type: 'Normal', reason: 'StepStarted', message, step, weight }];
}

/** When the current or last release came to its end, one way or the other; undefined while it goes on. */
export function endOfRun(run: readonly RecordedEvent[]): number | undefined {
  const end = run.find(({ reason }) => reason === 'Succeeded' || reason === 'RolledBack' || reason === 'Superseded');
  return end === undefined ? undefined : Date.parse(end.at);
}

/** The steps of a release with their times: those that were by its events, those to come by their holds, up to the first that nobody can know. */
export function planSteps(release: Release, run: readonly RecordedEvent[]): readonly PlannedStep[] {
  const { spec, status } = release;
  const isGoing = status?.phase === 'Progressing' || status?.phase === 'Paused';
  const current = isGoing ? status.step : -1;
  const isThrough = status?.phase === 'Succeeded' || status?.phase === 'Completing';
  const begun = timesOf(run, 'StepStarted');
  let expected = holdEnd(release);
  return spec.steps.map((step, index): PlannedStep => {
    const facts = { what: describeStep(step), weight: step.weight ?? 0, hold: step.hold };
    const from = begun.get(index);
    if (index === current) {
      return { ...facts, state: 'current', ...present({ from, until: expected, confirmedAt: timesOf(run, 'StepConfirmed').get(index) }) };
    }
    if (from !== undefined) return { ...facts, state: 'past', ...present({ from, until: endOfStep(index, from, begun, run) }) };
    if (!isGoing || index < current) return { ...facts, state: isGoing || isThrough ? 'passed over' : 'next' };
    const start = expected;
    const hold = parseDuration(step.hold);
    expected = start === undefined || hold === undefined ? undefined : start + hold;
    return { ...facts, state: 'next', ...present({ from: start, until: expected }) };
  });
}

/** When each step's event of this reason was first told, by the step's index. */
function timesOf(run: readonly RecordedEvent[], wanted: RecordedEvent['reason']): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const { at, reason, step } of run) {
    if (reason === wanted && step !== undefined && !times.has(step)) times.set(step, Date.parse(at));
  }
  return times;
}

/** When the current hold ends; undefined where nobody knows. */
function holdEnd({ status }: Release): number | undefined {
  if (status?.phase !== 'Progressing' || status.holdUntil === undefined || status.suspended === true) return undefined;
  return Date.parse(status.holdUntil);
}

/** A step ended when a later one began, or when the release went elsewhere. */
function endOfStep(index: number, from: number, begun: ReadonlyMap<number, number>, run: readonly RecordedEvent[]): number | undefined {
  const later = [...begun].filter(([other, at]) => other > index && at >= from).map(([, at]) => at);
  const left = run.filter(({ reason }) => LEAVING.has(reason)).map(({ at }) => Date.parse(at));
  const until = Math.min(...later, ...left.filter((at) => at >= from));
  return Number.isFinite(until) ? until : undefined;
}

const LEAVING: ReadonlySet<RecordedEvent['reason']> = new Set(['RollingBack', 'Superseding', 'Completing']);

/** Those of the times that are known. */
function present(times: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(times).flatMap(([name, at]) => (at === undefined ? [] : [[name, at] as const])));
}

/** A weight, in percent, from this moment on. */
export interface Stair {
  readonly at: number;
  readonly weight: number;
}

/** The weights that were asked for, by the events of the current or last release; the last one holds until its end, or until now. */
export function stairsOf(run: readonly RecordedEvent[]): readonly Stair[] {
  const stairs: Stair[] = [];
  for (const { at, reason, weight } of run) {
    const next = stairAfter(reason, weight);
    if (next !== undefined && next !== stairs.at(-1)?.weight) stairs.push({ at: Date.parse(at), weight: next });
  }
  return stairs;
}

function stairAfter(reason: RecordedEvent['reason'], weight: number | undefined): number | undefined {
  switch (reason) {
    case 'StepStarted':
      return weight;
    case 'RollingBack':
    case 'Superseding':
      return 0;
    case 'Completing':
    case 'Succeeded':
      return 100;
    default:
      return undefined;
  }
}

/** The weights to come, each where its step is expected to begin. */
export function stairsToCome(plan: readonly PlannedStep[]): readonly Stair[] {
  return plan.flatMap(({ state, from, weight }) => (state === 'next' && from !== undefined ? [{ at: from, weight }] : []));
}
