/** Something that happened to a release, for people and for Kubernetes events. `at` is ISO 8601 in UTC; `by` names who asked for it. */
export interface ReleaseEvent {
  readonly at: string;
  readonly type: 'Normal' | 'Warning';
  /** One word in UpperCamelCase, stable: programs may look for it. */
  readonly reason:
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
  readonly message: string;
  readonly by?: string;
}
