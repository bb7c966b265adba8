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

  constructor(dataDir: string, cause: unknown) {
    super(`another perch uses ${dataDir}: stop it, or choose another directory with --data`, { cause });
    this.name = 'StoreLockedError';
  }
}

/** The file is damaged or not a store. It was left as it is. */
export class StoreCorruptError extends StoreError {
  readonly code = 'PERCH4061';

  constructor(file: string, reason: string, cause?: unknown) {
    super(
      `${file} is damaged (${reason}): move it and its -wal file away and start again from your files; ` +
        'how far releases had come is forgotten then, so see first which version is live',
      { cause },
    );
    this.name = 'StoreCorruptError';
  }
}

/** The disk is full, read-only or failing. The write did not happen, wholly; what was there before is intact. */
export class StoreWriteError extends StoreError {
  readonly code = 'PERCH4062';

  constructor(file: string, reason: string, cause: unknown) {
    super(`cannot write ${file} (${reason}): nothing was changed; make the directory writable or free some space`, { cause });
    this.name = 'StoreWriteError';
  }
}

/** The file was written by a newer perch, or by another program. It was left as it is. */
export class StoreVersionError extends StoreError {
  readonly code = 'PERCH4063';

  constructor(file: string, reason: string) {
    super(`${file} cannot be used: ${reason}`);
    this.name = 'StoreVersionError';
  }
}
