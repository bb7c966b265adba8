import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { FREE_PORTS, type Serving } from '../harness/serving.ts';
import { webReleaseYaml } from '../harness/web-manifests.ts';
import { expectOneLine, statusOf, untilPhase, versionsSeen } from './release-scene.ts';

// Data that another process holds, that is damaged, or that is not Perch's. What the store does about each bit: src/cluster/local.

let scene: Scene;

beforeEach(async () => {
  scene = await createScene();
});

afterEach(() => scene.close());

const file = (): string => join(scene.data, 'perch.db');

/** Every file of the data directory and what is in it. */
function content(): Readonly<Record<string, string>> {
  const entries = readdirSync(scene.data, { withFileTypes: true });
  return Object.fromEntries(entries.map((entry) => [entry.name, entry.isFile() ? readFileSync(join(scene.data, entry.name), 'hex') : '']));
}

/** Serves a release that waits at its second step, 50 %. */
async function serveRelease(): Promise<Serving> {
  writeFileSync(join(scene.files, 'release.yaml'), webReleaseYaml());
  const served = await scene.serve('-f', scene.files);
  await untilPhase(served, 'Paused 0');
  await perch(['promote', 'web', '--server', served.server]);
  await untilPhase(served, 'Progressing 1');
  return served;
}

const start = () => perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]);

describe('a second instance on the same data', () => {
  test('is refused in one line that names the first, which goes on; after a kill -9 of the first nothing is in the way', async () => {
    const first = await serveRelease();
    const before = await statusOf(first);
    const who = process.platform === 'linux' ? ` \\(process ${first.process.pid}\\)` : '';
    for (let again = 0; again < 2; again++) {
      expectOneLine(
        await start(),
        new RegExp(`^error: another perch${who} uses ${scene.data}: stop it, or choose another directory with --data\n$`),
      );
    }
    expect([await statusOf(first), await versionsSeen(first)]).toEqual([before, ['v2', 'v1']]);

    await first.process.stop('SIGKILL');
    const second = await scene.serve('-f', scene.files);
    expect([await statusOf(second), await versionsSeen(second)]).toEqual([before, ['v2', 'v1']]);
  });

  test('two that start at the same moment on a new directory: one serves, the other is refused', async () => {
    for (let round = 0; round < 3; round++) {
      const data = join(scene.dir, `data-${round}`);
      const [one, other] = await Promise.allSettled([scene.serve('--data', data), scene.serve('--data', data)]);
      const winners = [one, other].flatMap((result) => (result?.status === 'fulfilled' ? [result.value] : []));
      expect(winners).toHaveLength(1);
      const loser = [one, other].find((result) => result?.status === 'rejected') as PromiseRejectedResult;
      expect(String(loser.reason)).toContain('another perch');
      await winners[0]?.process.stop('SIGKILL');
    }
  });
});

