import type { KubeObject } from '../core/istio/resources.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import { describeSpec, describeSpecChange } from './describe-change.ts';
import type { StoredObject } from './store.ts';

// What stores record by themselves: what people and sources asked for. What comes of it, the controller tells.

/** When, and who asked. */
interface Asked {
  readonly at: string;
  readonly by: string;
}

/** What an apply of a release is told as: `existing` is what was there before. Nothing where its spec is the same and it stays. */
export function appliedEvents(existing: StoredObject | undefined, applied: KubeObject, { at, by }: Asked): readonly ReleaseEvent[] {
  const after = specOf(applied);
  if (existing === undefined) return [{ at, type: 'Normal', reason: 'Created', message: describeSpec(after), by }];
  const changes = describeSpecChange(specOf(existing.base), after);
  const events: ReleaseEvent[] = [];
  if (existing.deletionRequestedAt !== undefined) {
    events.push({ at, type: 'Normal', reason: 'DeletionWithdrawn', message: 'applied again, so it stays', by });
  }
  if (changes !== '') events.push({ at, type: 'Normal', reason: 'SpecChanged', message: changes, by });
  return events;
}

/** That a release is to go; `source`: because that one no longer names it. */
export function deletionRequestedEvent({ at, by }: Asked, restoresBase: boolean, source?: string): ReleaseEvent {
  const why = source === undefined ? 'deletion asked for' : `no longer among what ${source} named`;
  const where = restoresBase ? 'back to where their owner sent them' : 'to the live version';
  return { at, type: 'Normal', reason: 'DeletionRequested', message: `${why}: its routes go ${where} first`, by };
}

/** That something was asked of a release; `replaced` was asked before, and is not handled any more. */
export function requestedEvent(at: string, { action, by }: ReleaseRequest, replaced: ReleaseRequest | undefined): ReleaseEvent {
  const instead = replaced === undefined ? '' : `, in place of ${replaced.action} by ${replaced.by}, which was not handled yet`;
  return { at, type: 'Normal', reason: 'Requested', message: `${action} asked for${instead}`, by };
}

/** That a request was not even taken, since a rollback stands above it. */
export function notTakenEvent(at: string, { action, by }: ReleaseRequest): ReleaseEvent {
  return { at, type: 'Warning', reason: 'RequestRefused', message: `${action} refused: a rollback was asked for and is not done yet`, by };
}

/** What ends the history of a release, where whoever removes it does not say it better. */
export function deletedEvent(at: string): ReleaseEvent {
  return { at, type: 'Normal', reason: 'Deleted', message: 'the release was deleted' };
}

function specOf({ spec }: KubeObject): Parameters<typeof describeSpec>[0] {
  // Admission lets only valid specs in.
  return (spec ?? {}) as Parameters<typeof describeSpec>[0];
}
