import { hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { MAX_DELETIONS, MAX_EVENTS, MAX_EVENTS_AFTER_DELETION, type ReleaseEvent } from '../../core/release/release-event.ts';
import { acceptRequest, handledRequest } from '../../core/release/requests.ts';
import type { Admission } from '../admission.ts';
import { Listeners } from '../listeners.ts';
import { canonicalJson, manifestOf, refText, sameJson, sameManifest } from '../manifest.ts';
import { appliedEvents, deletedEvent, deletionRequestedEvent, notTakenEvent, requestedEvent } from '../release-events.ts';
import type { ObjectRef, RouteChange, Store, StoredObject } from '../store.ts';
import { type ApplyStep, planApply } from './apply-plan.ts';
import { type EventTable, eventTable } from './event-table.ts';
import { type ObjectChange, type ObjectTable, objectTable } from './object-table.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';

/** Where a store keeps its data, and what it asks about what is to be stored. */
interface SqliteStoreOptions {
  /** Directory of the data file, made when absent; `:memory:` keeps everything in memory, for tests and dry runs. */
  readonly dataDir: string;
  /** The time in milliseconds since the epoch: for creation and deletion times. */
  readonly now: () => number;
  readonly admission: Admission;
  /** What a listener threw: a bug, which must not undo a write that happened. */
  readonly onListenerError: (error: unknown) => void;
}

/**
 * The store of one machine: one SQLite file, every write durable when its promise resolves, held by one process alone.
 * Throws StoreLockedError, StoreCorruptError, StoreVersionError or StoreWriteError; later reads and writes reject with the same.
 */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const { db, table, events, verified } = openTables(options.dataDir);
  const changed = new Listeners<[readonly ObjectRef[], number]>(options.onListenerError);
  const served = new Listeners<[number]>(options.onListenerError);
  const timestamp = (): string => new Date(options.now()).toISOString();
  let revision = verified;
  let servedRevision = 0;

  const undoing = <T>(transaction: () => T): T => {
    try {
      return transaction();
    } catch (error) {
      table.forgetRead();
      throw error;
    }
  };

  /** One transaction of the next revision. What it says it changed is told; where that is nothing, no revision is used up. */
  const write = (work: (next: number) => readonly ObjectRef[]): void => {
    const next = revision + 1;
    const refs = undoing(() =>
      db.transaction(() => {
        const touched = work(next);
        // What a source applied may have changed alone.
        table.seal(touched.length > 0 ? next : revision);
        return touched;
      }),
    );
    if (refs.length === 0) return;
    revision = next;
    changed.notify(refs, next);
  };

  const record = (ref: ObjectRef, happened: readonly ReleaseEvent[]): void => {
    if (ref.kind !== RELEASE) return;
    for (const event of happened) events.add(ref, event);
    if (happened.length > 0) events.trim(ref, MAX_EVENTS);
  };

  return {
    revision: () => revision,
    get: async (ref) => db.read(() => table.get(ref)),
    list: async (kind, namespace) => db.read(() => table.list(kind, namespace)),
    watch: (listener) => changed.add(listener),

    apply: async (source, objects, { prune = false, by = source } = {}) => {
      const plan = db.read(() => planApply(table, options.admission, source, objects, prune));
      if (hasErrors(plan.diagnostics)) return { ok: false, diagnostics: plan.diagnostics };
      const at = timestamp();
      write((next) => {
        for (const step of plan.steps) {
          writeStep(table, source, step, at, next);
          if (step.result !== 'unchanged') record(step.ref, appliedEvents(step.existing, step.manifest, { at, by }));
        }
        for (const ref of plan.handedOver) table.forgetApplied(ref, source);
        for (const ref of plan.pruned) {
          markOrRemove(table, ref, { at, restoresBase: false }, next);
          record(ref, [deletionRequestedEvent({ at, by }, false, source)]);
        }
        return [...plan.steps.filter((step) => step.result !== 'unchanged').map((step) => step.ref), ...plan.pruned];
      });
      const outcomes = [
        ...plan.steps.map(({ ref, result }) => ({ ref, result })),
        ...plan.pruned.map((ref) => ({ ref, result: 'pruned' as const })),
      ];
      return { ok: true, outcomes, revision, warnings: plan.diagnostics };
    },

    requestDeletion: async (ref, { restoreBase = false, by = 'api' } = {}) => {
      const existing = db.read(() => table.get(ref));
      if (existing === undefined) return { kind: 'absent' };
      const bases = db.read(() => table.list(RELEASE, undefined)).map(({ base }) => base);
      const diagnostics = options.admission.admitDeletion(ref, bases);
      if (hasErrors(diagnostics)) return { kind: 'refused', diagnostics };
      const { deletionRequestedAt, deletionRestoresBase = false } = existing;
      if (deletionRequestedAt !== undefined && deletionRestoresBase === restoreBase) return { kind: 'accepted' };
      write((next) => {
        const at = timestamp();
        markOrRemove(table, ref, { at: deletionRequestedAt ?? at, restoresBase: restoreBase }, next);
        record(ref, [deletionRequestedEvent({ at, by }, restoreBase)]);
        return [ref];
      });
      return { kind: 'accepted' };
    },

    postRequest: async (ref, request) => {
      const existing = db.read(() => table.get(ref));
      if (existing === undefined || ref.kind !== RELEASE) return false;
      if (existing.request?.id === request.id) return true;
      const { request: pending, status } = existing;
      if (!acceptRequest(pending, status, request)) {
        if (handledRequest(status, request.id) === undefined) {
          write(() => {
            record(ref, [notTakenEvent(timestamp(), request)]);
            return [];
          });
        }
        return false;
      }
      write((next) => {
        table.update(ref, { request }, next);
        record(ref, [
          requestedEvent(
            timestamp(),
            request,
            pending === undefined || handledRequest(status, pending.id) !== undefined ? undefined : pending,
          ),
        ]);
        return [ref];
      });
      return true;
    },

    commit: async (release, change, ifRevision) => {
      const routes = change.routes ?? [];
      const isCurrent = (ref: ObjectRef): boolean => (table.get(ref)?.revision ?? Number.POSITIVE_INFINITY) <= ifRevision;
      const isAsRead = ({ ref, isNew }: RouteChange): boolean => (isNew === true ? table.get(ref) === undefined : isCurrent(ref));
      if (!db.read(() => isCurrent(release) && routes.every(isAsRead))) return false;
      const at = timestamp();
      write((next) => {
        for (const { ref, served: view, base, isNew } of routes) {
          if (isNew === true) table.insert(ref, manifestOf(firstBase(ref, base)), at, next);
          table.update(ref, { ...rebased(table.get(ref), base), served: view === undefined ? undefined : manifestOf(view) }, next);
        }
        const happened = change.events ?? [];
        record(release, happened);
        if (change.remove === true) {
          table.remove(release);
          if (!happened.some(({ reason }) => reason === 'Deleted')) record(release, [deletedEvent(at)]);
          events.trim(release, MAX_EVENTS_AFTER_DELETION);
          events.trimDeletions(MAX_DELETIONS);
        } else table.update(release, change.status === undefined ? {} : { status: change.status }, next);
        return [release, ...routes.map((route) => route.ref)];
      });
      return true;
    },

    history: async (ref, { limit, before }) => (ref.kind === RELEASE ? db.read(() => events.list(ref, limit, before)) : []),

    markServed: (value) => {
      if (value <= servedRevision) return;
      servedRevision = value;
      served.notify(value);
    },
    servedRevision: () => servedRevision,
    serving: (_, at) => (servedRevision >= at ? {} : undefined),
    onServed: (listener) => served.add(listener),
    close: async () => db.close(),
  };
}

