import type { SQLOutputValue } from 'node:sqlite';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { ReleaseRequest, ReleaseStatus } from '../../core/release/status.ts';
import type { Manifest } from '../manifest.ts';
import type { ObjectRef, StoredObject } from '../store.ts';
import { StoreCorruptError } from '../store-errors.ts';
import { OBJECT_DIGEST, ROWS_DIGEST, SOURCE_DIGEST, STORE_DIGEST } from './content-digest.ts';
import { digestSum } from './digest-sum.ts';
import { type Former, ReadObjects } from './read-objects.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What a write changes of a stored object; absent fields stay. `undefined` clears where a column may be empty. */
export interface ObjectChange {
  readonly base?: Manifest;
  readonly generation?: number;
  readonly served?: Manifest | undefined;
  readonly status?: ReleaseStatus;
  readonly request?: ReleaseRequest;
  /** `undefined` withdraws it. */
  readonly deletion?: { readonly at: string; readonly restoresBase: boolean } | undefined;
}

/** The rows of the store as objects. No rules here: those are the store's. Writes belong in a transaction. */
export interface ObjectTable {
  /** The revision of the last write. Throws StoreCorruptError where anything in the store is not what was written. */
  verify(): number;
  /** Ends a write, the last act of its transaction. */
  seal(revision: number): void;
  /** To be called where a transaction was undone: what was read in it is read again. */
  forgetRead(): void;
  get(ref: ObjectRef): StoredObject | undefined;
  /** In the order in which the objects were created. */
  list(kind: string | undefined, namespace: string | undefined): readonly StoredObject[];
  insert(ref: ObjectRef, base: Manifest, createdAt: string, revision: number): void;
  update(ref: ObjectRef, change: ObjectChange, revision: number): void;
  /** Also forgets what every source applied for it. */
  remove(ref: ObjectRef): void;
  /** Canonical JSON of what `source` applied last. */
  lastApplied(source: string, ref: ObjectRef): string | undefined;
  setLastApplied(source: string, ref: ObjectRef, applied: string): void;
  /** Of one source, or of all. */
  forgetApplied(ref: ObjectRef, source?: string): void;
  /** Everything that `source` applied and nobody deleted since. */
  appliedBy(source: string): readonly ObjectRef[];
}

type Row = Record<string, SQLOutputValue>;

