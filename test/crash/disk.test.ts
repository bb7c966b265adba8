import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, PerchProcess, perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { FREE_PORTS, type Serving, startServing } from '../harness/serving.ts';
import { webReleaseYaml } from '../harness/web-manifests.ts';
import { expectOneLine, phaseOf, statusOf, untilPhase, versionsSeen } from './release-scene.ts';
import { breakExt4, ext4, mountSmallDisk, type SmallDisk, tmpfs, whyNotMountable } from './small-disk.ts';

// A data directory on a disk that is full or takes no more writes, for real: a small one in a mount namespace.

let scene: Scene;
let disk: SmallDisk;
const running: PerchProcess[] = [];

beforeEach(async () => {
  scene = await createScene();
  mkdirSync(scene.data);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.stop('SIGKILL')));
  await disk.close();
  await scene.close();
});

/** Serves the scene's files with the data on the disk. */
function serve(): Promise<Serving> {
  return startServing(['--data', scene.data, '-f', scene.files], (process) => running.push(process), disk.within);
}

/** Tries to, where it is expected to end by itself. */
async function tryServe(): Promise<Finished> {
  const process = new PerchProcess(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files], {}, disk.within);
  running.push(process);
  const code = await process.exited;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** So large that every step needs more space than a full disk can have left. */
const PADDING = `, annotations: {padding: ${'x'.repeat(150_000)}}}`;

/** Serves a release that waits at its first step, 10 %. */
async function serveRelease(release = webReleaseYaml()): Promise<Serving> {
  const routes = join(scene.files, 'routes.yaml');
  writeFileSync(routes, readFileSync(routes, 'utf8').replace('metadata: {name: web}', `metadata: {name: web${PADDING}`));
  writeFileSync(join(scene.files, 'release.yaml'), release);
  return await serve();
}

/** Other routes, for `perch apply`. */
function changedRoutes(): string {
  const file = join(scene.dir, 'changed.yaml');
  writeFileSync(file, readFileSync(join(scene.files, 'routes.yaml'), 'utf8').replace('name: all', 'name: everything'));
  return file;
}

const apply = (served: Serving): Promise<Finished> => perch(['apply', '-f', changedRoutes(), '--server', served.server]);
const promote = (served: Serving): Promise<Finished> => perch(['promote', 'web', '--server', served.server]);
const routesServed = (served: Serving): Promise<Finished> => perch(['get', 'vs', '-o', 'json', '--server', served.server]);

/** A suite that is skipped only with the reason in its name, which tools/test.ts prints, and counts as failed in `npm run test:all`. */
function describeMounted(name: string, why: string | undefined, suite: () => void): void {
  if (why === undefined) describe(name, suite);
  else describe.skip(`${name} (cannot be mounted here: ${why})`, () => test('on a real disk', () => {}));
}

describeMounted('a full disk', whyNotMountable('mount -t tmpfs perch-test /mnt'), () => {
  beforeEach(async () => {
    disk = await mountSmallDisk(scene.data, tmpfs(scene.data, 2));
  });

  test('apply and promote are refused in one line each; traffic and status go on; with space so do they', async () => {
    const served = await serveRelease();
    await untilPhase(served, 'Paused 0');
    const [status, routes] = [await statusOf(served), await routesServed(served)];
    disk.fill();
    const cannot = 'cannot write \\S+/perch\\.db \\(disk full\\): nothing was changed; free some space \\(PERCH4062\\)';
    expectOneLine(await apply(served), new RegExp(`^error: ${cannot}\n`));
    expectOneLine(await promote(served), new RegExp(`^error: promote is asked for and happens as soon as it can: ${cannot}\n`));
    expect(await versionsSeen(served)).toEqual(['v2', 'v1']);
    expect([await statusOf(served), await routesServed(served)]).toEqual([status, routes]);
    expect((await fetch(`${served.server}/readyz`)).status).toBe(200);

    disk.empty();
    // What was asked for happens now, by itself and once.
    await untilPhase(served, 'Progressing 1');
    expect((await statusOf(served))?.lastRequest).toMatchObject({ action: 'promote', outcome: 'done' });
    expect((await apply(served)).stdout).toBe('virtualservice/web configured\n');
    expect(await phaseOf(served)).toBe('Progressing 1');
  });

  test('when a hold ends: the step stays, one line says why; with space the release goes on by itself', async () => {
    const served = await serveRelease(webReleaseYaml().replace('hold: manual', 'hold: 4s'));
    await untilPhase(served, 'Progressing 0');
    await expect.poll(async () => (await statusOf(served))?.holdUntil).toBeDefined();
    const before = await statusOf(served);
    disk.fill();
    await served.process.until(/disk full/);
    // Long enough for several more tries.
    await sleep(2500);
    const lines = served.process.stderr.split('\n').filter((line) => line.includes('disk full'));
    expect(lines, served.process.stderr).toHaveLength(1);
    expect(lines[0]).toMatch(/^error: default\/web: cannot write .*free some space; trying again, traffic stays as it is$/);
    expect(await statusOf(served)).toEqual(before);
    expect(await versionsSeen(served)).toEqual(['v2', 'v1']);

    disk.empty();
    await untilPhase(served, 'Progressing 1');
    expect(served.process.stderr).not.toMatch(/error:(.|\n)*error:/);
  });

  test('at a kill: the next start serves all the same, and nothing is lost', async () => {
    const first = await serveRelease();
    await untilPhase(first, 'Paused 0');
    const [status, routes] = [await statusOf(first), await routesServed(first)];
    disk.fill();
    await first.process.stop('SIGKILL');
    const second = await serve();
    expect(second.process.stdout).not.toMatch(/created|configured/);
    expect(await versionsSeen(second)).toEqual(['v2', 'v1']);
    expect([await statusOf(second), await routesServed(second)]).toEqual([status, routes]);
    expectOneLine(await apply(second), /disk full/);

    await second.process.stop('SIGKILL');
    disk.empty();
    const third = await serve();
    expect(await versionsSeen(third)).toEqual(['v2', 'v1']);
    expect([await statusOf(third), await routesServed(third)]).toEqual([status, routes]);
  });

  test('with the log on it too: traffic goes on, and the log once there is space', async () => {
    const log = (): string => readFileSync(disk.path('log'), 'utf8');
    const toLog = [...disk.within, 'sh', '-c', `exec "$@" >> '${scene.data}/log' 2>&1`, 'sh'];
    const process = new PerchProcess(['serve', ...FREE_PORTS, '--access-log', '--data', scene.data, '-f', scene.files], {}, toLog);
    running.push(process);
    await expect.poll(() => log().includes(' proxy '), { timeout: 20_000 }).toBe(true);
    const ingress = / ingress +(http:\S+)/.exec(log())?.[1] ?? '';
    disk.fill();
    // More than fits into what the log's last block has left.
    for (let n = 0; n < 40; n++) expect(await (await fetch(`${ingress}/${n}`)).text()).toBe('v1');
    expect(log()).not.toContain('/39');
    disk.empty();
    await fetch(`${ingress}/again`);
    await expect.poll(() => log().includes('/again')).toBe(true);
    expect(await process.stop('SIGTERM')).toBe(0);
  });

  test('from the beginning: one line with the remedy; nothing half made is in the way once there is space', async () => {
    disk.fill();
    expectOneLine(await tryServe(), /^error: cannot write \S+\/perch\.db \(disk full\): nothing was changed; free some space\n/);
    disk.empty();
    expect(await versionsSeen(await serve())).toEqual(['v1', 'v1']);
  });
});

