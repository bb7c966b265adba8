/** Every reason of an event, and when it is given, in the order of a release's life. They are stable: programs may look for them. */
export const EVENT_REASONS = {
  Created: 'a source applied the release for the first time, or again after it was deleted',
  SpecChanged: 'a source changed its spec; the message says what',
  Requested: 'someone asked for promote, pause, resume, rollback or retry; what follows is the answer',
  RequestRefused: 'a request was refused; the message says why',
  Started: 'a release begins, from one version to another',
  StepStarted: 'the routes of a step are written',
  StepConfirmed: 'the data plane serves the step: its hold begins; in a cluster the message says how that is known',
  Scaled: 'a Deployment was scaled, as spec.scaling asks; the message says from what to what, and why',
  NotScaled: 'a Deployment should be scaled and is not; the message says why, and the release goes on without',
  Paused: 'it stays on its step: a manual hold, or someone asked',
  Resumed: 'a paused release goes on',
  Suspended: 'its spec says suspend: nothing starts and nothing widens',
  SuspensionEnded: 'its spec no longer says so: it goes on where it was',
  CanaryLost: 'the canary has no ready endpoints while visitors are on it',
  CanaryFound: 'it has ready endpoints again',
  StableLost: 'stable has no ready endpoints while visitors are on it: nothing can be done but to say so',
  StableFound: 'it has ready endpoints again',
  NoReadyVersion: 'neither version has ready endpoints',
  Completing: 'all steps are done, everyone goes to the canary',
  Succeeded: 'the canary is the live version',
  RollingBack: 'everyone goes back; the message says why',
  RolledBack: 'everyone is back',
  Superseding: 'its spec asks for another release meanwhile: everyone goes back first',
  Superseded: 'everyone is back, and the next one may start',
  RetryRequested: 'a release that was rolled back starts again',
  DeletionRequested: 'someone deleted it, or a source that prunes names it no longer',
  DeletionWithdrawn: 'it was applied again before it had left',
  Deleted: 'it has left; the message says where its routes lead',
} as const;

/** One word in UpperCamelCase. */
export type EventReason = keyof typeof EVENT_REASONS;

/** Something that happened to a release, for people and for Kubernetes events. `at` is ISO 8601 in UTC. */
export interface ReleaseEvent {
  readonly at: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  /** One sentence for people, without its full stop. */
  readonly message: string;
  /** Who asked for it: a person as they call themselves, or the source of an apply. Absent where the machine decided by itself. */
  readonly by?: string;
  /** Where the release stood after it, as in its status: absent before its first step. */
  readonly step?: number;
  readonly weight?: number;
}

/** An event as a store keeps it. */
export interface RecordedEvent extends ReleaseEvent {
  /** Grows with time, within a store; says nothing else. */
  readonly id: number;
}

/** How many events of one release are kept: the newest. */
export const MAX_EVENTS = 200;
/** How many of them are kept once it was deleted. */
export const MAX_EVENTS_AFTER_DELETION = 50;
/** How many deletions are remembered, over all releases: what was before an older one is forgotten. */
export const MAX_DELETIONS = 100;

/** Longest texts of an event that is kept, in UTF-16 units: some come from users. */
const MAX_MESSAGE = 1000;
const MAX_BY = 200;

/** The event with its texts cut to what a history keeps of them. */
export function boundedEvent(event: ReleaseEvent): ReleaseEvent {
  const message = cut(event.message, MAX_MESSAGE);
  return event.by === undefined ? { ...event, message } : { ...event, message, by: cut(event.by, MAX_BY) };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
