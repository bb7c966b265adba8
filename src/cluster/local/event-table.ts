import type { SQLOutputValue } from 'node:sqlite';
import { boundedEvent, type RecordedEvent, type ReleaseEvent } from '../../core/release/release-event.ts';
import type { ObjectRef } from '../store.ts';
import { StoreCorruptError } from '../store-errors.ts';
import { EVENT_DIGEST, xorOf } from './content-digest.ts';
import { digestSum } from './digest-sum.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What happened to releases, oldest first, under a release's namespace and name. Writes belong in a transaction. */
export interface EventTable {
  /** Throws StoreCorruptError where an event is not what was written, or one is lost or too many. */
  verify(): void;
  add(release: ObjectRef, event: ReleaseEvent): void;
  /** Newest first, at most `limit`; only those before the event `before` where it is given. */
  list(release: ObjectRef, limit: number, before: number | undefined): readonly RecordedEvent[];
  /** Forgets all events of a release but the newest `kept`. */
  trim(release: ObjectRef, kept: number): void;
  /** Forgets what was before any but the newest `kept` deletions, with the deletion. */
  trimDeletions(kept: number): void;
}

type Row = Record<string, SQLOutputValue>;

/** The table of `db`, with its statements prepared once. */
export function eventTable(db: SqliteDatabase): EventTable {
  const all = db.prepare(`SELECT namespace, name, digest, ${EVENT_DIGEST} AS actual FROM events`);
  const sum = digestSum(db, 'events_digest');
  const insert = db.prepare('INSERT INTO events (namespace, name, reason, event) VALUES (?, ?, ?, ?)');
  const seal = db.prepare(`UPDATE events SET digest = ${EVENT_DIGEST} WHERE id = ? RETURNING digest`);
  const page = db.prepare(
    `SELECT *, ${EVENT_DIGEST} AS actual FROM events WHERE namespace = ? AND name = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  const trim = db.prepare(
    `DELETE FROM events WHERE namespace = ?1 AND name = ?2 AND id <=
       (SELECT id FROM events WHERE namespace = ?1 AND name = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)
     RETURNING digest`,
  );
  const trimDeletions = db.prepare(
    `DELETE FROM events WHERE id IN (
       SELECT earlier.id FROM (SELECT * FROM events WHERE reason = 'Deleted' ORDER BY id DESC LIMIT -1 OFFSET ?) AS deletion
       CROSS JOIN events AS earlier USING (namespace, name) WHERE earlier.id <= deletion.id)
     RETURNING digest`,
  );
  const intact = (row: Row): Row => {
    if (row['digest'] === row['actual']) return row;
    throw new StoreCorruptError(db.file, `the history of ${String(row['namespace'])}/${String(row['name'])} is not as it was written`);
  };

  return {
    verify: () => {
      const digests: string[] = [];
      for (const row of all.iterate()) digests.push(String(intact(row)['digest']));
      if (xorOf(digests) !== sum.stored()) throw new StoreCorruptError(db.file, 'something of the history of releases is lost');
    },
    add: ({ namespace, name }, event) => {
      const { lastInsertRowid } = insert.run(namespace, name, event.reason, JSON.stringify(boundedEvent(event)));
      sum.flip(seal.all(lastInsertRowid));
    },
    list: ({ namespace, name }, limit, before = Number.MAX_SAFE_INTEGER) =>
      page.all(namespace, name, before, limit).map((row) => recorded(intact(row))),
    trim: ({ namespace, name }, kept) => sum.flip(trim.all(namespace, name, kept)),
    trimDeletions: (kept) => sum.flip(trimDeletions.all(kept)),
  };
}

function recorded(row: Row): RecordedEvent {
  return { id: Number(row['id']), ...(JSON.parse(String(row['event'])) as ReleaseEvent) };
}
