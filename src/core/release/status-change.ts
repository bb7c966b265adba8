import { cutoffOf, type Offset } from '../visitor/bucket.ts';
import type { ReleaseStatus } from './status.ts';

type Changes = { readonly [Field in keyof ReleaseStatus]?: ReleaseStatus[Field] | undefined };

/** The status with some fields changed; `undefined` removes a field, so that a status equals its own JSON. */
export function withChanges(status: ReleaseStatus, changes: Changes): ReleaseStatus {
  const next: Record<string, unknown> = { ...status };
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) delete next[field];
    else next[field] = value;
  }
  // Changes has the fields of ReleaseStatus only, and no caller removes a required one.
  return next as unknown as ReleaseStatus;
}

/** The fields that belong to one step: gone when the next begins, or the release ends. */
export const NO_HOLD = {
  stepStartedAt: undefined,
  holdUntil: undefined,
  holdRemainingMs: undefined,
  pausedBy: undefined,
} as const satisfies Changes;

/** A weight, and the cutoff that it comes to: none where no draw by buckets has begun. */
export function atWeight({ offset }: { readonly offset?: Offset | undefined }, weight: number): Changes {
  return { weight, cutoff: offset === undefined ? undefined : cutoffOf(weight) };
}

/** A release that nobody has looked at yet; cutoff and offset are a matter of its first start. */
export function initialStatus(): ReleaseStatus {
  return {
    phase: 'Pending',
    message: '',
    step: -1,
    weight: 0,
    started: 0,
    observedGeneration: 0,
    history: [],
    conditions: [],
  };
}
