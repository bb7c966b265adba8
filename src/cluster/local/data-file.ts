import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreCorruptError, StoreVersionError } from '../store-errors.ts';
import { addDigestFunctions } from './content-digest.ts';
import { APPLICATION_ID, FORMAT, SCHEMA } from './database-schema.ts';
import { storeError } from './sqlite-errors.ts';

/** Two that start at the same moment must not refuse each other: one of them tries again, for so many ms. */
export const LOCK_TIMEOUT_MS = 250;

/** https://sqlite.org/fileformat.html section 1.3: size of the header, and where in it the numbers are, big-endian. */
const HEADER_BYTES = 100;
const WRITE_VERSION_AT = 18;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
const MAGIC = 'SQLite format 3\0';
/** The write version of a database with a write-ahead log. */
const WITH_LOG = 2;

const ADVICE = 'move it away, or choose another directory with --data';

/**
 * Makes sure that `file` is a database of ours, of this format or an older one: makes it where there is none, and where there is one
 * looks at its header, without touching it. Throws StoreCorruptError, StoreVersionError, or the system's or SQLite's own errors.
 */
export function ensureDataFile(file: string): void {
  // Before the file: one that another is making just now is there before its journal.
  const orphan = [`${file}-journal`, `${file}-wal`].find((path) => existsSync(path));
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined) {
    assertOurs(file, stats);
    return;
  }
  // SQLite would play it into the new file.
  if (orphan !== undefined) throw new StoreCorruptError(file, `it is gone, and its ${basename(orphan)} is there`);
  // A disk that is not mounted, for one: to begin anew in its place would begin every release anew.
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) {
    throw new StoreVersionError(file, `it is a link to what is not there; ${ADVICE}`);
  }
  createDataFile(file);
}

/**
 * The file appears whole or not at all, whatever ends the process meanwhile: so one without content is never taken for a new one, which
 * would begin every release anew.
 */
function createDataFile(file: string): void {
  const draft = `${file}-new`;
  const db = new DatabaseSync(draft, { timeout: LOCK_TIMEOUT_MS });
  try {
    addDigestFunctions(db);
    // Who starts at the same moment has opened the same draft and waits here, or opens another one once this has its name.
    lockForGood(db);
    // One that was killed here may have left it whole.
    if (Number(db.prepare('PRAGMA user_version').get()?.['user_version']) === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT`);
    if (!existsSync(file)) renameSync(draft, file);
  } catch (error) {
    const named = storeError(error, draft);
    throw named instanceof StoreCorruptError ? named : error;
  } finally {
    db.close();
  }
  rmSync(draft, { force: true });
}

/** Takes the lock of a database's file, until it is closed. Where another has it, this is SQLITE_BUSY. */
export function lockForGood(db: DatabaseSync): void {
  db.exec('BEGIN EXCLUSIVE');
  // Not before: of two that wait for each other's lock both would fail.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('COMMIT');
}

function assertOurs(file: string, stats: Stats): void {
  if (!stats.isFile()) throw new StoreVersionError(file, `it is ${stats.isDirectory() ? 'a directory' : 'no file'}; ${ADVICE}`);
  const header = readHeader(file);
  if (header.length === 0) throw new StoreCorruptError(file, 'it is empty');
  if (header.length < HEADER_BYTES) throw new StoreCorruptError(file, 'it is cut short');
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new StoreCorruptError(file, 'it is no SQLite database');
  const { application, format } = identityOf(file, header);
  if (application !== APPLICATION_ID) {
    throw new StoreVersionError(file, `it belongs to another program, or its header is damaged; ${ADVICE}`);
  }
  // SQLite would open it, and neither lock it nor write.
  accessSync(file, constants.W_OK);
  if (format > FORMAT) {
    throw new StoreVersionError(
      file,
      `its format ${format} is of a newer perch, this one knows ${FORMAT}; use the newer perch, or ${ADVICE}`,
    );
  }
}

/** Whose file it is. Formats 1 and 2 had a write-ahead log: of one that was killed, even this may be there only. SQLite reads both. */
function identityOf(file: string, header: Buffer): { readonly application: number; readonly format: number } {
  const identity = { application: header.readUInt32BE(APPLICATION_ID_AT), format: header.readUInt32BE(USER_VERSION_AT) };
  if (identity.application !== 0 || header[WRITE_VERSION_AT] !== WITH_LOG || !existsSync(`${file}-wal`)) return identity;
  const db = new DatabaseSync(file, { readOnly: true, timeout: LOCK_TIMEOUT_MS });
  try {
    const number = (name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
    return { application: number('application_id'), format: number('user_version') };
  } finally {
    db.close();
  }
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}
