import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../test/harness/seeded-random.ts';
import { canaryRelease, virtualService } from '../store.cases.ts';
import { StoreCorruptError, StoreVersionError, StoreWriteError } from '../store-errors.ts';
import { addDigestFunctions, OBJECT_DIGEST_OF_FORMAT_5, STORE_DIGEST_OF_FORMAT_3 } from './content-digest.ts';
import { errorOf, RELEASE, ROUTES, StoreScene } from './store-scene.cases.ts';

let scene: StoreScene;

beforeEach(() => {
  scene = new StoreScene();
});

afterEach(() => scene.close());

describe('a file that cannot be used', () => {
  const file = (): string => join(scene.dataDir, 'perch.db');

  async function fill(): Promise<void> {
    const store = scene.open();
    const names = Array.from({ length: 60 }, (_, index) => `reviews-${index}`);
    await store.apply('files', [...names.map((name) => virtualService('v1', name)), canaryRelease()]);
    await store.close();
  }

  test.each([
    ['overwritten', () => writeFileSync(file(), 'not a database '.repeat(1000))],
    ['cut in half', () => truncateSync(file(), readFileSync(file()).length / 2)],
    ['damaged inside', () => writeFileSync(file(), readFileSync(file()).fill(0xff, 8192, 20480))],
  ])('%s: named, with the way out, and left as it is', async (_how, damage) => {
    await fill();
    damage();
    const damaged = readFileSync(file());
    const error = errorOf(() => scene.open());
    expect(error).toBeInstanceOf(StoreCorruptError);
    expect(String(error)).toContain(file());
    expect(String(error)).toContain('move it');
    expect(String(error), 'one line').not.toContain('\n');
    expect(readFileSync(file()).equals(damaged)).toBe(true);
  });

  /** Changes the file as SQLite itself would: every page of it makes sense afterwards. */
  function edit(sql: string): void {
    const db = new DatabaseSync(file());
    db.exec(sql);
    db.close();
  }

  test.each([
    [
      `UPDATE objects SET base = replace(base, 'v1', 'v2') WHERE name = 'reviews-7'`,
      'VirtualService default reviews-7 is not as it was written',
    ],
    [`UPDATE objects SET created_at = '2020-01-01T00:00:00.000Z' WHERE name = 'reviews-7'`, 'reviews-7 is not as it was written'],
    [`UPDATE sources SET applied = '{}' WHERE name = 'reviews-7'`, 'VirtualService default reviews-7 is not as it was written'],
    [`UPDATE events SET event = replace(event, 'v2', 'v3')`, 'the history of default/reviews is not as it was written'],
    ['DELETE FROM events', 'something of the history of releases is lost'],
    [`UPDATE meta SET events_digest = '${'0'.repeat(64)}'`, 'something of it is lost'],
    [`DELETE FROM objects WHERE name = 'reviews-7'`, 'something of it is lost'],
    [`UPDATE objects SET sequence = 1000 WHERE name = 'reviews-7'`, 'reviews-7 is not as it was written'],
    [`DELETE FROM sources WHERE name = 'reviews-7'`, 'something of it is lost'],
    ['UPDATE meta SET revision = revision - 1', 'something of it is lost'],
    ['DELETE FROM meta', 'something of it is lost'],
    ['DROP TABLE sources', 'its tables are not those of perch'],
    ['ALTER TABLE objects DROP COLUMN request', 'its tables are not those of perch'],
  ])('in which every page makes sense, but the content was changed by another: %s', async (sql, reason) => {
    await fill();
    edit(sql);
    const error = errorOf(() => scene.open());
    expect(error).toBeInstanceOf(StoreCorruptError);
    expect(String(error)).toContain(reason);
  });

  test('with any one bit of its content changed: refused, or nothing of the content is different', async () => {
    await fill();
    const store = scene.open();
    const [objects, history] = [await store.list(), await store.history(RELEASE, { limit: 10 })];
    expect(history).toHaveLength(1);
    await store.close();
    const good = readFileSync(file());
    const random = seededRandom(20261122);
    let refused = 0;
    for (let round = 0; round < 300; round += 1) {
      const damaged = Buffer.from(good);
      const at = Math.floor(random() * good.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      writeFileSync(file(), damaged);
      try {
        const opened = scene.open();
        expect(await opened.list(), `bit flipped at ${at}`).toEqual(objects);
        expect(await opened.history(RELEASE, { limit: 10 }), `bit flipped at ${at}`).toEqual(history);
        await opened.close();
      } catch (error) {
        if (!(error instanceof StoreCorruptError || error instanceof StoreVersionError)) throw error;
        expect(readFileSync(file()).equals(damaged), `left as it was, bit flipped at ${at}`).toBe(true);
        refused += 1;
      }
    }
    // What is not refused is space that nothing uses.
    expect(refused).toBeGreaterThan(150);
  });

  test('damaged while it is in use: what is read is as it was written, or refused', async () => {
    await fill();
    const store = scene.open();
    const objects = await store.list();
    writeFileSync(file(), readFileSync(file()).fill(0xff, 4096));
    const read = await store.list().catch((error: unknown) => error);
    if (read instanceof Error) expect(read).toBeInstanceOf(StoreCorruptError);
    else expect(read).toEqual(objects);
  });

  test.each([
    ['empty', () => truncateSync(file(), 0), 'it is empty'],
    ['cut inside its header', () => truncateSync(file(), 50), 'it is cut short'],
    ['a directory', () => [rmSync(file()), mkdirSync(file())], 'it is a directory; move it away'],
  ])('%s: never taken for a new one', async (_how, damage, reason) => {
    await fill();
    damage();
    const error = errorOf(() => scene.open());
    expect([StoreCorruptError, StoreVersionError]).toContain((error as Error).constructor);
    expect(String(error)).toContain(reason);
  });

  test.each([
    ['nothing', ''],
    ['half of it', 'BEGIN; CREATE TABLE meta (id INTEGER)'],
  ])('that was not finished when its first start was killed (%s): made anew', async (_what, sql) => {
    const draft = `${file()}-new`;
    writeFileSync(draft, '');
    const script = `import { DatabaseSync } from 'node:sqlite';
      new DatabaseSync(process.argv[1]).exec('PRAGMA cache_size = 0; ' + process.argv[2]);
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', script, draft, sql], { stdio: 'pipe' })).toThrow();
    const store = scene.open();
    expect(await store.apply('files', [virtualService('v1')])).toMatchObject({ ok: true });
    await store.close();
    expect(await scene.open().list()).toHaveLength(1);
    expect(readdirSync(scene.dataDir).filter((name) => name.includes('new'))).toEqual([]);
  });

  test('damaged before it had its name: that one is named', () => {
    writeFileSync(`${file()}-new`, 'not a database '.repeat(1000));
    expect(() => scene.open()).toThrow(`${file()}-new is damaged (file is not a database)`);
    rmSync(`${file()}-new`);
    scene.open();
  });

  test('gone, while its journal or log is there: not begun anew, and nothing is played into a new one', async () => {
    for (const suffix of ['-journal', '-wal']) {
      await fill();
      writeFileSync(`${file()}${suffix}`, 'what a kill left');
      rmSync(file());
      const error = errorOf(() => scene.open());
      expect(error).toBeInstanceOf(StoreCorruptError);
      expect(String(error)).toContain(`it is gone, and its perch.db${suffix} is there`);
      expect(readdirSync(scene.dataDir)).toEqual([`perch.db${suffix}`]);
      rmSync(`${file()}${suffix}`);
    }
  });

  test('that is a link to a disk that is not there: the link stays', () => {
    const elsewhere = join(scene.dataDir, 'disk');
    symlinkSync(join(elsewhere, 'perch.db'), file());
    const error = errorOf(() => scene.open());
    expect(error).toBeInstanceOf(StoreVersionError);
    expect(String(error)).toContain('it is a link to what is not there; move it away');
    expect(lstatSync(file()).isSymbolicLink()).toBe(true);
  });

  test('another program’s, with changes that wait in a -wal file beside it: neither is touched', () => {
    const db = new DatabaseSync(file());
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE bookmarks (url TEXT); PRAGMA application_id = 1');
    const before = [file(), `${file()}-wal`].map((path) => readFileSync(path));
    scene.atEnd(() => db.close());
    expect(errorOf(() => scene.open())).toBeInstanceOf(StoreVersionError);
    expect([file(), `${file()}-wal`].map((path) => readFileSync(path))).toEqual(before);
  });

  test.each([
    ['that was ended', false],
    ['that was killed, which has all of it in its write-ahead log', true],
  ])('of the first format, of a perch %s: becomes one of this, with everything in it', async (_how, isKilled) => {
    const at = '2026-01-01T00:00:00.000Z';
    const rows = [
      [1, 'VirtualService', 'default', 'reviews', JSON.stringify(virtualService('v1')), at, null],
      [2, 'CanaryRelease', 'default', 'reviews', JSON.stringify(canaryRelease()), at, at],
    ];
    const script = `import { DatabaseSync } from 'node:sqlite';
      const [file, schema, rows, isKilled] = JSON.parse(process.argv[1]);
      const db = new DatabaseSync(file);
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
      db.exec(schema);
      const insert = db.prepare('INSERT INTO objects VALUES (?, ?, ?, ?, ?, NULL, 3, 7, ?, NULL, NULL, ?)');
      for (const row of rows) insert.run(...row);
      if (isKilled) process.kill(process.pid, 'SIGKILL');`;
    const argument = JSON.stringify([file(), FORMAT_1, rows, isKilled]);
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script, argument]);
    expect([signal, readdirSync(scene.dataDir)]).toEqual(isKilled ? ['SIGKILL', ['perch.db', 'perch.db-wal']] : [null, ['perch.db']]);

    const store = scene.open();
    expect(store.revision()).toBe(7);
    expect(await store.get(ROUTES)).toMatchObject({ base: virtualService('v1'), generation: 3, revision: 7, createdAt: at });
    expect(await store.get(RELEASE)).toMatchObject({ deletionRequestedAt: at });
    expect(await store.get(RELEASE)).not.toHaveProperty('deletionRestoresBase');
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await store.close();
    const again = scene.open();
    expect(await again.get(RELEASE)).toMatchObject({ deletionRequestedAt: at, deletionRestoresBase: true });
    await again.close();

    const fresh = join(scene.dataDir, 'fresh');
    await scene.open(fresh).close();
    expect(columnsOf(file())).toEqual(columnsOf(join(fresh, 'perch.db')));
  });

  describe('of format 3, which had no history', () => {
    /** Takes out of a file of this format what came after 3. */
    async function fillAsFormat3(): Promise<void> {
      await fill();
      const db = new DatabaseSync(file());
      addDigestFunctions(db);
      db.exec(`DROP TABLE events; ALTER TABLE meta DROP COLUMN events_digest; ALTER TABLE meta DROP COLUMN rows_digest;
        UPDATE objects SET digest = ${OBJECT_DIGEST_OF_FORMAT_5}; UPDATE meta SET digest = ${STORE_DIGEST_OF_FORMAT_3};
        PRAGMA user_version = 3`);
      db.close();
    }

    test('becomes one of this, with everything in it, and a history from now on', async () => {
      await fillAsFormat3();
      const store = scene.open();
      expect(await store.list()).toHaveLength(61);
      expect(await store.history(RELEASE, { limit: 10 })).toEqual([]);
      await store.postRequest(RELEASE, { id: 'r1', action: 'pause', by: 'ann' });
      await store.close();
      const again = scene.open();
      expect(await again.history(RELEASE, { limit: 10 })).toMatchObject([{ reason: 'Requested', by: 'ann' }]);
      await again.close();
      const fresh = join(scene.dataDir, 'fresh');
      await scene.open(fresh).close();
      expect(columnsOf(file())).toEqual(columnsOf(join(fresh, 'perch.db')));
    });

    test.each([
      `UPDATE meta SET revision = revision - 1`,
      `DELETE FROM sources WHERE name = 'reviews-7'`,
      `UPDATE objects SET base = replace(base, 'v1', 'v2') WHERE name = 'reviews-7'`,
    ])('and damaged: refused and left as it is, not made good by the change of format: %s', async (sql) => {
      await fillAsFormat3();
      edit(sql);
      const damaged = readFileSync(file());
      const error = errorOf(() => scene.open());
      expect(error).toBeInstanceOf(StoreCorruptError);
      expect(String(error)).toContain('something of it is lost');
      expect(readFileSync(file()).equals(damaged)).toBe(true);
    });
  });

  test('of a newer perch: refused and left as it is', async () => {
    await fill();
    const db = new DatabaseSync(file());
    db.exec('PRAGMA user_version = 99');
    db.close();
    const error = errorOf(() => scene.open());
    expect(error).toBeInstanceOf(StoreVersionError);
    expect(String(error)).toContain('99');
    expect(new DatabaseSync(file(), { readOnly: true }).prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  });

  test('of another program: refused and left as it is', () => {
    const db = new DatabaseSync(file());
    db.exec('CREATE TABLE bookmarks (url TEXT)');
    db.close();
    const before = readFileSync(file());
    expect(errorOf(() => scene.open())).toBeInstanceOf(StoreVersionError);
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  test('a data directory that is a file, or cannot be made', () => {
    writeFileSync(join(scene.dataDir, 'occupied'), '');
    for (const directory of [join(scene.dataDir, 'occupied'), join(scene.dataDir, 'occupied', 'below')]) {
      const error = errorOf(() => scene.open(directory));
      expect(error).toBeInstanceOf(StoreWriteError);
      expect(String(error)).toContain(directory);
    }
  });

  test('a data directory that is not there yet is made', async () => {
    const store = scene.open(join(scene.dataDir, 'a', 'b'));
    await store.apply('files', [virtualService('v1')]);
    expect(existsSync(join(scene.dataDir, 'a', 'b', 'perch.db'))).toBe(true);
  });
});

/** The first format, as perch 0.1 wrote it. */
const FORMAT_1 = `
  CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
  INSERT INTO meta (id, revision) VALUES (1, 7);
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
    UNIQUE (kind, namespace, name)
  ) STRICT;
  CREATE TABLE sources (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    applied TEXT NOT NULL,
    PRIMARY KEY (source, kind, namespace, name)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${0x50657263};
  PRAGMA user_version = 1;
`;

/** Every column of every table, with what it may hold; of a database that nobody has open. */
function columnsOf(file: string): unknown {
  const db = new DatabaseSync(file);
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const columns = tables.map(({ name }) => [
    name,
    db.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY name').all(String(name)),
  ]);
  db.close();
  return columns;
}
