import {
  NO_DIGESTS,
  OBJECT_DIGEST,
  OBJECT_DIGEST_OF_FORMAT_5,
  ROWS_DIGEST,
  SOURCE_DIGEST,
  STORE_DIGEST,
  STORE_DIGEST_OF_FORMAT_3,
  STORE_DIGEST_OF_FORMAT_5,
} from './content-digest.ts';

/** "Perc" as SQLite's application_id: tells our files from other programs'. */
export const APPLICATION_ID = 0x50657263;

/** What happened to releases, with the indexes that keep reading and forgetting cheap however much there is. */
const EVENTS = `
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    event TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX events_of_release ON events (namespace, name, id);
  CREATE INDEX deletions ON events (id) WHERE reason = 'Deleted';
`;

/**
 * What makes a file of each format one of the next: the first entry is for format 1. Files of released versions depend on them: add only.
 */
const MIGRATIONS: readonly string[] = [
  'ALTER TABLE objects ADD COLUMN deletion_restores_base INTEGER NOT NULL DEFAULT 0;',
  `ALTER TABLE objects ADD COLUMN digest TEXT NOT NULL DEFAULT '';
   ALTER TABLE sources ADD COLUMN digest TEXT NOT NULL DEFAULT '';
   ALTER TABLE meta ADD COLUMN digest TEXT NOT NULL DEFAULT '';
   UPDATE objects SET digest = ${OBJECT_DIGEST_OF_FORMAT_5};
   UPDATE sources SET digest = ${SOURCE_DIGEST};
   UPDATE meta SET digest = ${STORE_DIGEST_OF_FORMAT_3};`,
  // A file that was damaged before stays one that does not fit its digest.
  `ALTER TABLE meta ADD COLUMN events_digest TEXT NOT NULL DEFAULT '${NO_DIGESTS}';
   ${EVENTS}
   UPDATE meta SET digest = CASE digest WHEN ${STORE_DIGEST_OF_FORMAT_3} THEN ${STORE_DIGEST_OF_FORMAT_5} ELSE '' END;`,
  `CREATE INDEX object_digests ON objects (sequence, digest);
   CREATE INDEX source_digests ON sources (source, kind, namespace, name, digest);`,
  `ALTER TABLE meta ADD COLUMN rows_digest TEXT NOT NULL DEFAULT '${NO_DIGESTS}';
   UPDATE meta SET digest = CASE digest WHEN ${STORE_DIGEST_OF_FORMAT_5} THEN 'fits' ELSE '' END;
   UPDATE objects SET digest = CASE digest WHEN ${OBJECT_DIGEST_OF_FORMAT_5} THEN ${OBJECT_DIGEST} ELSE '' END;
   UPDATE meta SET rows_digest = ${ROWS_DIGEST};
   UPDATE meta SET digest = CASE WHEN digest = 'fits' AND NOT EXISTS (SELECT 1 FROM objects WHERE digest = '') THEN ${STORE_DIGEST} ELSE '' END;
   DROP INDEX object_digests;
   DROP INDEX source_digests;`,
];

/** SQLite's user_version: the format that SCHEMA describes. */
export const FORMAT = MIGRATIONS.length + 1;

/** The statements that make a file of an older format one of this. */
export function migrationFrom(format: number): string {
  return `${MIGRATIONS.slice(format - 1).join('\n')} PRAGMA user_version = ${FORMAT};`;
}

/** The statements that make an empty database ours. */
export const SCHEMA = `
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL DEFAULT '',
    events_digest TEXT NOT NULL DEFAULT '${NO_DIGESTS}',
    rows_digest TEXT NOT NULL DEFAULT '${NO_DIGESTS}'
  ) STRICT;
  CREATE TABLE objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    base TEXT NOT NULL,
    served TEXT,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT,
    request TEXT,
    deletion_requested_at TEXT,
    deletion_restores_base INTEGER NOT NULL DEFAULT 0,
    digest TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, namespace, name)
  ) STRICT;
  CREATE TABLE sources (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    applied TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, kind, namespace, name)
  ) STRICT, WITHOUT ROWID;
  ${EVENTS}
  INSERT INTO meta (id, revision) VALUES (1, 0);
  UPDATE meta SET digest = ${STORE_DIGEST};
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;