/** Opens the tables, all of whose content was looked at: it is as it was written. */
interface Tables {
  readonly db: SqliteDatabase;
  readonly table: ObjectTable;
  readonly events: EventTable;
  /** The revision of the last write. */
  readonly verified: number;
}

function openTables(dataDir: string): Tables {
  const db = openSqliteDatabase(dataDir);
  try {
    const table = objectTable(db);
    const events = eventTable(db);
    const verified = db.read(() => table.verify());
    db.read(() => events.verify());
    return { db, table, events, verified };
  } catch (error) {
    db.close();
    throw error;
  }
}

function writeStep(table: ObjectTable, source: string, step: ApplyStep, at: string, revision: number): void {
  const { ref, manifest, existing, result, repeated, isReleased } = step;
  if (result === 'created') table.insert(ref, manifest, at, revision);
  if (result === 'configured' && existing !== undefined) {
    const generation = existing.generation + Number(!sameSpec(existing.base, manifest));
    const kept = isReleased ? { served: manifestOf(existing.served) } : {};
    table.update(ref, { base: manifest, generation, deletion: undefined, ...kept }, revision);
  }
  if (!repeated) table.setLastApplied(source, ref, canonicalJson(manifest));
}

/** A release leaves once the controller has un-woven it; everything else at once. */
function markOrRemove(table: ObjectTable, ref: ObjectRef, deletion: NonNullable<ObjectChange['deletion']>, revision: number): void {
  if (ref.kind !== RELEASE) {
    table.remove(ref);
    return;
  }
  table.update(ref, { deletion }, revision);
  // So that applying it again, from anywhere, is a change: it withdraws the deletion.
  table.forgetApplied(ref);
}

function firstBase(ref: ObjectRef, base: KubeObject | undefined): KubeObject {
  if (base === undefined) throw new Error(`${refText(ref)} is to be created without a base`);
  return base;
}

function sameSpec(left: KubeObject, right: KubeObject): boolean {
  return sameJson(left.spec, right.spec);
}

function rebased(existing: StoredObject | undefined, base: KubeObject | undefined): ObjectChange {
  if (existing === undefined || base === undefined || sameManifest(existing.base, base)) return {};
  return { base: manifestOf(base), generation: existing.generation + Number(!sameSpec(existing.base, base)) };
}
