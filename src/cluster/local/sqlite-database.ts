import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreCorruptError, StoreLockedError } from '../store-errors.ts';
import { addDigestFunctions, STORE_DIGEST } from './content-digest.ts';
import { ensureDataFile, LOCK_TIMEOUT_MS, lockForGood } from './data-file.ts';
import { FORMAT, migrationFrom, SCHEMA } from './database-schema.ts';
import { storeError } from './sqlite-errors.ts';

/** One SQLite file, held by this process alone, with our tables in it. Its errors are the store's typed errors. */
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

const MEMORY = ':memory:';

/**
 * Directories in use by this process. SQLite would refuse the second one too, but to look at the file's header and close it would take
 * the first one's lock away (POSIX: closing any descriptor of a file lets go of all locks that the process has on it).
 */
const inUse = new Set<string>();

/**
 * Opens `perch.db` in `dataDir` (made when absent), or a database in memory for `:memory:`. A file of an older format becomes one of this
 * format at once, whole or not at all; perches before it then refuse it.
 * Throws StoreLockedError, StoreCorruptError, StoreVersionError or StoreWriteError; then nothing is left open.
 */
export function openSqliteDatabase(dataDir: string): SqliteDatabase {
  const isMemory = dataDir === MEMORY;
  const file = isMemory ? MEMORY : join(dataDir, 'perch.db');
  const translated = <T>(work: () => T, place = file): T => {
    try {
      return work();
    } catch (error) {
      throw isMemory ? error : storeError(error, place);
    }
  };
  if (!isMemory) {
    translated(() => mkdirSync(dataDir, { recursive: true, mode: 0o700 }), dataDir);
  }
  const place = isMemory ? undefined : translated(() => realpathSync(dataDir), dataDir);
  if (place !== undefined && inUse.has(place)) throw new StoreLockedError(dataDir, process.pid);
  if (place !== undefined) translated(() => ensureDataFile(file));
  const db = translated(() => new DatabaseSync(file, { timeout: LOCK_TIMEOUT_MS }));
  try {
    translated(() => {
      addDigestFunctions(db);
      // The journal is SQLite's default, which is empty between writes: all that counts is in one file, and a journal that is lost or
      // damaged takes no write with it that had happened. Formats 1 and 2 had another.
      db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL');
      lockForGood(db);
      if (isMemory) db.exec(SCHEMA);
      else assertIntact(db, file);
    });
  } catch (error) {
    db.close();
    throw error;
  }
  if (place !== undefined) inUse.add(place);
  return {
    file,
    prepare: (sql) => db.prepare(sql),
    transaction: (work) => translated(() => transaction(db, work)),
    read: (work) => translated(work),
    close: () => {
      if (!db.isOpen) return;
      db.close();
      if (place !== undefined) inUse.delete(place);
    },
  };
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
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
}

/** Throws where the file is not as it was left; one of an older format becomes one of this. */
function assertIntact(db: DatabaseSync, file: string): void {
  const answer = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  // Its first line names the database, the further ones say what is wrong.
  if (answer !== 'ok') throw new StoreCorruptError(file, String(answer).split('\n').slice(-1).join());
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (format < FORMAT) {
    transaction(db, () => {
      db.exec(migrationFrom(format));
      // Left as it is where it was damaged: what is thrown undoes the migration.
      const { fits } = db.prepare(`SELECT digest = ${STORE_DIGEST} AS fits FROM meta`).get() ?? {};
      if (fits !== 1) throw new StoreCorruptError(file, 'something of it is lost');
    });
  }
  const ours = new DatabaseSync(MEMORY);
  addDigestFunctions(ours);
  ours.exec(SCHEMA);
  const isOurs = tablesOf(db) === tablesOf(ours);
  ours.close();
  if (!isOurs) throw new StoreCorruptError(file, 'its tables are not those of perch');
}

function tablesOf(db: DatabaseSync): string {
  const columns = db.prepare(
    `SELECT tables.name AS tab, columns.name, columns.type, columns.pk FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
     WHERE tables.type = 'table' ORDER BY tab, columns.name`,
  );
  return JSON.stringify(columns.all());
}
