/** Something that a controller says: who (`release`, and `by` whom), what, and when. */
export interface ControllerLogEntry {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly type: 'Normal' | 'Warning' | 'Error';
  /** `namespace/name`; undefined where it is not about one release. */
  readonly release: string | undefined;
  /** One word in UpperCamelCase: a reason of ReleaseEvent, `Deleted`, `NotWoven` or `PassFailed`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** Who asked for it, where somebody did. */
  readonly by?: string;
  /** What was thrown, where `reason` is `PassFailed`. */
  readonly error?: unknown;
}

/** Takes each entry as it comes; must not throw. */
export type ControllerLog = (entry: ControllerLogEntry) => void;
