import { expect } from 'vitest';
import type { HistoryEntry, ReleaseStatus } from '../../src/core/release/status.ts';
import { cutoffOf } from '../../src/core/visitor/bucket.ts';
import type { Step } from './shop.ts';

/** A status as the API gave it, and when, in ms since the epoch. */
export interface Sight {
  readonly seenAt: number;
  readonly status: ReleaseStatus;
}

/** The runtime's clock runs on from its start, the test's is the wall's, and both round: what they may differ by, in ms. */
const CLOCK_MS = 5;

/** What is known of the step that the record has come to. */
interface StepSeen {
  readonly step: number;
  /** When the step may begin at the earliest: the holds before it have to be over. */
  readonly notBefore: number;
  /** When it was last seen unconfirmed; its hold had not begun then. */
  readonly unconfirmedAt: number;
  readonly startedAt?: number;
  readonly holdUntil?: number;
}

/**
 * Holds all that was seen of a release, over all lives of the runtime, to what is promised: steps in their order, each with
 * its whole hold in wall time, none begun twice; cutoffs as the weights say; one draw in each attempt.
 */
export function assertRecord(sights: readonly Sight[], steps: readonly Step[]): void {
  assertOnce(sights);
  const begun = sights.filter(({ status }) => status.startedAt !== undefined);
  for (const attempt of Map.groupBy(begun, ({ status }) => status.startedAt).values()) {
    const draws = attempt.map(({ status: { offset, canaryCookie } }) => canaryCookie?.value ?? offset);
    expect(new Set(draws).size, 'one draw in one attempt').toBe(1);
    let seen: StepSeen | undefined;
    for (const sight of attempt) {
      const { phase } = sight.status;
      if (phase === 'Progressing' || phase === 'Paused') seen = assertSight(sight, seen, steps);
      // Who promotes to the end means to shorten it.
      else if ((phase === 'Completing' || phase === 'Succeeded') && sight.status.promotion === undefined) {
        expect(sight.seenAt, phase).toBeGreaterThanOrEqual(endOf(seen, steps.length, steps) - CLOCK_MS);
      }
    }
  }
}

/** Each request is handled once, with one outcome; what history says stays so, and each end of a release is in it once. */
function assertOnce(sights: readonly Sight[]): void {
  const handled = new Map<string, unknown>();
  const ended = new Map<string, HistoryEntry>();
  for (const { lastRequest, history } of sights.map(({ status }) => status)) {
    if (lastRequest !== undefined) expect(lastRequest).toEqual(handled.get(lastRequest.id) ?? lastRequest);
    if (lastRequest !== undefined) handled.set(lastRequest.id, lastRequest);
    expect(new Set(history.map(endIn)).size, 'the end of a release twice in history').toBe(history.length);
    for (const entry of history) {
      expect(entry).toEqual(ended.get(endIn(entry)) ?? entry);
      ended.set(endIn(entry), entry);
    }
    expect(history.length, 'history was forgotten').toBe(ended.size);
  }
}

/** A release that has succeeded and is rolled back has two ends. */
function endIn({ startedAt, outcome }: HistoryEntry): string {
  return `${startedAt} ${outcome}`;
}

function assertSight({ seenAt, status }: Sight, before: StepSeen | undefined, steps: readonly Step[]): StepSeen {
  const { step, weight, cutoff, canaryCookie, stepStartedAt, holdUntil } = status;
  const { holdMs, weight: wanted = -1 } = steps[step] ?? {};
  expect(step, 'a step back').toBeGreaterThanOrEqual(before?.step ?? 0);
  // Where each request is drawn there is no cutoff.
  expect([weight, cutoff]).toEqual([wanted, canaryCookie === undefined ? cutoffOf(wanted) : undefined]);
  const seen = before?.step === step ? before : { step, notBefore: endOf(before, step, steps), unconfirmedAt: 0 };
  expect(seenAt, `step ${step} began before the holds before it were over`).toBeGreaterThanOrEqual(seen.notBefore - CLOCK_MS);
  if (stepStartedAt === undefined) {
    expect(seen.startedAt, `step ${step} was begun again`).toBeUndefined();
    return { ...seen, unconfirmedAt: seenAt };
  }
  const startedAt = Date.parse(stepStartedAt);
  expect(startedAt, `step ${step}`).toBeGreaterThanOrEqual(seen.notBefore);
  expect(seen.startedAt ?? startedAt, `step ${step} was begun again`).toBe(startedAt);
  const end = holdUntil === undefined ? undefined : Date.parse(holdUntil);
  expect(end, `the hold of step ${step}`).toBe(holdMs === undefined ? undefined : startedAt + holdMs);
  return { ...seen, startedAt, ...(end === undefined ? {} : { holdUntil: end }) };
}

/** When `next` may begin at the earliest: after the hold of the step before it, and of any between the two that nobody saw. */
function endOf(before: StepSeen | undefined, next: number, steps: readonly Step[]): number {
  const unseen = steps.slice((before?.step ?? -1) + 1, next);
  expect(unseen, 'a manual step was passed without being promoted').not.toContainEqual(expect.objectContaining({ holdMs: undefined }));
  const rest = unseen.reduce((sum, { holdMs = 0 }) => sum + holdMs, 0);
  if (before === undefined) return rest;
  const holdMs = steps[before.step]?.holdMs ?? 0;
  return (before.holdUntil ?? before.unconfirmedAt + holdMs) + rest;
}