describe('data that cannot be used', () => {
  /** The data of a release at its second step, ended cleanly. */
  let good: string;

  beforeAll(async () => {
    scene = await createScene();
    good = mkdtempSync(join(tmpdir(), 'perch-good-'));
    await (await serveRelease()).process.stop('SIGTERM');
    cpSync(scene.data, good, { recursive: true });
    await scene.close();
  });

  afterAll(() => rmSync(good, { recursive: true }));

  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 167 + 13) % 256));

  /** Overwrites a part of the file. */
  function overwrite(from: number, bytes: Buffer): void {
    const damaged = readFileSync(file());
    bytes.copy(damaged, from);
    writeFileSync(file(), damaged);
  }

  const DAMAGED =
    /perch\.db is damaged \([^)]+\): move it and its -journal file away and start again from your files; how far releases had come is forgotten then/;
  const NOT_OURS = /perch\.db cannot be used: .*move it away, or choose another directory with --data/;

  test.each<[string, () => void, RegExp]>([
    ['cut in the middle', () => truncateSync(file(), 8192), DAMAGED],
    ['cut short by some bytes', () => truncateSync(file(), readFileSync(file()).length - 1000), DAMAGED],
    ['cut inside its header', () => truncateSync(file(), 50), DAMAGED],
    ['of no bytes', () => truncateSync(file(), 0), DAMAGED],
    ['with random bytes for a header', () => overwrite(0, noise(100)), DAMAGED],
    ['with random bytes in its header', () => overwrite(20, noise(80)), NOT_OURS],
    ['with random bytes in its first page', () => overwrite(100, noise(3000)), DAMAGED],
    ['with random bytes in its pages', () => overwrite(12_288, noise(12_288)), DAMAGED],
    ['with another version in a route', () => overwrite(readFileSync(file()).lastIndexOf('"subset":"v1"') + 11, Buffer.from('2')), DAMAGED],
    ['of text', () => writeFileSync(file(), 'my notes '.repeat(500)), DAMAGED],
    ['that is a directory', () => [rmSync(file()), mkdirSync(file())], NOT_OURS],
    ['of another program', () => [rmSync(file()), sql('CREATE TABLE notes (text TEXT)')], NOT_OURS],
    ['of a newer perch', () => sql('PRAGMA user_version = 99'), NOT_OURS],
  ])('a file %s: one line, and nothing is touched', async (_what, damage, message) => {
    cpSync(good, scene.data, { recursive: true });
    damage();
    const damaged = content();
    expectOneLine(await start(), message);
    expect(content()).toEqual(damaged);
  });

  function sql(statement: string): void {
    const db = new DatabaseSync(file());
    db.exec(statement);
    db.close();
  }

  test('a journal that is damaged or cut takes nothing with it', async () => {
    const first = await serveRelease();
    const before = await statusOf(first);
    await first.process.stop('SIGKILL');
    for (const damage of [
      (path: string) => writeFileSync(path, noise(9000)),
      (path: string) => truncateSync(path, readFileSync(path).length / 2),
      (path: string) => rmSync(path),
    ]) {
      const journal = `${file()}-journal`;
      writeFileSync(journal, content()['perch.db-journal'] === undefined ? noise(5000) : readFileSync(journal));
      damage(journal);
      const again = await scene.serve('-f', scene.files);
      expect([await statusOf(again), await versionsSeen(again)]).toEqual([before, ['v2', 'v1']]);
      await again.process.stop('SIGKILL');
    }
  });

  test('damaged while it is in use: traffic goes on, nothing wrong is served, and the next start refuses it', async () => {
    const served = await serveRelease();
    overwrite(4096, noise(readFileSync(file()).length - 4096));
    expect(await versionsSeen(served)).toEqual(['v2', 'v1']);
    // What needs the data either works, since it is in memory, or says what is wrong in one line.
    const { code, stderr } = await perch(['get', 'release', 'web', '--server', served.server]);
    if (code !== 0) expect(stderr).toMatch(/^error: [^\n]*perch\.db is damaged [^\n]*\n$/);
    await served.process.stop('SIGKILL');
    expectOneLine(await start(), DAMAGED);
  });
});

describe('the way out of damage: the file moved away, and a start from the files', () => {
  /** As the error says. */
  async function moveAway(served: Serving): Promise<void> {
    await served.process.stop('SIGKILL');
    truncateSync(file(), 8192);
    const [, advice] =
      /damaged \([^)]+\): (move it and its -journal file away and start again from your files)/.exec((await start()).stderr) ?? [];
    expect(advice).toBeDefined();
    renameSync(file(), join(scene.dir, 'perch.db.damaged'));
    rmSync(`${file()}-journal`, { force: true });
  }

  test('a release that was under way begins anew, for the same visitors first', async () => {
    const first = await serveRelease();
    const before = await statusOf(first);
    await moveAway(first);
    const second = await scene.serve('-f', scene.files);
    expect(second.process.stdout).toContain('canaryrelease/web created\n');
    await untilPhase(second, 'Paused 0');
    expect(await versionsSeen(second)).toEqual(['v2', 'v1']);
    expect(await statusOf(second)).toMatchObject({ weight: 10, offset: before?.offset, liveVersion: { subset: 'v1' } });
  });

  test('where the files say that the canary is live, it stays so: traffic never moves backwards', async () => {
    const first = await serveRelease();
    for (const phase of ['Paused 2', 'Succeeded 2']) {
      await perch(['promote', 'web', '--server', first.server]);
      await untilPhase(first, phase);
    }
    expect(await versionsSeen(first)).toEqual(['v2', 'v2']);
    await moveAway(first);
    const routes = join(scene.files, 'routes.yaml');
    writeFileSync(routes, readFileSync(routes, 'utf8').replace('subset: v1', 'subset: v2'));
    const second = await scene.serve('-f', scene.files);
    await untilPhase(second, 'Succeeded -1');
    expect(await versionsSeen(second)).toEqual(['v2', 'v2']);
  });
});
