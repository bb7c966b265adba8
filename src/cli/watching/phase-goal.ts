import { InvalidArgumentError } from 'commander';
import { suggest } from '../../core/diagnostics/suggest.ts';
import { asksForNewRelease } from '../../core/release/change.ts';
import { PHASES } from '../../core/release/phase.ts';
import type { Phase } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { type Invocation, PLAIN_INVOCATION, releaseCommand } from '../invocation.ts';
import { printable } from '../terminal/clip.ts';

/**
 * Phases at which a wait for a phase has come true: the phase itself, and those behind it to which only it leads. Phases pass within
 * moments, and one that was passed between two looks must not be waited for without end.
 */
const COME_TRUE: Readonly<Record<Phase, readonly Phase[]>> = {
  Pending: ['Pending'],
  Progressing: ['Progressing', 'Completing', 'Succeeded'],
  Paused: ['Paused'],
  Completing: ['Completing', 'Succeeded'],
  Succeeded: ['Succeeded'],
  RollingBack: ['RollingBack', 'RolledBack'],
  RolledBack: ['RolledBack'],
  // What comes after it is another release.
  Superseded: ['Superseded'],
};

/** Phases that a release does not leave by itself, and the one that only leads to one of them. */
const ENDINGS: readonly Phase[] = ['Succeeded', 'RollingBack', 'RolledBack'];

/** Goals that are about the release under way, also when the spec asks for another one already. */
const WAYS_BACK: readonly Phase[] = ['RollingBack', 'RolledBack', 'Superseded'];

/** Where a release stands on its way to a phase; `text` says so for people, after its name. */
export interface PhaseVerdict {
  readonly kind: 'reached' | 'waiting' | 'failed';
  readonly text: string;
}

/** Reads a phase in any case. For Commander's option parsers. */
export function parsePhase(text: string): Phase {
  const phase = PHASES.find((each) => each.toLowerCase() === text.toLowerCase());
  if (phase !== undefined) return phase;
  const near = suggest(text, PHASES);
  throw new InvalidArgumentError(
    `There is no such phase${near === undefined ? '' : `: did you mean ${near.toLowerCase()}?`} (phases: ${phaseNames().join(', ')})`,
  );
}

/** Phases as they are typed: `pending`, `progressing` and so on. */
export function phaseNames(): readonly string[] {
  return PHASES.map((phase) => phase.toLowerCase());
}

/**
 * Whether a release has reached a phase, still may, or has ended elsewhere. A status of an older
 * generation of the spec does not count, nor does the end of a release that another one is to follow.
 */
export function judgePhase(goal: Phase, { metadata, spec, status }: ReleaseView, invocation: Invocation = PLAIN_INVOCATION): PhaseVerdict {
  if (metadata.deletionTimestamp !== undefined) return { kind: 'failed', text: `not ${goal}, it is being deleted` };
  if (status === undefined || status.observedGeneration !== metadata.generation) return { kind: 'waiting', text: 'not looked at yet' };
  const { phase } = status;
  const message = printable(status.message);
  // A cluster takes in what its controller then refuses; for who waits that is the end of it.
  const isRefused = status.conditions.some(
    ({ type, status: value, reason }) => type === 'Stalled' && value === 'True' && reason === 'Refused',
  );
  if (isRefused) return { kind: 'failed', text: `not ${goal}, ${message}` };
  const isFollowed = status.canary !== undefined && phase !== 'Pending' && asksForNewRelease(spec, status);
  if (isFollowed && !WAYS_BACK.includes(goal)) return { kind: 'waiting', text: `${phase}, ${message}` };
  if (COME_TRUE[goal].includes(phase)) return { kind: 'reached', text: `${phase}, ${message}` };
  const isOnTheWay = !ENDINGS.includes(phase) || (goal === 'RolledBack' && phase === 'RollingBack');
  if (isOnTheWay) return { kind: 'waiting', text: `${phase}, ${message}` };
  const wayOn = phase === 'RolledBack' ? `; ${releaseCommand(invocation, 'retry', metadata)} starts it once more` : '';
  return { kind: 'failed', text: `${phase} instead of ${goal}, ${message}${wayOn}` };
}
