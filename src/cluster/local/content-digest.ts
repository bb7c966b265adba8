import { hash } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

// SQLite notices a page that makes no sense, but not a bit that flipped inside a text, nor pages of different times: routes would be
// served that nobody wrote. So each row carries a digest of itself, and the store one of all rows.

const OBJECT_COLUMNS =
  'kind, namespace, name, base, served, generation, revision, created_at, status, request, deletion_requested_at, deletion_restores_base';

/** SQL expressions: what the column `digest` of a row has to be. The sequence is what tells the order of objects. */
export const OBJECT_DIGEST = `perch_digest(sequence, ${OBJECT_COLUMNS})`;
/** The same in formats 3 to 5, whose store digest told the order. */
export const OBJECT_DIGEST_OF_FORMAT_5 = `perch_digest(${OBJECT_COLUMNS})`;
/** Of a row of `sources`: what a source applied last. */
export const SOURCE_DIGEST = 'perch_digest(source, kind, namespace, name, applied)';
/** Of a row of `events`. */
export const EVENT_DIGEST = 'perch_digest(id, namespace, name, reason, event)';

/**
 * Of the store's one row in `meta`: its revision and the digests of all other rows, so that a row that is lost, added or of another time
 * shows. Of each table's rows it is their digests in one (`xorOf`), which a write changes by those that it adds and takes away.
 */
export const STORE_DIGEST = 'perch_digest(revision, events_digest, rows_digest)';

/** SQL expression: what the column `rows_digest` of `meta` has to be. */
export const ROWS_DIGEST = '(SELECT perch_xor(digest) FROM (SELECT digest FROM objects UNION ALL SELECT digest FROM sources))';

const OBJECTS_AND_SOURCES = `
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM objects ORDER BY sequence)),
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM sources ORDER BY source, kind, namespace, name))`;
/** The same in formats 4 and 5. */
export const STORE_DIGEST_OF_FORMAT_5 = `perch_digest(revision, events_digest, ${OBJECTS_AND_SOURCES})`;
/** The same in format 3, which had no events. */
export const STORE_DIGEST_OF_FORMAT_3 = `perch_digest(revision, ${OBJECTS_AND_SOURCES})`;

/** Digests in one, whatever their order: one that is added again is taken away. */
export function xorOf(digests: Iterable<string>): string {
  let sum = 0n;
  for (const digest of digests) sum ^= BigInt(`0x${digest}`);
  return sum.toString(16).padStart(NO_DIGESTS.length, '0');
}

/** What `xorOf` gives for none. */
export const NO_DIGESTS = '0'.repeat(64);

/**
 * Gives the database the functions that these use: SHA-256 over the values in their order, in hexadecimal, and an aggregate that makes one of
 * digests (`xorOf`).
 */
export function addDigestFunctions(db: DatabaseSync): void {
  db.function('perch_digest', { varargs: true, deterministic: true }, (...values) => hash('sha256', JSON.stringify(values)));
  db.aggregate('perch_xor', {
    start: NO_DIGESTS,
    step: (sum: string, digest: SQLOutputValue) => (/^[0-9a-f]{64}$/.test(String(digest)) ? xorOf([sum, String(digest)]) : sum),
  });
}
