import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { AuditedWrite } from './audit-log.ts';

/** The time in which one controller led, by what the Lease said. */
export interface Term {
  readonly holder: string;
  /** Revisions of etcd: of the write that gave it the Lease, and of the one that gave it to the next; infinite where there is none. */
  readonly from: number;
  readonly to: number;
  /** When it took it, renewed it for the last time, and lost it to the next, by the apiserver's clock, in ms since the epoch. */
  readonly takenAt: number;
  readonly renewedAt: number;
  readonly lostAt: number;
}

function holderOf(lease: KubeObject | undefined): string {
  return (lease?.spec as { readonly holderIdentity?: string } | undefined)?.holderIdentity ?? '';
}

function isLease({ resource }: AuditedWrite): boolean {
  return resource === 'leases';
}

/** Who led, one after the other. */
export function termsOf(writes: readonly AuditedWrite[]): readonly Term[] {
  const held = writes.filter((write) => isLease(write) && write.object !== undefined).toSorted((a, b) => a.revision - b.revision);
  const turns = held.filter((write, index) => index === 0 || holderOf(write.object) !== holderOf(held[index - 1]?.object));
  return turns.map((turn, index): Term => {
    const next = turns[index + 1];
    const last = held.findLast(({ revision }) => next === undefined || revision < next.revision);
    return {
      holder: holderOf(turn.object),
      from: turn.revision,
      to: next?.revision ?? Number.POSITIVE_INFINITY,
      takenAt: turn.answeredAt,
      renewedAt: last?.answeredAt ?? turn.answeredAt,
      lostAt: next?.answeredAt ?? Number.POSITIVE_INFINITY,
    };
  });
}

/** Writes that went through while another one held the Lease, in the order of etcd. */
export function writesOutOfTerm(writes: readonly AuditedWrite[]): readonly AuditedWrite[] {
  const terms = termsOf(writes);
  return writes.filter(
    (write) =>
      !isLease(write) &&
      write.object !== undefined &&
      terms.find(({ from, to }) => write.revision > from && write.revision < to)?.holder !== write.by,
  );
}

/** Writes that came to the apiserver once another one had taken the Lease, refused or not; tries to get the Lease are none. */
export function lateWrites(writes: readonly AuditedWrite[]): readonly AuditedWrite[] {
  const terms = termsOf(writes);
  return writes.filter(
    (write) =>
      !isLease(write) && terms.find(({ takenAt, lostAt }) => write.receivedAt > takenAt && write.receivedAt <= lostAt)?.holder !== write.by,
  );
}

/**
 * Whether a write names a version of its object that was replaced before the write came: then it was not done, whatever the answer. An apiserver that gives
 * up on a connection that was reset answers 504, which alone does not say.
 */
export function cameTooLate(write: AuditedWrite, writes: readonly AuditedWrite[]): boolean {
  const version = Number((write.asked?.metadata as { readonly resourceVersion?: string } | undefined)?.resourceVersion ?? Number.NaN);
  const kind = ({ resource }: AuditedWrite): string => resource.split('/')[0] ?? '';
  return writes.some(
    (other) => other.name === write.name && kind(other) === kind(write) && other.revision > version && other.answeredAt <= write.receivedAt,
  );
}
