import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../test/harness/seeded-random.ts';
import { PROGRESSING } from '../../core/release/status.cases.ts';
import { runtimeAdmission } from '../admission.ts';
import { canaryRelease, STORE_CASES, virtualService } from '../store.cases.ts';
import type { Store } from '../store.ts';
import { StoreCorruptError, StoreLockedError, StoreVersionError, StoreWriteError } from '../store-errors.ts';
import { openSqliteStore } from './sqlite-store.ts';

const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const ROUTES = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

let dataDir: string;
const cleanups: (() => unknown)[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'perch-store-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(directory = dataDir): Store {
  const onListenerError = (error: unknown): void => {
    throw error;
  };
  const store = openSqliteStore({ dataDir: directory, now: Date.now, admission: runtimeAdmission, onListenerError });
  cleanups.push(() => store.close());
  return store;
}

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each([['in a file'], [':memory:']])('the store port, %s', (place) => {
  test.each(STORE_CASES)('$name', async ({ run }) => {
    await run(open(place === ':memory:' ? place : dataDir));
  });
});

describe('a restart', () => {
  test('finds objects, views, status, requests, deletions, sources and revision as they were', async () => {
    const store = open();
    await store.apply('files', [virtualService('v1'), canaryRelease()]);
    await store.apply('api', [virtualService('v3')]);
    await store.commit(RELEASE, { status: PROGRESSING, routes: [{ ref: ROUTES, served: virtualService('v2') }] }, store.revision());
    await store.postRequest(RELEASE, { id: 'r1', action: 'pause', by: 'ann' });
    await store.requestDeletion(RELEASE);
    const [objects, revision] = [await store.list(), store.revision()];
    await store.close();

    const again = open();
    expect(await again.list()).toEqual(objects);
    expect(again.revision()).toBe(revision);
    expect(again.servedRevision()).toBe(0);
    const repeated = await again.apply('files', [virtualService('v1')]);
    expect(repeated).toMatchObject({ ok: true, outcomes: [{ result: 'unchanged' }] });
    await again.apply('files', [virtualService('v4')]);
    expect(again.revision()).toBe(revision + 1);
  });

  test('finds what a source applied although nothing else changed by it', async () => {
    const store = open();
    await store.apply('files', [virtualService('v1')]);
    await store.apply('api', [virtualService('v1')]);
    await store.close();
    expect(await open().apply('api', [], { prune: true })).toMatchObject({ ok: true, outcomes: [{ ref: ROUTES, result: 'pruned' }] });
  });

  test('revisions go on after an object that had the last one was deleted', async () => {
    const store = open();
    await store.apply('files', [virtualService('v1')]);
    await store.requestDeletion(ROUTES);
    const revision = store.revision();
    await store.close();
    expect(open().revision()).toBe(revision);
  });
});

test('a write that fails in the middle is undone, and the next one works', async () => {
  const store = open();
  await store.apply('files', [virtualService('v1'), canaryRelease()]);
  const [objects, revision] = [await store.list(), store.revision()];
  const unwritable = { ...PROGRESSING, message: 1n as unknown as string };
  const routes = [{ ref: ROUTES, served: virtualService('v2') }];
  await expect(store.commit(RELEASE, { routes, status: unwritable }, revision)).rejects.toThrow(/BigInt/);
  expect([await store.list(), store.revision()]).toEqual([objects, revision]);
  expect(await store.commit(RELEASE, { routes, status: PROGRESSING }, revision)).toBe(true);
});

