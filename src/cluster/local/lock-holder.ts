import { readFileSync, statSync } from 'node:fs';

/** SQLite's lock bytes (https://sqlite.org/lockingv3.html): PENDING, RESERVED, and the range of SHARED and EXCLUSIVE. */
const FIRST_LOCK_BYTE = 0x40000000;
const LAST_LOCK_BYTE = FIRST_LOCK_BYTE + 511;

/** One line of proc_locks(5): `1: POSIX  ADVISORY  WRITE 708 fd:00:5117 1073741826 1073742335`. */
const LINE = /^\d+: POSIX +ADVISORY +(?:READ|WRITE) +(\d+) +[0-9a-f]+:[0-9a-f]+:(\d+) +(\d+) +(\d+)$/;

/** The process that has `file` locked by SQLite, as Linux tells; undefined elsewhere, and where it is not in this pid namespace. */
export function lockHolder(file: string): number | undefined {
  try {
    const inode = statSync(file).ino;
    return holderIn(readFileSync('/proc/locks', 'utf8'), inode);
  } catch {
    return undefined;
  }
}

/** The same from the text of /proc/locks. */
export function holderIn(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, pid = 0, lockedInode = 0, from = 0, to = 0] = (LINE.exec(line) ?? []).map(Number);
    if (lockedInode === inode && pid > 0 && from >= FIRST_LOCK_BYTE && to <= LAST_LOCK_BYTE) return pid;
  }
  return undefined;
}
