import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

// SQLite notices a page that makes no sense, but not a bit that flipped inside a text, nor pages of different times: routes would be
// served that nobody wrote. So each row carries a digest of itself, and the store one of all rows.

const OBJECT_COLUMNS =
  'kind, namespace, name, base, served, generation, revision, created_at, status, request, deletion_requested_at, deletion_restores_base';

/** SQL expressions: what the column `digest` of a row has to be. */
export const OBJECT_DIGEST = `perch_digest(${OBJECT_COLUMNS})`;
/** Of a row of `sources`: what a source applied last. */
export const SOURCE_DIGEST = 'perch_digest(source, kind, namespace, name, applied)';
/** Of a row of `events`. */
export const EVENT_DIGEST = 'perch_digest(id, namespace, name, reason, event)';

const OBJECTS_AND_SOURCES = `
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM objects ORDER BY sequence)),
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM sources ORDER BY source, kind, namespace, name))`;
/**
 * Of the store's one row in `meta`: its revision and the digests of all other rows, so that a row that is lost, added or of another time
 * shows. Of events, which are many and of which each write changes few, it is all their digests in one (`xorOf`).
 */
export const STORE_DIGEST = `perch_digest(revision, events_digest, ${OBJECTS_AND_SOURCES})`;
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

/** Gives the database the function that these use: SHA-256 over the values in their order, in hexadecimal. */
export function addDigestFunction(db: DatabaseSync): void {
  db.function('perch_digest', { varargs: true, deterministic: true }, (...values) => hash('sha256', JSON.stringify(values)));
}