/** The table of `db`, with its statements prepared once. */
export function objectTable(db: SqliteDatabase): ObjectTable {
  const meta = db.prepare(`SELECT revision, digest = ${STORE_DIGEST} AND rows_digest = ${ROWS_DIGEST} AS fits FROM meta`);
  const setRevision = db.prepare('UPDATE meta SET revision = ?');
  const sealStore = db.prepare(`UPDATE meta SET digest = ${STORE_DIGEST}`);
  const sealObject = db.prepare(
    `UPDATE objects SET digest = ${OBJECT_DIGEST} WHERE kind = ? AND namespace = ? AND name = ? RETURNING digest`,
  );
  const sum = digestSum(db, 'rows_digest');
  const objects = `SELECT *, ${OBJECT_DIGEST} AS actual FROM objects`;
  const sources = `SELECT *, ${SOURCE_DIGEST} AS actual FROM sources`;
  const one = db.prepare(`${objects} WHERE kind = ? AND namespace = ? AND name = ?`);
  const all = db.prepare(`${objects} ORDER BY sequence`);
  const insert = db.prepare(
    'INSERT INTO objects (kind, namespace, name, base, generation, revision, created_at) VALUES (?, ?, ?, ?, 1, ?, ?)',
  );
  const update = db.prepare(
    `UPDATE objects SET base = ?, served = ?, generation = ?, status = ?, request = ?, deletion_requested_at = ?,
       deletion_restores_base = ?, revision = ?
     WHERE kind = ? AND namespace = ? AND name = ?`,
  );
  const remove = db.prepare('DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ? RETURNING digest');
  const applied = db.prepare(`${sources} WHERE source = ? AND kind = ? AND namespace = ? AND name = ?`);
  const setApplied = db.prepare(
    `INSERT INTO sources (source, kind, namespace, name, applied) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (source, kind, namespace, name) DO UPDATE SET applied = excluded.applied`,
  );
  const forget = db.prepare(
    'DELETE FROM sources WHERE kind = ? AND namespace = ? AND name = ? AND source = coalesce(?, source) RETURNING digest',
  );
  const appliedBy = db.prepare(`${sources} WHERE source = coalesce(?, source) ORDER BY kind, namespace, name`);
  const sealApplied = db.prepare(
    `UPDATE sources SET digest = ${SOURCE_DIGEST} WHERE source = ? AND kind = ? AND namespace = ? AND name = ? RETURNING digest`,
  );
  const keyOf = (ref: ObjectRef): [string, string, string] => [ref.kind, ref.namespace, ref.name];
  const column = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
  const intact = (row: Row): Row => {
    if (row['digest'] === row['actual']) return row;
    throw new StoreCorruptError(db.file, `${Object.values(refOfRow(row)).join(' ')} is not as it was written`);
  };
  const readAll = (): readonly StoredObject[] => all.all().map((row) => storedObject(intact(row), refOfRow(row), undefined));
  const readOne = (ref: ObjectRef, former: Former | undefined): StoredObject | undefined => {
    const row = one.get(...keyOf(ref));
    return row === undefined ? undefined : storedObject(intact(row), ref, former);
  };
  const read = new ReadObjects(readAll, readOne);

  return {
    verify: () => {
      read.list();
      for (const row of appliedBy.all(null)) intact(row);
      const row = meta.get();
      if (row?.['fits'] !== 1) throw new StoreCorruptError(db.file, 'something of it is lost');
      return Number(row['revision']);
    },
    seal: (revision) => {
      setRevision.run(revision);
      sealStore.run();
    },
    forgetRead: () => read.forget(),
    get: (ref) => read.get(ref),
    list: (kind, namespace) => {
      if (kind === undefined && namespace === undefined) return read.list();
      return read.list().filter(({ ref }) => (kind ?? ref.kind) === ref.kind && (namespace ?? ref.namespace) === ref.namespace);
    },
    insert: (ref, base, createdAt, at) => {
      insert.run(...keyOf(ref), JSON.stringify(base), at, createdAt);
      sum.flip(sealObject.all(...keyOf(ref)));
      read.written(ref, { base: false, served: false });
    },
    update: (ref, change, at) => {
      const row = one.get(...keyOf(ref));
      if (row === undefined) throw new Error(`no such object: ${keyOf(ref).join(' ')}`);
      intact(row);
      update.run(
        change.base === undefined ? (row['base'] ?? null) : JSON.stringify(change.base),
        'served' in change ? column(change.served) : (row['served'] ?? null),
        change.generation ?? row['generation'] ?? null,
        change.status === undefined ? (row['status'] ?? null) : column(change.status),
        change.request === undefined ? (row['request'] ?? null) : column(change.request),
        'deletion' in change ? (change.deletion?.at ?? null) : (row['deletion_requested_at'] ?? null),
        'deletion' in change ? Number(change.deletion?.restoresBase ?? false) : (row['deletion_restores_base'] ?? 0),
        at,
        ...keyOf(ref),
      );
      sum.flip([row, ...sealObject.all(...keyOf(ref))]);
      read.written(ref, { base: change.base === undefined, served: !('served' in change) });
    },
    remove: (ref) => {
      sum.flip([...remove.all(...keyOf(ref)), ...forget.all(...keyOf(ref), null)]);
      read.removed(ref);
    },
    lastApplied: (source, ref) => {
      const row = applied.get(source, ...keyOf(ref));
      return row === undefined ? undefined : String(intact(row)['applied']);
    },
    setLastApplied: (source, ref, json) => {
      const former = applied.all(source, ...keyOf(ref));
      setApplied.run(source, ...keyOf(ref), json);
      sum.flip([...former, ...sealApplied.all(source, ...keyOf(ref))]);
    },
    forgetApplied: (ref, source) => {
      sum.flip(forget.all(...keyOf(ref), source ?? null));
    },
    appliedBy: (source) => appliedBy.all(source).map((row) => refOfRow(intact(row))),
  };
}

function refOfRow(row: Row): ObjectRef {
  return { kind: String(row['kind']), namespace: String(row['namespace']), name: String(row['name']) };
}

function storedObject(row: Row, ref: ObjectRef, former: Former | undefined): StoredObject {
  const createdAt = String(row['created_at']);
  const parse = (column: string): unknown => JSON.parse(String(row[column]));
  // Istio orders VirtualServices by this field, which a cluster gives in whole seconds.
  const stamp = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, creationTimestamp: createdAt.replace(/\.\d+Z$/, 'Z') },
  });
  const base = former?.kept.base === true ? former.object.base : stamp(parse('base') as KubeObject);
  const readServed = (): KubeObject => (former?.kept.served === true ? former.object.served : stamp(parse('served') as KubeObject));
  return {
    ref,
    base,
    served: row['served'] === null ? base : readServed(),
    generation: Number(row['generation']),
    revision: Number(row['revision']),
    createdAt,
    ...(row['status'] === null ? {} : { status: parse('status') as ReleaseStatus }),
    ...(row['request'] === null ? {} : { request: parse('request') as ReleaseRequest }),
    ...(row['deletion_requested_at'] === null ? {} : { deletionRequestedAt: String(row['deletion_requested_at']) }),
    ...(Number(row['deletion_restores_base']) === 1 ? { deletionRestoresBase: true } : {}),
  };
}