describe('kill -9', () => {
  /**
   * Writes one number into base, served view and status at once, over and over, and prints each number once its write is durable:
   * whatever the moment of death, the three agree and nothing that was printed is lost.
   */
  const WRITER = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    import { runtimeAdmission } from ${JSON.stringify(new URL('../admission.ts', import.meta.url).href)};
    const [dataDir, release, routes, status, object] = JSON.parse(process.argv[1]);
    const onListenerError = (error) => { throw error; };
    const store = openSqliteStore({ dataDir, now: Date.now, admission: runtimeAdmission, onListenerError });
    for (let n = (await store.get(release)).status.step + 1; ; n += 1) {
      const woven = { ...object, metadata: { ...object.metadata, labels: { n: String(n), padding: 'x'.repeat(20000) } } };
      const change = { status: { ...status, step: n }, routes: [{ ref: routes, served: woven, base: woven }] };
      if (!(await store.commit(release, change, store.revision()))) throw new Error('commit refused');
      process.stdout.write(n + '\\n');
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }`;

  test('at any moment leaves all of a write or nothing of it, and nothing confirmed is lost', async () => {
    const first = open();
    await first.apply('files', [virtualService('v1'), canaryRelease()]);
    await first.commit(
      RELEASE,
      { status: PROGRESSING, routes: [{ ref: ROUTES, served: numbered(0), base: numbered(0) }] },
      first.revision(),
    );
    await first.close();
    let confirmed = 0;
    for (let round = 0; round < 15; round += 1) {
      const argument = JSON.stringify([dataDir, RELEASE, ROUTES, PROGRESSING, virtualService('v1')]);
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', WRITER, argument], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const lines = createInterface({ input: child.stdout });
      const ended = once(lines, 'close');
      lines.on('line', (line) => {
        confirmed = Number(line);
      });
      await once(lines, 'line');
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 40));
      child.kill('SIGKILL');
      await Promise.all([exited, ended]);
      expect(child.signalCode).toBe('SIGKILL');

      const store = open();
      const [release, routes] = [await store.get(RELEASE), await store.get(ROUTES)];
      const numbers = [release?.status?.step, Number(routes?.base.metadata.labels?.['n']), Number(routes?.served.metadata.labels?.['n'])];
      expect(new Set(numbers).size).toBe(1);
      expect(numbers[0]).toBeGreaterThanOrEqual(confirmed);
      expect([release?.revision, routes?.revision]).toEqual([store.revision(), store.revision()]);
      await store.close();
    }
    expect(confirmed).toBeGreaterThan(15);
  });

  function numbered(n: number) {
    return { ...virtualService('v1'), metadata: { name: 'reviews', labels: { n: String(n) } } };
  }
});

describe('a second instance', () => {
  test('on the same directory is refused, and the first goes on', async () => {
    const store = open();
    const error = errorOf(() => open());
    expect(error).toBeInstanceOf(StoreLockedError);
    const who = process.platform === 'linux' ? `another perch (process ${process.pid})` : 'another perch';
    expect(String(error)).toContain(`${who} uses ${dataDir}`);
    expect(await store.apply('files', [virtualService('v1')])).toMatchObject({ ok: true });
    await store.close();
    expect(await open().list()).toHaveLength(1);
  });

  test('in another process is refused too', () => {
    open();
    const script = `
      import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
      try { openSqliteStore({ dataDir: process.argv[1], now: Date.now }); console.log('opened'); } catch (error) { console.log(error.name, error.code); }`;
    const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script, dataDir];
    expect(execFileSync(process.execPath, options, { encoding: 'utf8' }).trim()).toBe('StoreLockedError PERCH4060');
  });
});

describe('a file that cannot be used', () => {
  const file = (): string => join(dataDir, 'perch.db');

  async function fill(): Promise<void> {
    const store = open();
    const names = Array.from({ length: 60 }, (_, index) => `reviews-${index}`);
    await store.apply(
      'files',
      names.map((name) => virtualService('v1', name)),
    );
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
    const error = errorOf(() => open());
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
    [`DELETE FROM objects WHERE name = 'reviews-7'`, 'something of it is lost'],
    [`DELETE FROM sources WHERE name = 'reviews-7'`, 'something of it is lost'],
    ['UPDATE meta SET revision = revision - 1', 'something of it is lost'],
    ['DELETE FROM meta', 'something of it is lost'],
    ['DROP TABLE sources', 'its tables are not those of perch'],
    ['ALTER TABLE objects DROP COLUMN request', 'its tables are not those of perch'],
  ])('in which every page makes sense, but the content was changed by another: %s', async (sql, reason) => {
    await fill();
    edit(sql);
    const error = errorOf(() => open());
    expect(error).toBeInstanceOf(StoreCorruptError);
    expect(String(error)).toContain(reason);
  });

  test('with any one bit of its content changed: refused, or nothing of the content is different', async () => {
    await fill();
    const store = open();
    const objects = await store.list();
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
        const opened = open();
        expect(await opened.list(), `bit flipped at ${at}`).toEqual(objects);
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
    const store = open();
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
    const error = errorOf(() => open());
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
    const store = open();
    expect(await store.apply('files', [virtualService('v1')])).toMatchObject({ ok: true });
    await store.close();
    expect(await open().list()).toHaveLength(1);
    expect(readdirSync(dataDir).filter((name) => name.includes('new'))).toEqual([]);
  });

  test('another program’s, with changes that wait in a -wal file beside it: neither is touched', () => {
    const db = new DatabaseSync(file());
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE bookmarks (url TEXT); PRAGMA application_id = 1');
    const before = [file(), `${file()}-wal`].map((path) => readFileSync(path));
    cleanups.push(() => db.close());
    expect(errorOf(() => open())).toBeInstanceOf(StoreVersionError);
    expect([file(), `${file()}-wal`].map((path) => readFileSync(path))).toEqual(before);
  });

  test('of the format before becomes one of this, with everything in it', async () => {
    const old = new DatabaseSync(file());
    old.exec(FORMAT_1);
    const insert = old.prepare('INSERT INTO objects VALUES (?, ?, ?, ?, ?, NULL, 3, 7, ?, NULL, NULL, ?)');
    const at = '2026-01-01T00:00:00.000Z';
    insert.run(1, 'VirtualService', 'default', 'reviews', JSON.stringify(virtualService('v1')), at, null);
    insert.run(2, 'CanaryRelease', 'default', 'reviews', JSON.stringify(canaryRelease()), at, at);
    old.close();

    const store = open();
    expect(store.revision()).toBe(7);
    expect(await store.get(ROUTES)).toMatchObject({ base: virtualService('v1'), generation: 3, revision: 7, createdAt: at });
    expect(await store.get(RELEASE)).toMatchObject({ deletionRequestedAt: at });
    expect(await store.get(RELEASE)).not.toHaveProperty('deletionRestoresBase');
    await store.requestDeletion(RELEASE, { restoreBase: true });
    await store.close();
    const again = open();
    expect(await again.get(RELEASE)).toMatchObject({ deletionRequestedAt: at, deletionRestoresBase: true });
    await again.close();

    const fresh = join(dataDir, 'fresh');
    await open(fresh).close();
    expect(columnsOf(file())).toEqual(columnsOf(join(fresh, 'perch.db')));
  });

  test('of a newer perch: refused and left as it is', async () => {
    await fill();
    const db = new DatabaseSync(file());
    db.exec('PRAGMA user_version = 99');
    db.close();
    const error = errorOf(() => open());
    expect(error).toBeInstanceOf(StoreVersionError);
    expect(String(error)).toContain('99');
    expect(new DatabaseSync(file(), { readOnly: true }).prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  });

  test('of another program: refused and left as it is', () => {
    const db = new DatabaseSync(file());
    db.exec('CREATE TABLE bookmarks (url TEXT)');
    db.close();
    const before = readFileSync(file());
    expect(errorOf(() => open())).toBeInstanceOf(StoreVersionError);
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  test('a data directory that is a file, or cannot be made', () => {
    writeFileSync(join(dataDir, 'occupied'), '');
    for (const directory of [join(dataDir, 'occupied'), join(dataDir, 'occupied', 'below')]) {
      const error = errorOf(() => open(directory));
      expect(error).toBeInstanceOf(StoreWriteError);
      expect(String(error)).toContain(directory);
    }
  });

  test('a data directory that is not there yet is made', async () => {
    const store = open(join(dataDir, 'a', 'b'));
    await store.apply('files', [virtualService('v1')]);
    expect(existsSync(join(dataDir, 'a', 'b', 'perch.db'))).toBe(true);
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

/** Disks that are really full and really read-only need a mount, which needs root. */
const mountable = process.platform === 'linux' && process.getuid?.() === 0;
if (!mountable) console.warn('SKIPPED: full and read-only disks. They mount a small tmpfs: run these tests as root on Linux.');

describe.skipIf(!mountable)('a disk of 1 MiB', () => {
  let disk: string;

  beforeEach(() => {
    disk = join(dataDir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'perch-test', disk]);
    cleanups.push(() => execFileSync('umount', [disk]));
  });

  test('full: the write fails whole, reads go on, and once there is space writes do too', async () => {
    const store = open(disk);
    await store.apply('files', [virtualService('v1'), canaryRelease()]);
    await store.commit(RELEASE, { status: PROGRESSING }, store.revision());
    const [objects, revision] = [await store.list(), store.revision()];
    const stop = store.watch(() => expect.fail('nothing was written'));
    fillDisk();
    const big = { ...virtualService('v2'), metadata: { name: 'reviews', labels: { padding: 'x'.repeat(300_000) } } };
    await expect(store.apply('files', [big])).rejects.toBeInstanceOf(StoreWriteError);
    await expect(store.apply('files', [big])).rejects.toThrow(/disk full.*nothing was changed/);
    expect(await store.list()).toEqual(objects);
    expect(store.revision()).toBe(revision);
    stop();
    rmSync(join(disk, 'filler'));
    expect(await store.apply('files', [big])).toMatchObject({ ok: true, revision: revision + 1 });
    await store.close();
    expect(await open(disk).get(ROUTES)).toMatchObject({ base: { metadata: { labels: big.metadata.labels } } });
  });

  test('full at the start: nothing is opened', () => {
    fillDisk();
    expect(errorOf(() => open(disk))).toBeInstanceOf(StoreWriteError);
  });

  test('read-only: refused with the reason', async () => {
    const store = open(disk);
    await store.apply('files', [virtualService('v1')]);
    await store.close();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const error = errorOf(() => open(disk));
    expect(error).toBeInstanceOf(StoreWriteError);
    expect(String(error)).toContain(`cannot write ${join(disk, 'perch.db')} (read-only)`);
  });

  function fillDisk(): void {
    const filled = errorOf(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(2 * 1024 * 1024)));
    expect(filled).toMatchObject({ code: 'ENOSPC' });
  }
});
