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
/**
 * Of the store's one row in `meta`: its revision and the digests of all other rows, so that a row that is lost, added or of another time
 * shows.
 */
export const STORE_DIGEST = `perch_digest(
  revision,
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM objects ORDER BY sequence)),
  (SELECT group_concat(digest, ' ') FROM (SELECT digest FROM sources ORDER BY source, kind, namespace, name))
)`;

/** Gives the database the function that these use: SHA-256 over the values in their order, in hexadecimal. */
export function addDigestFunction(db: DatabaseSync): void {
  db.function('perch_digest', { varargs: true, deterministic: true }, (...values) => hash('sha256', JSON.stringify(values)));
}
