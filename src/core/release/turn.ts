import type { CanaryReleaseSpec, Version } from './canary-release.ts';
import { describeStep } from './describe-step.ts';
import type { Observed, VersionReadiness } from './observed.ts';
import type { ReleaseEvent } from './release-event.ts';
import type { ReleaseStatus } from './status.ts';
import { sameVersion } from './version.ts';

/** The release as the machine needs it. */
export interface ReleaseInput {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly spec: CanaryReleaseSpec;
}

/** One look at the world, as the rules of the machine see it. */
export interface Turn {
  readonly release: ReleaseInput;
  readonly observed: Observed;
  /** The versions whose readiness `observed` tells. */
  readonly looked: { readonly canary: Version; readonly stable?: Version };
  /** Milliseconds since the epoch, and the same as ISO 8601. */
  readonly now: number;
  readonly at: string;
  /** Whether the data plane serves what the status at hand asks for; false as soon as a move of this turn changed that. */
  readonly confirmed: boolean;
  /** A rollback is asked for and waits until it is known whether stable is ready: nothing may widen. */
  readonly rollbackWaits: boolean;
}

/** What one rule does: the status after it, and what to tell. */
export interface Move {
  readonly status: ReleaseStatus;
  readonly events: readonly ReleaseEvent[];
}

/** The step that the release is on; undefined when the spec has no such step (any more). */
export function currentStep(turn: Pick<Turn, 'release'>, status: ReleaseStatus): CanaryReleaseSpec['steps'][number] | undefined {
  return turn.release.spec.steps[stepIndex(turn, status)];
}

/** Its index, -1 where there is none: steps are told by their weights, those before the weights by their places. */
export function stepIndex({ release }: Pick<Turn, 'release'>, { step, weight }: Pick<ReleaseStatus, 'step' | 'weight'>): number {
  const { steps } = release.spec;
  if (weight === 0) return steps[step]?.weight === 0 ? step : -1;
  return steps.findIndex((each) => each.weight === weight);
}

/** Where the release stands, in a few words: `10 %`, `step 1 (those picked by header x-team)`. */
export function standingText(turn: Pick<Turn, 'release'>, status: ReleaseStatus): string {
  const step = currentStep(turn, status);
  return step?.match === undefined ? `${status.weight} %` : `step ${status.step + 1} (${describeStep(step)})`;
}

/** Index of the step that comes next, -1 where none does. */
export function nextStepIndex({ release }: Pick<Turn, 'release'>, { step, weight }: Pick<ReleaseStatus, 'step' | 'weight'>): number {
  return release.spec.steps.findIndex((each, index) => (each.weight === 0 ? weight === 0 && index > step : each.weight > weight));
}

/** Whether a version can take traffic. Of a version that this turn did not look at, nothing is known. */
export function readinessOf({ observed, looked }: Pick<Turn, 'observed' | 'looked'>, version: Version | undefined): VersionReadiness {
  if (sameVersion(version, looked.canary)) return observed.canary;
  if (sameVersion(version, looked.stable) && observed.stable !== undefined) return observed.stable;
  return { ready: undefined, reason: 'not looked at yet' };
}

/** An event of this moment. */
export function event(turn: Turn, reason: ReleaseEvent['reason'], message: string, extra: Partial<ReleaseEvent> = {}): ReleaseEvent {
  return { at: turn.at, type: 'Normal', reason, message, ...extra };
}

/** An event of what the data plane serves by now, with how that is known; a warning where something speaks against it. */
export function servedEvent(turn: Turn, reason: ReleaseEvent['reason'], message: string, extra: Partial<ReleaseEvent> = {}): ReleaseEvent {
  const { confirmation } = turn.observed;
  if (confirmation === undefined) return event(turn, reason, message, extra);
  const type = confirmation.isDoubtful ? { type: 'Warning' as const } : {};
  return event(turn, reason, `${message} (${confirmation.how})`, { ...extra, ...type });
}