describeMounted('a disk that is read-only at the start', whyNotMountable('mount -t tmpfs perch-test /mnt'), () => {
  beforeEach(async () => {
    disk = await mountSmallDisk(scene.data, tmpfs(scene.data, 2));
  });

  test('one line with the remedy; nothing is lost', async () => {
    const first = await serveRelease();
    await untilPhase(first, 'Paused 0');
    const status = await statusOf(first);
    await first.process.stop('SIGKILL');
    disk.run('mount', '-o', 'remount,ro', scene.data);
    const remedy = /^error: cannot write \S+\/perch\.db \(read-only\): nothing was changed; make the directory writable\n/;
    expectOneLine(await tryServe(), remedy);
    disk.run('mount', '-o', 'remount,rw', scene.data);
    const second = await serve();
    expect(await statusOf(second)).toEqual(status);
    expect(await versionsSeen(second)).toEqual(['v2', 'v1']);
  });

  test('and empty: one line with the remedy', async () => {
    disk.run('mount', '-o', 'remount,ro', scene.data);
    expectOneLine(await tryServe(), /^error: cannot write \S+ \(read-only\): nothing was changed; make the directory writable\n/);
  });

  test('does not become so under a runtime: the kernel refuses to remount while the data is open for writing', async () => {
    const served = await serve();
    expect(() => disk.run('mount', '-o', 'remount,ro', scene.data)).toThrow('busy');
    expect(await versionsSeen(served)).toEqual(['v1', 'v1']);
  });
});

const LOOP = whyNotMountable(
  'truncate -s 4M /tmp/perch-$$.img;',
  'mkfs.ext4 -q /tmp/perch-$$.img;',
  'mount -o loop /tmp/perch-$$.img /mnt; rm /tmp/perch-$$.img',
);

describeMounted('a disk that breaks while in use (ext4, which the kernel turns read-only)', LOOP, () => {
  beforeEach(async () => {
    disk = await mountSmallDisk(scene.data, ext4(scene.data, join(scene.dir, 'disk.img')));
  });

  test('apply and promote are refused in one line each; traffic and status go on; the next start on a whole disk goes on', async () => {
    const served = await serveRelease();
    await untilPhase(served, 'Paused 0');
    const [status, routes] = [await statusOf(served), await routesServed(served)];
    breakExt4(disk, scene.data);
    const cannot = /cannot write \S+\/perch\.db \((read-only|disk I\/O error)\): nothing was changed; /;
    expectOneLine(await apply(served), cannot);
    expectOneLine(await promote(served), cannot);
    expect(await versionsSeen(served)).toEqual(['v2', 'v1']);
    expect([await statusOf(served), await routesServed(served)]).toEqual([status, routes]);
    expect(await served.process.stop('SIGTERM')).toBe(0);

    expectOneLine(await tryServe(), cannot);
    disk.run('umount', scene.data);
    disk.run('sh', '-ec', `e2fsck -fy '${scene.dir}/disk.img' || test $? -eq 1; mount -o loop '${scene.dir}/disk.img' '${scene.data}'`);
    const again = await serve();
    expect([await statusOf(again), await routesServed(again)]).toEqual([status, routes]);
    expect(await versionsSeen(again)).toEqual(['v2', 'v1']);
  });
});
