import type { DiagnosticCode } from '../core/diagnostics/codes.ts';

/**
 * What can go wrong with the place where objects live, apart from the objects themselves. The message is one line for people and
 * says the way out; `cause` is the driver's error.
 */
export abstract class StoreError extends Error {
  abstract readonly code: DiagnosticCode;
}

/** Another process holds the data directory. Nothing was read or written. */
export class StoreLockedError extends StoreError {
  readonly code = 'PERCH4060';

  /** `pid` of the other one, where the system tells. */
  constructor(dataDir: string, pid: number | undefined, cause?: unknown) {
    const who = pid === undefined ? 'another perch' : `another perch (process ${pid})`;
    super(`${who} uses ${dataDir}: stop it, or choose another directory with --data`, { cause });
    this.name = 'StoreLockedError';
  }
}

/** The file is damaged. It was left as it is. */
export class StoreCorruptError extends StoreError {
  readonly code = 'PERCH4061';

  constructor(file: string, reason: string, cause?: unknown) {
    super(
      `${file} is damaged (${reason}): move it and its -journal file away and start again from your files; ` +
        'how far releases had come is forgotten then, so see first which version is live',
      { cause },
    );
    this.name = 'StoreCorruptError';
  }
}

/** Why a disk did not take a write. */
export type WriteFailure = 'disk full' | 'read-only' | 'no permission' | 'cannot be opened' | 'disk I/O error';

const REMEDIES: Readonly<Record<WriteFailure, string>> = {
  'disk full': 'free some space',
  'read-only': 'make the directory writable',
  'no permission': 'make the directory and what is in it writable for this user',
  'cannot be opened': 'see what is in its place, or choose another directory with --data',
  'disk I/O error': 'see to the disk, or choose another directory with --data',
};

/** The disk is full, read-only or failing. The write did not happen, wholly; what was there before is intact. */
export class StoreWriteError extends StoreError {
  readonly code = 'PERCH4062';

  constructor(file: string, failure: WriteFailure, cause: unknown) {
    super(`cannot write ${file} (${failure}): nothing was changed; ${REMEDIES[failure]}`, { cause });
    this.name = 'StoreWriteError';
  }
}

/** The file was written by another perch, or by another program, or is none. It was left as it is. */
export class StoreVersionError extends StoreError {
  readonly code = 'PERCH4063';

  constructor(file: string, reason: string) {
    super(`${file} cannot be used: ${reason}`);
    this.name = 'StoreVersionError';
  }
}
