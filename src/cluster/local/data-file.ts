import { accessSync, closeSync, constants, existsSync, openSync, readSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreCorruptError, StoreVersionError } from '../store-errors.ts';
import { addDigestFunction } from './content-digest.ts';
import { APPLICATION_ID, FORMAT, SCHEMA } from './database-schema.ts';

/** Two that start at the same moment must not refuse each other: one of them tries again, for so many ms. */
export const LOCK_TIMEOUT_MS = 250;

/** https://sqlite.org/fileformat.html section 1.3: size of the header, and where in it the numbers are, big-endian. */
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
const MAGIC = 'SQLite format 3\0';

/**
 * Makes sure that `file` is a database of ours, of this format or an older one: makes it where there is none, and where there is one
 * looks at its header, without touching it. Throws StoreCorruptError, StoreVersionError, or the system's or SQLite's own errors.
 */
export function ensureDataFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) createDataFile(file);
  else assertOurs(file, stats);
}

/**
 * The file appears whole or not at all, whatever ends the process meanwhile: so one without content is never taken for a new one, which
 * would begin every release anew.
 */
function createDataFile(file: string): void {
  const draft = `${file}-new`;
  const db = new DatabaseSync(draft, { timeout: LOCK_TIMEOUT_MS });
  try {
    addDigestFunction(db);
    // Who starts at the same moment has opened the same draft and waits here, or opens another one once this has its name.
    lockForGood(db);
    // One that was killed here may have left it whole.
    if (Number(db.prepare('PRAGMA user_version').get()?.['user_version']) === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT`);
    if (!existsSync(file)) renameSync(draft, file);
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
  const advice = 'move it away, or choose another directory with --data';
  if (!stats.isFile()) throw new StoreVersionError(file, `it is ${stats.isDirectory() ? 'a directory' : 'no file'}; ${advice}`);
  const header = readHeader(file);
  if (header.length === 0) throw new StoreCorruptError(file, 'it is empty');
  if (header.length < HEADER_BYTES) throw new StoreCorruptError(file, 'it is cut short');
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new StoreCorruptError(file, 'it is no SQLite database');
  if (header.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID) {
    throw new StoreVersionError(file, `it belongs to another program, or its header is damaged; ${advice}`);
  }
  // SQLite would open it, and neither lock it nor write.
  accessSync(file, constants.W_OK);
  const format = header.readUInt32BE(USER_VERSION_AT);
  if (format > FORMAT) {
    throw new StoreVersionError(
      file,
      `its format ${format} is of a newer perch, this one knows ${FORMAT}; use the newer perch, or ${advice}`,
    );
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
