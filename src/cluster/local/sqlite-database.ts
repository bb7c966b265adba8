import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreCorruptError, StoreLockedError, StoreVersionError, StoreWriteError } from '../store-errors.ts';

/** "Perc" as SQLite's application_id: tells our files from other programs'. */
const APPLICATION_ID = 0x50657263;
/** Two that start at the same moment must not refuse each other: one of them tries again. */
const OPEN_TIMEOUT_MS = 250;

const SCHEMA = `
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta (id, revision) VALUES (1, 0);
  CREATE TABLE objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    base TEXT NOT NULL,
    served TEXT,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT,
    request TEXT,
    deletion_requested_at TEXT,
    deletion_restores_base INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, namespace, name)
  ) STRICT;
  CREATE TABLE sources (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    applied TEXT NOT NULL,
    PRIMARY KEY (source, kind, namespace, name)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
`;

/** What makes a file of each format one of the next: the first entry is for format 1. Files of released versions depend on them: add only. */
const MIGRATIONS: readonly string[] = ['ALTER TABLE objects ADD COLUMN deletion_restores_base INTEGER NOT NULL DEFAULT 0;'];

/** The format that SCHEMA describes. */
const SCHEMA_VERSION = MIGRATIONS.length + 1;

/** One SQLite file, held by this process alone, with our schema in it. Its errors are the store's typed errors. */
export interface SqliteDatabase {
  /** Where the data is, for messages. */
  readonly file: string;
  prepare(sql: string): StatementSync;
  /** Runs `work` as one durable transaction, or, where anything fails, as none. */
  transaction<T>(work: () => T): T;
  /** Runs reads with errors translated. */
  read<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens `perch.db` in `dataDir` (made when absent), or a database in memory for `:memory:`. A file of an older format becomes one of this
 * format at once, whole or not at all; perches before it then refuse it.
 * Throws StoreLockedError, StoreCorruptError, StoreVersionError or StoreWriteError; then nothing is left open.
 */
export function openSqliteDatabase(dataDir: string): SqliteDatabase {
  const file = dataDir === ':memory:' ? dataDir : join(dataDir, 'perch.db');
  const translate = (error: unknown): unknown => storeError(error, file, dataDir);
  const db = attempt(translate, () => {
    if (dataDir !== ':memory:') mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return new DatabaseSync(file, { timeout: OPEN_TIMEOUT_MS });
  });
  const transaction = <T>(work: () => T): T =>
    attempt(translate, () => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite ends the transaction by itself on some errors (disk full), not on others.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    });
  try {
    attempt(translate, () => {
      // Before the first access, so that the lock on the file is never let go between two statements.
      db.exec('PRAGMA locking_mode = EXCLUSIVE');
      const version = identify(db, file);
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      if (version !== undefined) assertIntact(db, file);
      if (version === SCHEMA_VERSION) return;
      const change = version === undefined ? SCHEMA : MIGRATIONS.slice(version - 1).join('');
      transaction(() => db.exec(`${change} PRAGMA user_version = ${SCHEMA_VERSION};`));
    });
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    file,
    prepare: (sql) => db.prepare(sql),
    transaction,
    read: (work) => attempt(translate, work),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function attempt<T>(translate: (error: unknown) => unknown, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translate(error);
  }
}

function assertIntact(db: DatabaseSync, file: string): void {
  const answer = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  // Its first line names the database, the further ones say what is wrong.
  if (answer !== 'ok') throw new StoreCorruptError(file, String(answer).split('\n').slice(-1).join());
}

/** The format of the file, undefined where it is new; throws where it is not ours. Reads only: another program's file stays as it is. */
function identify(db: DatabaseSync, file: string): number | undefined {
  const number = (sql: string, column: string): number => Number(db.prepare(sql).get()?.[column]);
  const version = number('PRAGMA user_version', 'user_version');
  const application = number('PRAGMA application_id', 'application_id');
  if (application === 0 && version === 0 && number('SELECT count(*) AS tables FROM sqlite_schema', 'tables') === 0) return undefined;
  if (application !== APPLICATION_ID)
    throw new StoreVersionError(file, 'it belongs to another program; choose another directory with --data');
  if (version > SCHEMA_VERSION) {
    throw new StoreVersionError(file, `its format ${version} is of a newer perch, this one knows ${SCHEMA_VERSION}; use the newer perch`);
  }
  return version;
}

/** Primary result codes, https://sqlite.org/rescode.html. */
const BUSY = new Set([5, 6]);
const WRITE = new Map([
  [8, 'read-only'],
  [10, 'disk I/O error'],
  [13, 'disk full'],
  [14, 'cannot be opened'],
]);
const CORRUPT = new Set([11, 26]);

/** SQLite reports a disk that is read-only as an I/O error too, where it cannot make its -wal file: the system knows better. */
function unwritable(dataDir: string): string | undefined {
  if (dataDir === ':memory:') return undefined;
  try {
    accessSync(dataDir, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EROFS') return 'read-only';
    return code === 'EACCES' ? 'no permission to write there' : undefined;
  }
}

function storeError(error: unknown, file: string, dataDir: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode, errstr } = error as Error & { code?: unknown; errcode?: unknown; errstr?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    const primary = errcode & 0xff;
    if (BUSY.has(primary)) return new StoreLockedError(dataDir, error);
    if (CORRUPT.has(primary)) return new StoreCorruptError(file, String(errstr), error);
    const reason = WRITE.get(primary);
    if (reason !== undefined) return new StoreWriteError(file, unwritable(dataDir) ?? reason, error);
    return error;
  }
  // mkdir's own errors: EACCES, EROFS, ENOSPC, ENOTDIR, EEXIST.
  if ('syscall' in error && error.syscall === 'mkdir') return new StoreWriteError(dataDir, String(code), error);
  return error;
}
