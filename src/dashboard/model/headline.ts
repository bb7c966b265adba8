import type { PerCohort } from '../../core/evidence/exposure.ts';
import { describeStep } from '../../core/release/describe-step.ts';
import type { Phase, ReleaseStatus } from '../../core/release/status.ts';
import { countText, rateText, shareText, weightText } from './number-text.ts';
import { nextStepIndex, type Release, versionNames } from './release.ts';
import { spanText } from './time-text.ts';

/** How urgent a state is; never told by colour alone. */
export type Tone = 'calm' | 'attention' | 'harm';

/** Where a release stands, in words. */
export interface Headline {
  readonly tone: Tone;
  readonly phase: Phase;
  /** Who sees the canary: the first thing to know. */
  readonly lead: string;
  /** What was measured, and what comes next. */
  readonly rest: readonly string[];
}

/** A step that has not ended this long after its hold waits for something, which the status' message names; in ms. */
const OVERDUE_MS = 2000;
/** Reasons of the condition Reconciling that the message has to be read for (core/release/conditions.ts). */
const HELD_UP: ReadonlySet<string> = new Set(['NotWidened', 'Suspended', 'CanaryLost', 'StableLost']);

/** The headline of a release at `now`, in ms since the epoch. It says what was measured, and judges nothing. */
export function headlineOf(release: Release, now: number): Headline {
  const { metadata, status } = release;
  const phase = status?.phase ?? 'Pending';
  const isGoing = phase === 'Progressing' || phase === 'Paused';
  const rest = isGoing ? [failuresSentence(release), nextSentence(release, now)] : [];
  if (metadata.deletionTimestamp !== undefined) rest.push('It is being deleted.');
  return { tone: toneOf(release, now), phase, lead: leadOf(release), rest: rest.filter((sentence) => sentence !== undefined) };
}

function isHeldUp({ status }: Release, now: number): boolean {
  if (status === undefined) return false;
  const isOverdue = status.phase === 'Progressing' && status.holdUntil !== undefined && now - Date.parse(status.holdUntil) > OVERDUE_MS;
  return isOverdue || status.conditions.some(({ type, reason }) => type === 'Reconciling' && HELD_UP.has(reason));
}

function toneOf(release: Release, now: number): Tone {
  const { status } = release;
  if (status === undefined) return 'calm';
  if (status.stableLostSince !== undefined || status.canaryLostSince !== undefined) return 'harm';
  if (status.phase === 'RollingBack' || status.phase === 'RolledBack' || status.phase === 'Superseded') return 'attention';
  return status.phase === 'Paused' || isHeldUp(release, now) ? 'attention' : 'calm';
}

function leadOf(release: Release): string {
  const { status } = release;
  const { stable, canary, service } = versionNames(release);
  const name = `${service} ${canary}`;
  if (status === undefined) return `${name} was applied; nothing has looked at it yet.`;
  switch (status.phase) {
    case 'Pending':
      return `${name} has not started. ${sentence(status.message)}`;
    case 'Progressing':
    case 'Paused':
      return seenSentence(release, status, name);
    case 'Completing':
      return `Everyone goes to ${name}.`;
    case 'Succeeded':
      return `${name} is the live version: everyone is on it.`;
    case 'RollingBack':
      return `${name} is being rolled back: everyone goes back to ${stable}.`;
    case 'RolledBack':
      return `${name} was rolled back${causeText(status)}. Everyone is on ${stable}.`;
    case 'Superseded':
      return `${name} is superseded: everyone goes back to ${stable}, then the next release starts.`;
  }
}

function causeText({ rollback }: ReleaseStatus): string {
  if (rollback === undefined) return '';
  const by = rollback.by === undefined ? '' : ` by ${rollback.by}`;
  return ` from ${weightText(rollback.weight)}: ${rollback.reason}${by}`;
}

/** Who sees the canary, by what was measured; where nothing was, by what is asked for. */
function seenSentence({ spec, exposure }: Release, status: ReleaseStatus, name: string): string {
  const step = spec.steps[status.step];
  if (status.weight === 0 && step?.match !== undefined) return `${name} is for ${describeStep(step)}.`;
  const asked = weightText(status.weight);
  if (exposure?.counts === 'requests') {
    const total = sum(exposure.requests);
    if (total === 0) return `${name} is drawn by ${asked} of requests without its cookie; none came yet in this step.`;
    return `${name} answers ${shareText((100 * exposure.requests.canary) / total)} of requests. How many visitors see it cannot be known in mode canaryOnly.`;
  }
  if (exposure === undefined) {
    const of = spec.affinity?.mode === 'canaryOnly' ? 'draws' : 'visitors';
    return `${name} is for ${asked} of ${of}, as its routes say: nothing here counts them.`;
  }
  if (exposure.share === undefined) return `${name} is for ${asked} of visitors; none came yet in this step.`;
  return `${name} is seen by ${exposure.sampled ? 'about ' : ''}${shareText(exposure.share)} of visitors.`;
}

function failuresSentence(release: Release): string | undefined {
  const { exposure } = release;
  if (exposure === undefined) return undefined;
  const { requests, errors } = exposure;
  const total = sum(requests);
  if (total === 0) return undefined;
  if (sum(errors) === 0) return `No errors in ${countText(total)} answers.`;
  const { stable, canary } = versionNames(release);
  return `Errors: ${rateText(errors.stable, requests.stable)} of ${stable}’s answers, ${rateText(errors.canary, requests.canary)} of ${canary}’s.`;
}

function nextSentence(release: Release, now: number): string | undefined {
  const { spec, status } = release;
  if (status === undefined) return undefined;
  if (isHeldUp(release, now)) return sentence(status.message);
  const step = spec.steps[nextStepIndex(release)];
  const next = step === undefined ? 'its end' : describeStep(step);
  const { canary } = versionNames(release);
  if (status.phase === 'Paused') {
    if (status.pausedBy === 'hold') return `It waits until somebody promotes it to ${next}.`;
    const left = status.holdRemainingMs === undefined ? '' : ` with ${spanText(status.holdRemainingMs)} of its hold left`;
    return `It is paused${left}.`;
  }
  if (status.stepStartedAt === undefined) return 'Its routes are being changed.';
  if (status.holdUntil === undefined) return undefined;
  const left = Date.parse(status.holdUntil) - now;
  const what = step === undefined ? `${canary} becomes the live version` : next;
  return left <= 0 ? `Next: ${what}, now.` : `Next: ${what} in ${spanText(left)}.`;
}

function sum({ stable, canary }: PerCohort): number {
  return stable + canary;
}

/** With a capital and a full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
