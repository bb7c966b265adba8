import { cutoffOf, type Offset } from '../visitor/bucket.ts';
import type { ReleaseStatus, ScalingStatus } from './status.ts';

type ChangesOf<Of> = { readonly [Field in keyof Of]?: Of[Field] | undefined };
type Changes = ChangesOf<ReleaseStatus>;

/** The status with some fields changed; `undefined` removes a field, so that a status equals its own JSON. */
export function withChanges(status: ReleaseStatus, changes: Changes): ReleaseStatus {
  // Changes has the fields of ReleaseStatus only, and no caller removes a required one.
  return changed(status, changes) as unknown as ReleaseStatus;
}

/** The status with some of what it says of scaling changed. */
export function withScaling(status: ReleaseStatus, changes: ChangesOf<ScalingStatus>): ReleaseStatus {
  const scaling: ScalingStatus = changed(status.scaling ?? {}, changes);
  return withChanges(status, { scaling: Object.keys(scaling).length === 0 ? undefined : scaling });
}

function changed(fields: object, changes: object): Readonly<Record<string, unknown>> {
  const next: Record<string, unknown> = { ...fields };
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) delete next[field];
    else next[field] = value;
  }
  return next;
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
