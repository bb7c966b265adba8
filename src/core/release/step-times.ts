import type { CanaryReleaseSpec } from './canary-release.ts';
import { parseDuration } from './durations.ts';
import { isExposed } from './phase.ts';
import type { ReleaseEvent } from './release-event.ts';
import type { ReleaseStatus } from './status.ts';

/** A step of a release and how long it lasted, or is to last. */
export interface StepTime {
  /** Percent. */
  readonly weight: number;
  /** In ms since the epoch. */
  readonly beginMs: number;
  readonly lengthMs: number;
}

/** How long a hold is taken to last of which nobody knows, in ms, where no hold of the release is known. */
const USUAL_HOLD_MS = 600_000;
const SHORTEST_MS = 1000;

/**
 * When the steps of the current or last release began, and how long they lasted; of one under way also those to come, by their holds. What nobody knows, a manual hold,
 * is taken to last as long as the longest that is known, twice that once it has lasted longer, and so on: so the answer changes seldom. `events` are the
 * release's, the newest first; steps that they do not tell of any more are as if they were not.
 */
export function stepTimes(
  { steps }: Pick<CanaryReleaseSpec, 'steps'>,
  status: ReleaseStatus | undefined,
  events: readonly ReleaseEvent[],
  now: number,
): readonly StepTime[] {
  const known = steps.map(({ hold }) => (hold === 'manual' ? undefined : parseDuration(hold)));
  const longest = Math.max(0, ...known.map((ms) => ms ?? 0));
  const usual = longest === 0 ? USUAL_HOLD_MS : longest;
  const begun = begunSteps(steps, status, events);
  const last = begun.at(-1);
  const endMs = last === undefined ? now : endOf(last.beginMs, status, events, now, usual);
  const past = begun.map(({ weight, beginMs }, index): StepTime => {
    return { weight, beginMs, lengthMs: Math.max(SHORTEST_MS, (begun[index + 1]?.beginMs ?? endMs) - beginMs) };
  });
  if (last !== undefined && (status === undefined || !isExposed(status.phase) || status.phase === 'Completing')) return past;
  let beginMs = last === undefined ? now : last.beginMs + (past.at(-1)?.lengthMs ?? 0);
  const coming = steps.flatMap(({ weight }, index): StepTime[] => {
    if (last !== undefined && weight <= last.weight) return [];
    const lengthMs = Math.max(SHORTEST_MS, known[index] ?? usual);
    beginMs += lengthMs;
    return [{ weight, beginMs: beginMs - lengthMs, lengthMs }];
  });
  return [...past, ...coming];
}

/** The steps that have begun, in order. */
function begunSteps(
  steps: CanaryReleaseSpec['steps'],
  status: ReleaseStatus | undefined,
  events: readonly ReleaseEvent[],
): readonly { readonly weight: number; readonly beginMs: number }[] {
  if (status?.startedAt === undefined || status.phase === 'Pending') return [];
  const { startedAt, stepStartedAt, weight } = status;
  const since = Date.parse(startedAt);
  const told = events
    .filter(({ reason, at }) => reason === 'StepStarted' && Date.parse(at) >= since)
    .map((event) => ({ weight: event.weight ?? 0, beginMs: Date.parse(event.at) }))
    .reverse();
  if (told.length > 0) return told;
  const first = { weight: steps[0]?.weight ?? 0, beginMs: since };
  return stepStartedAt === undefined || weight <= first.weight ? [first] : [first, { weight, beginMs: Date.parse(stepStartedAt) }];
}

const ENDS: readonly ReleaseEvent['reason'][] = ['Completing', 'Succeeded', 'RollingBack', 'RolledBack', 'Superseding', 'Superseded'];

/** When the step that began last ended, or is to end. */
function endOf(beginMs: number, status: ReleaseStatus | undefined, events: readonly ReleaseEvent[], now: number, usual: number): number {
  if (status !== undefined && (status.phase === 'Progressing' || status.phase === 'Paused')) {
    if (status.holdUntil !== undefined) return Date.parse(status.holdUntil);
    let lengthMs = usual;
    while (beginMs + lengthMs < now) lengthMs *= 2;
    return beginMs + lengthMs;
  }
  const ended =
    events.filter(({ reason, at }) => ENDS.includes(reason) && Date.parse(at) >= beginMs).at(-1)?.at ?? status?.history[0]?.endedAt;
  return ended === undefined ? now : Date.parse(ended);
}
