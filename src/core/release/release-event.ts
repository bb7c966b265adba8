/** Something that happened to a release, for people and for Kubernetes events. `at` is ISO 8601 in UTC. */
export interface ReleaseEvent {
  readonly at: string;
  readonly type: 'Normal' | 'Warning';
  /** One word in UpperCamelCase, stable: programs may look for it. */
  readonly reason:
    | 'Created'
    | 'SpecChanged'
    | 'DeletionRequested'
    | 'DeletionWithdrawn'
    | 'Deleted'
    | 'Requested'
    | 'Waiting'
    | 'Started'
    | 'StepStarted'
    | 'StepConfirmed'
    | 'Paused'
    | 'Resumed'
    | 'Completing'
    | 'Succeeded'
    | 'RollingBack'
    | 'RolledBack'
    | 'CanaryLost'
    | 'CanaryFound'
    | 'NoReadyVersion'
    | 'RequestRefused'
    | 'RetryRequested'
    | 'StepsChanged';
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
export const MAX_EVENTS = 500;
/** How many of them are kept once it was deleted. */
export const MAX_EVENTS_AFTER_DELETION = 100;
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
