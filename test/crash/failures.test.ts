import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, PerchProcess, perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { FREE_PORTS, type Serving } from '../harness/serving.ts';
import { startVersion } from '../harness/version-server.ts';
import { webReleaseYaml } from '../harness/web-manifests.ts';

// What goes wrong around a runtime: its disk, its data, its end. Ports and a second instance: src/cli/serve.test.ts.

let scene: Scene;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  scene = await createScene();
});

afterEach(async () => {
  await scene.close();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A visitor's id in the lowest and one in the highest bucket, whatever the offset: on v2 at every weight, and on v1 below 100 %. */
const [EARLY, LATE] = ['00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff'];

/** Which versions the early and the late visitor get. */
async function versions({ ingress }: Serving): Promise<readonly string[]> {
  return await Promise.all(
    [EARLY, LATE].map(async (id) => (await fetch(ingress, { headers: { accept: 'text/html', cookie: `perch=${id}` } })).text()),
  );
}

async function phaseOf({ server }: Serving): Promise<string> {
  const { stdout } = await perch(['get', 'release', 'web', '-o', 'json', '--server', server]);
  const { phase, step } = JSON.parse(stdout).status ?? {};
  return `${phase} ${step}`;
}

/** Serves a release that waits at its first step, 10 %. */
async function serveRelease(...args: readonly string[]): Promise<Serving> {
  writeFileSync(join(scene.files, 'release.yaml'), webReleaseYaml());
  const served = await scene.serve('-f', scene.files, ...args);
  await expect.poll(() => phaseOf(served), { timeout: 15_000 }).toBe('Paused 0');
  expect(await versions(served)).toEqual(['v2', 'v1']);
  return served;
}

function expectOneLine({ code, stdout, stderr }: Finished, message: RegExp): void {
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).toMatch(message);
}

describe('the end', () => {
  /** Starts a runtime whose v1 begins to answer, and says the rest when the test wants. */
  async function slowScene(): Promise<{ readonly served: Serving; readonly begun: Promise<ServerResponse> }> {
    const { promise: begun, resolve } = Promise.withResolvers<ServerResponse>();
    const slow = await startVersion('slow', (_request, response) => {
      response.write('begun, ');
      resolve(response);
    });
    cleanups.push(() => slow.close());
    const basics = join(scene.files, 'basics.yaml');
    const moved = readFileSync(basics, 'utf8').replace(
      /http: \d+\}, labels: \{version: v1\}/,
      `http: ${slow.port}}, labels: {version: v1}`,
    );
    writeFileSync(basics, moved);
    return { served: await scene.serve('-f', scene.files), begun };
  }

  test.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('%s: a request in flight is answered in full, no new one is taken, exit %i', async (signal, exitCode) => {
    const { served, begun } = await slowScene();
    const answer = await fetch(served.ingress);
    const response = await begun;
    served.process.signal(signal);
    await expect.poll(() => fetch(served.ingress).then(String, () => 'refused')).toBe('refused');
    response.end('done');
    expect(await answer.text()).toBe('begun, done');
    expect(await served.process.exited).toBe(exitCode);
    expect(served.process.stderr).toBe('');
  });

  test('SIGTERM while it starts ends it cleanly too, at any moment', async () => {
    for (const delay of [0, 150, 250, 350, 500]) {
      const starting = new PerchProcess(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]);
      await sleep(delay);
      const code = await starting.stop('SIGTERM');
      // Before Node runs any of our code the signal ends the process by itself: no exit code.
      expect([0, null], `after ${delay} ms: ${starting.stderr}`).toContain(code);
      expect(starting.stderr).toBe('');
    }
    expect(await (await fetch((await scene.serve('-f', scene.files)).ingress)).text()).toBe('v1');
  });

  test('Ctrl-C while the demo starts leaves no directory behind, at any moment', async () => {
    const home = mkdtempSync(join(tmpdir(), 'perch-ctrl-c-'));
    cleanups.push(() => rmSync(home, { recursive: true }));
    const directories = (): readonly string[] => readdirSync(home);
    const ending = async (demo: PerchProcess): Promise<void> => {
      expect([130, null], demo.stderr).toContain(await demo.stop('SIGINT'));
      expect([demo.stderr, directories()]).toEqual(['', []]);
    };
    const start = (): PerchProcess => new PerchProcess(['demo', '--gateway-port', '0', '--api-port', '0'], { TMPDIR: home });
    for (const delay of [200, 350, 500, 650, 800]) {
      const demo = start();
      await sleep(delay);
      await ending(demo);
    }
    const demo = start();
    await expect.poll(directories, { interval: 5, timeout: 20_000 }).toHaveLength(1);
    await ending(demo);
  });
});

describe('data that cannot be used', () => {
  test('damaged: refused with the way out, left as it is; and that way works', async () => {
    const first = await serveRelease();
    await first.process.stop('SIGTERM');
    const file = join(scene.data, 'perch.db');
    const good = readFileSync(file);
    writeFileSync(file, Buffer.from(good).fill(0xff, 4096, 8192));
    const damaged = readFileSync(file);
    expectOneLine(
      await perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]),
      /perch\.db is damaged .*: move it and its -journal file away and start again from your files/,
    );
    expect(readFileSync(file).equals(damaged)).toBe(true);
    rmSync(file);
    const second = await scene.serve('-f', scene.files);
    expect(second.process.stdout).toContain('canaryrelease/web created\n');
    await expect.poll(() => phaseOf(second), { timeout: 15_000 }).toBe('Paused 0');
    expect(await versions(second)).toEqual(['v2', 'v1']);
  });

  test("another program's file: refused, left as it is", async () => {
    mkdirSync(scene.data);
    const file = join(scene.data, 'perch.db');
    writeFileSync(file, 'my notes '.repeat(500));
    expectOneLine(await perch(['serve', ...FREE_PORTS, '--data', scene.data]), /perch\.db/);
    expect(statSync(file).size).toBe(4500);
  });
});

