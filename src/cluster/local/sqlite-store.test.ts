import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_EVENTS } from '../../core/release/release-event.ts';
import { PROGRESSING } from '../../core/release/status.cases.ts';
import { canaryRelease, STORE_CASES, virtualService } from '../store.cases.ts';
import { StoreLockedError, StoreWriteError } from '../store-errors.ts';
import { HISTORY_CASES } from '../store-history.cases.ts';
import { errorOf, RELEASE, ROUTES, StoreScene } from './store-scene.cases.ts';

let scene: StoreScene;

beforeEach(() => {
  scene = new StoreScene();
});

afterEach(() => scene.close());

describe.each([['in a file'], [':memory:']])('the store port, %s', (place) => {
  test.each([...STORE_CASES, ...HISTORY_CASES])('$name', async ({ run }) => {
    await run(scene.open(place === ':memory:' ? place : scene.dataDir));
  });
});

describe('a restart', () => {
  test('finds objects, views, status, requests, deletions, sources and revision as they were', async () => {
    const store = scene.open();
    await store.apply('files', [virtualService('v1'), canaryRelease()]);
    await store.apply('api', [virtualService('v3')]);
    await store.commit(RELEASE, { status: PROGRESSING, routes: [{ ref: ROUTES, served: virtualService('v2') }] }, store.revision());
    await store.postRequest(RELEASE, { id: 'r1', action: 'pause', by: 'ann' });
    await store.requestDeletion(RELEASE);
    const [objects, revision] = [await store.list(), store.revision()];
    await store.close();

    const again = scene.open();
    expect(await again.list()).toEqual(objects);
    expect(again.revision()).toBe(revision);
    expect(again.servedRevision()).toBe(0);
    const repeated = await again.apply('files', [virtualService('v1')]);
    expect(repeated).toMatchObject({ ok: true, outcomes: [{ result: 'unchanged' }] });
    await again.apply('files', [virtualService('v4')]);
    expect(again.revision()).toBe(revision + 1);
  });

  test('finds what a source applied although nothing else changed by it', async () => {
    const store = scene.open();
    await store.apply('files', [virtualService('v1')]);
    await store.apply('api', [virtualService('v1')]);
    await store.close();
    expect(await scene.open().apply('api', [], { prune: true })).toMatchObject({ ok: true, outcomes: [{ ref: ROUTES, result: 'pruned' }] });
  });

  test('revisions go on after an object that had the last one was deleted', async () => {
    const store = scene.open();
    await store.apply('files', [virtualService('v1')]);
    await store.requestDeletion(ROUTES);
    const revision = store.revision();
    await store.close();
    expect(scene.open().revision()).toBe(revision);
  });
});

test('a write that fails in the middle is undone, and the next one works', async () => {
  const store = scene.open();
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
   * Writes one number into base, served view, status and history at once, over and over, and prints each number once its write is durable:
   * whatever the moment of death, the four agree, nothing that was printed is lost, and nothing is in the history twice.
   */
  const WRITER = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    import { runtimeAdmission } from ${JSON.stringify(new URL('../admission.ts', import.meta.url).href)};
    const [dataDir, release, routes, status, object] = JSON.parse(process.argv[1]);
    const onListenerError = (error) => { throw error; };
    const store = openSqliteStore({ dataDir, now: Date.now, admission: runtimeAdmission, onListenerError });
    for (let n = (await store.get(release)).status.step + 1; ; n += 1) {
      const woven = { ...object, metadata: { ...object.metadata, labels: { n: String(n), padding: 'x'.repeat(20000) } } };
      const event = { at: new Date().toISOString(), type: 'Normal', reason: 'StepStarted', message: String(n) };
      const change = { status: { ...status, step: n }, events: [event], routes: [{ ref: routes, served: woven, base: woven }] };
      if (!(await store.commit(release, change, store.revision()))) throw new Error('commit refused');
      process.stdout.write(n + '\\n');
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }`;

  test('at any moment leaves all of a write or nothing of it, and nothing confirmed is lost', async () => {
    const first = scene.open();
    await first.apply('files', [virtualService('v1'), canaryRelease()]);
    await first.commit(
      RELEASE,
      { status: PROGRESSING, routes: [{ ref: ROUTES, served: numbered(0), base: numbered(0) }] },
      first.revision(),
    );
    await first.close();
    let confirmed = 0;
    for (let round = 0; round < 15; round += 1) {
      const argument = JSON.stringify([scene.dataDir, RELEASE, ROUTES, PROGRESSING, virtualService('v1')]);
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

      const store = scene.open();
      const [release, routes] = [await store.get(RELEASE), await store.get(ROUTES)];
      const numbers = [release?.status?.step, Number(routes?.base.metadata.labels?.['n']), Number(routes?.served.metadata.labels?.['n'])];
      expect(new Set(numbers).size).toBe(1);
      expect(numbers[0]).toBeGreaterThanOrEqual(confirmed);
      const told = (await store.history(RELEASE, { limit: MAX_EVENTS })).filter(({ reason }) => reason === 'StepStarted');
      expect(told.map(({ message }) => Number(message))).toEqual(told.map((_, index) => Number(numbers[0]) - index));
      expect(told.length).toBe(Math.min(Number(numbers[0]), MAX_EVENTS));
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
    const store = scene.open();
    const error = errorOf(() => scene.open());
    expect(error).toBeInstanceOf(StoreLockedError);
    const who = process.platform === 'linux' ? `another perch (process ${process.pid})` : 'another perch';
    expect(String(error)).toContain(`${who} uses ${scene.dataDir}`);
    expect(await store.apply('files', [virtualService('v1')])).toMatchObject({ ok: true });
    await store.close();
    expect(await scene.open().list()).toHaveLength(1);
  });

  test('in another process is refused too', () => {
    scene.open();
    const script = `
      import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
      try { openSqliteStore({ dataDir: process.argv[1], now: Date.now }); console.log('opened'); } catch (error) { console.log(error.name, error.code); }`;
    const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script, scene.dataDir];
    expect(execFileSync(process.execPath, options, { encoding: 'utf8' }).trim()).toBe('StoreLockedError PERCH4060');
  });
});

/** Disks that are really full and really read-only need a mount, which needs root. */
const mountable = process.platform === 'linux' && process.getuid?.() === 0;
if (!mountable) console.warn('SKIPPED: full and read-only disks. They mount a small tmpfs: run these tests as root on Linux.');

describe.skipIf(!mountable)('a disk of 1 MiB', () => {
  let disk: string;

  beforeEach(() => {
    disk = join(scene.dataDir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'perch-test', disk]);
    scene.atEnd(() => execFileSync('umount', [disk]));
  });

  test('full: the write fails whole, reads go on, and once there is space writes do too', async () => {
    const store = scene.open(disk);
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
    expect(await scene.open(disk).get(ROUTES)).toMatchObject({ base: { metadata: { labels: big.metadata.labels } } });
  });

  test('full at the start: nothing is opened', () => {
    fillDisk();
    expect(errorOf(() => scene.open(disk))).toBeInstanceOf(StoreWriteError);
  });

  test('read-only: refused with the reason', async () => {
    const store = scene.open(disk);
    await store.apply('files', [virtualService('v1')]);
    await store.close();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const error = errorOf(() => scene.open(disk));
    expect(error).toBeInstanceOf(StoreWriteError);
    expect(String(error)).toContain(`cannot write ${join(disk, 'perch.db')} (read-only)`);
  });

  function fillDisk(): void {
    const filled = errorOf(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(2 * 1024 * 1024)));
    expect(filled).toMatchObject({ code: 'ENOSPC' });
  }
});
