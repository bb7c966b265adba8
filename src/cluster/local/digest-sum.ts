import type { SQLOutputValue } from 'node:sqlite';
import { xorOf } from './content-digest.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** The digests of all rows of tables in one, as `meta` keeps it. Changes belong in the transaction that changes the rows. */
export interface DigestSum {
  stored(): string;
  /** Adds those that are not in it and takes away those that are: the two are the same. Rows have their digest in the column `digest`. */
  flip(rows: readonly Readonly<Record<string, SQLOutputValue>>[]): void;
}

/** That of a column of `meta`. */
export function digestSum(db: SqliteDatabase, column: 'events_digest' | 'rows_digest'): DigestSum {
  const read = db.prepare(`SELECT ${column} AS sum FROM meta`);
  const write = db.prepare(`UPDATE meta SET ${column} = ?`);
  const stored = (): string => String(read.get()?.['sum']);
  return {
    stored,
    flip: (rows) => {
      if (rows.length > 0) write.run(xorOf([stored(), ...rows.map(({ digest }) => String(digest))]));
    },
  };
}