/** Disks that are really full or read-only need a mount, which needs root. */
const mountable = process.platform === 'linux' && process.getuid?.() === 0;
if (!mountable) console.warn('SKIPPED: a runtime on a full or read-only disk. It mounts a small tmpfs: run these tests as root on Linux.');

describe.skipIf(!mountable)('a disk of 1 MiB (mounted: only as root on Linux)', () => {
  const FILLER = 'filler';

  beforeEach(() => {
    mkdirSync(scene.data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'perch-crash', scene.data]);
    // The scene's own clean-up would remove what is on it, but not the mount.
    const { data } = scene;
    const unmount = scene.close;
    scene = {
      ...scene,
      close: async () => {
        execFileSync('umount', ['--lazy', data]);
        await unmount();
      },
    };
  });

  function fillDisk(): void {
    expect(() => writeFileSync(join(scene.data, FILLER), Buffer.alloc(2 * 1024 * 1024))).toThrow('ENOSPC');
  }

  /** A manifest that needs more space than is left. */
  function bigFile(): string {
    const file = join(scene.dir, 'big.yaml');
    const routes = readFileSync(join(scene.files, 'routes.yaml'), 'utf8').replace('subset: v1', 'subset: v2');
    writeFileSync(file, routes.replace('metadata: {name: web}', `metadata: {name: web, annotations: {padding: ${'x'.repeat(300_000)}}}`));
    return file;
  }

  test('full: the apply is refused in one line, traffic and status go on; with space it goes on where it was', async () => {
    const served = await serveRelease();
    const objects = await perch(['get', 'vs', '-o', 'json', '--server', served.server]);
    fillDisk();
    const apply = (): Promise<Finished> => perch(['apply', '-f', bigFile(), '--server', served.server]);
    expectOneLine(await apply(), /cannot write .*perch\.db \(disk full\): nothing was changed; .*free some space/);
    expect(await versions(served)).toEqual(['v2', 'v1']);
    expect(await phaseOf(served)).toBe('Paused 0');
    expect(await perch(['get', 'vs', '-o', 'json', '--server', served.server])).toEqual(objects);
    expect((await fetch(`${served.server}/readyz`)).status).toBe(200);

    rmSync(join(scene.data, FILLER));
    expect((await perch(['promote', 'web', '--server', served.server])).stdout).toBe('web: step 2 of 3, v2 for 50 % of visitors\n');
    expect((await apply()).stdout).toBe('virtualservice/web configured\n');
  });

  test('full when a hold ends: the step stays, one line says why, traffic goes on; with space the release goes on by itself', async () => {
    const release = webReleaseYaml().replace('hold: manual', 'hold: 1500ms');
    writeFileSync(join(scene.files, 'release.yaml'), release);
    const served = await scene.serve('-f', scene.files);
    await expect.poll(() => phaseOf(served), { timeout: 15_000 }).toBe('Progressing 0');
    fillDisk();
    await served.process.until(/disk full/);
    await sleep(1000);
    expect(served.process.stderr.match(/disk full/g), served.process.stderr).toHaveLength(1);
    expect(await phaseOf(served)).toBe('Progressing 0');
    expect(await versions(served)).toEqual(['v2', 'v1']);

    rmSync(join(scene.data, FILLER));
    await expect.poll(() => phaseOf(served), { timeout: 30_000 }).toBe('Progressing 1');
  });

  test('full at a kill: the next start serves all the same, and nothing is lost', async () => {
    const first = await serveRelease();
    const status = async ({ server }: Serving): Promise<unknown> =>
      JSON.parse((await perch(['get', 'release', 'web', '-o', 'json', '--server', server])).stdout).status;
    const before = await status(first);
    fillDisk();
    await first.process.stop('SIGKILL');
    const second = await scene.serve('-f', scene.files);
    expect(second.process.stdout).not.toMatch(/created|configured/);
    expect(await versions(second)).toEqual(['v2', 'v1']);
    expect(await status(second)).toEqual(before);
    expectOneLine(await perch(['apply', '-f', bigFile(), '--server', second.server]), /disk full/);

    await second.process.stop('SIGKILL');
    rmSync(join(scene.data, FILLER));
    const third = await scene.serve('-f', scene.files);
    expect(await versions(third)).toEqual(['v2', 'v1']);
    expect(await status(third)).toEqual(before);
  });

  test('full from the beginning: one line with the remedy', async () => {
    fillDisk();
    expectOneLine(
      await perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]),
      /cannot write .*perch\.db \(disk full\): nothing was changed; .*free some space/,
    );
  });

  test('read-only at the start: one line with the remedy, and nothing is lost', async () => {
    const first = await serveRelease();
    await first.process.stop('SIGTERM');
    execFileSync('mount', ['-o', 'remount,ro', scene.data]);
    expectOneLine(
      await perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]),
      /cannot write .*perch\.db \(read-only\): nothing was changed; make the directory writable/,
    );
    execFileSync('mount', ['-o', 'remount,rw', scene.data]);
    const second = await scene.serve('-f', scene.files);
    expect(await versions(second)).toEqual(['v2', 'v1']);
    expect(await phaseOf(second)).toBe('Paused 0');
  });
});
