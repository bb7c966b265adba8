import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { StoreCorruptError, StoreLockedError, StoreWriteError, type WriteFailure } from '../store-errors.ts';
import { lockHolder } from './lock-holder.ts';

/** Primary result codes, https://sqlite.org/rescode.html. */
const BUSY: ReadonlySet<number> = new Set([5, 6]);
const CORRUPT: ReadonlySet<number> = new Set([11, 26]);
const WRITE: ReadonlyMap<number, WriteFailure> = new Map<number, WriteFailure>([
  [8, 'read-only'],
  [10, 'disk I/O error'],
  [13, 'disk full'],
  [14, 'cannot be opened'],
]);

/** Of the system's calls. */
const SYSTEM: ReadonlyMap<unknown, WriteFailure> = new Map<unknown, WriteFailure>([
  ['ENOSPC', 'disk full'],
  ['EDQUOT', 'disk full'],
  ['EROFS', 'read-only'],
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EIO', 'disk I/O error'],
]);

/** What was thrown while `file` was used, as a StoreError where it is none of our own mistakes. */
export function storeError(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode, errstr } = error as Error & { code?: unknown; errcode?: unknown; errstr?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    const primary = errcode & 0xff;
    if (BUSY.has(primary)) return new StoreLockedError(dirname(file), lockHolder(file), error);
    if (CORRUPT.has(primary)) return new StoreCorruptError(file, String(errstr), error);
    const failure = WRITE.get(primary);
    return failure === undefined ? error : new StoreWriteError(file, unwritable(file) ?? failure, error);
  }
  if ('syscall' in error) return new StoreWriteError(file, SYSTEM.get(code) ?? 'cannot be opened', error);
  return error;
}

/** SQLite reports a disk that is read-only as an I/O error too, where it cannot make its journal: the system knows better. */
function unwritable(file: string): WriteFailure | undefined {
  try {
    accessSync(dirname(file), constants.W_OK);
    return undefined;
  } catch (error) {
    const failure = SYSTEM.get(error instanceof Error && 'code' in error ? error.code : undefined);
    return failure === 'read-only' || failure === 'no permission' ? failure : undefined;
  }
}
