import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Finished, PerchProcess, perch } from '../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../test/harness/serve-scene.ts';
import type { Serving } from '../../test/harness/serving.ts';
import { WEB_ROUTES_YAML, webReleaseYaml } from '../../test/harness/web-manifests.ts';

// One runtime, told by real perch processes what to do. The tests build on each other, as a release goes on.

let scene: Scene;
let served: Serving;

beforeAll(async () => {
  scene = await createScene();
  served = await scene.serve('-f', scene.files);
});

afterAll(async () => {
  await scene.close();
});

const run = (...args: readonly string[]): Promise<Finished> => perch(args, { PERCH_SERVER: served.server });

async function fileWith(name: string, text: string): Promise<string> {
  const path = join(scene.dir, name);
  await writeFile(path, text);
  return path;
}

const NONE = 'there is no CanaryRelease in namespace default\n';

test('before there is a release', async () => {
  expect(await run('get')).toEqual({ code: 0, stdout: '', stderr: NONE });
  expect(await run('status')).toEqual({ code: 0, stdout: '', stderr: NONE });
  expect(await run('describe')).toEqual({ code: 0, stdout: '', stderr: NONE });
  for (const command of ['get', 'status']) {
    const watch = new PerchProcess([command, '--watch'], { PERCH_SERVER: served.server });
    await expect.poll(() => watch.stderr, { timeout: 20_000 }).toBe(NONE);
    expect(await watch.stop('SIGINT')).toBe(130);
    expect([watch.stdout, watch.stderr]).toEqual(['', NONE]);
  }
  expect(await run('status', 'web')).toMatchObject({ code: 2, stdout: '', stderr: 'error: there is no CanaryRelease default/web\n' });
  expect(await run('rollback', 'web')).toMatchObject({ code: 2, stderr: 'error: there is no CanaryRelease default/web\n' });
});

test('a file with mistakes: every one with its place, exit 2, and nothing of the apply is done', async () => {
  const bad = await fileWith('bad.yaml', webReleaseYaml().replace('canary:', 'canray:').replace('weight: 50', 'weight: 5'));
  const good = await fileWith('good.yaml', WEB_ROUTES_YAML.replaceAll('web', 'other'));
  const { code, stdout, stderr } = await run('apply', '-f', good, '-f', bad);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${bad}:7:3  PERCH`);
  expect(stderr).toContain('   7 |   canray: {subset: v2}');
  expect(stderr).toContain('     |   ^^^^^^');
  expect(stderr).toMatch(/did you mean canary/);
  expect(stderr).toContain(`${bad}:11:`);
  expect(stderr).toMatch(/error: \d errors; nothing was applied\n$/);
  expect((await run('get', 'vs', '-o', 'name')).stdout).toBe('virtualservice/web\n');
});

test('a kind that Perch does not know is told with the mistakes in the other objects, at its place', async () => {
  const bad = await fileWith(
    'both.yaml',
    `${WEB_ROUTES_YAML.replace('VirtualService', 'VirtualServce')}---\n${webReleaseYaml().replace('canary:', 'canray:')}`,
  );
  const { code, stderr } = await run('apply', '-f', bad);
  expect(code).toBe(2);
  expect(stderr).toMatch(/both\.yaml:2:7 {2}PERCH4051 .*\n(.*\n)*? +fix {2}did you mean VirtualService\?/);
  expect(stderr).toMatch(/did you mean canary\?/);
});

test('what only the runtime can know is shown at its place in the file too', async () => {
  const twice = await fileWith('twice.yaml', `${WEB_ROUTES_YAML}---\n${WEB_ROUTES_YAML}`);
  const { code, stderr } = await run('apply', '-f', twice);
  expect(code).toBe(2);
  expect(stderr).toContain(`${twice}:14:18  PERCH4050  VirtualService default/web is given twice`);
});

test('a file that is no text in UTF-8 is not read as if it were, and addresses are for curl', async () => {
  const latin = join(scene.dir, 'latin.yaml');
  await writeFile(latin, Buffer.from(WEB_ROUTES_YAML.replace('name: all', 'name: caf\u00e9'), 'latin1'));
  const { code, stderr } = await run('apply', '-f', latin, 'http://shop.test/routes.yaml');
  expect(code).toBe(2);
  expect(stderr).toContain(`PERCH4014  cannot read ${latin}: it is no text in UTF-8`);
  expect(stderr).toContain('fix  fetch it yourself: curl -sf http://shop.test/routes.yaml | perch apply -f -');
});

test('PERCH_SERVER set to nothing is not set', async () => {
  const { stderr } = await perch(['get', 'nonsense'], { PERCH_SERVER: '' });
  expect(stderr).toContain('"nonsense" is no kind of object');
});

test.each([
  ['a file that is not there', ['-f', 'nowhere.yaml'], /cannot read nowhere.yaml: there is no such file/],
  ['an empty directory', ['-f', '.'], /there is no \.yaml, \.yml or \.json file in \./],
])('%s', async (_, args, message) => {
  const { dir } = scene;
  const child = new PerchProcess(['apply', ...args.map((arg) => (arg === '.' ? join(dir, 'data') : arg))], { PERCH_SERVER: served.server });
  expect(await child.exited).toBe(2);
  expect(child.stderr.replaceAll(join(dir, 'data'), '.')).toMatch(message);
});

test('kinds that do not concern routing are left out with one note', async () => {
  const file = await fileWith(
    'mixed.yaml',
    `apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n${WEB_ROUTES_YAML}`,
  );
  expect(await run('apply', '-f', file)).toEqual({
    code: 0,
    stdout: 'virtualservice/web unchanged\n',
    stderr: 'note: skipped 1 Service, 1 Deployment: not about routing\n',
  });
});

test('apply starts the release, which waits at its manual step', async () => {
  const { code, stdout } = await run('apply', '-f', await fileWith('release.yaml', webReleaseYaml()));
  expect([code, stdout]).toEqual([0, 'canaryrelease/web created\n']);
  await expect.poll(async () => (await run('get')).stdout, { timeout: 15_000 }).toMatch(/^web +v1 +v2 +Paused +1\/3 +10 % /m);
});

test('a release for people, for programs, and only its name', async () => {
  expect((await run('get')).stdout.split('\n')[0]).toBe('NAME   FROM   TO   PHASE    STEP   WEIGHT   SEEN BY   AGE');
  expect((await run('get', '-o', 'name')).stdout).toBe('canaryrelease/web\n');
  const one = JSON.parse((await run('get', 'release', 'web', '-o', 'json')).stdout);
  expect(one).toMatchObject({
    kind: 'CanaryRelease',
    metadata: { name: 'web', namespace: 'default' },
    status: { phase: 'Paused', step: 0 },
  });
  expect(JSON.parse((await run('get', '-o', 'json')).stdout)).toMatchObject({ kind: 'List', items: [one] });
  expect(parse((await run('get', 'release', 'web', '-o', 'yaml')).stdout)).toEqual(one);
  expect(JSON.parse((await run('status', 'web', '-o', 'json')).stdout)).toHaveProperty('exposure');
  const status = (await run('status', 'web')).stdout;
  expect(status).toContain('  web  v1 → v2   Paused   step 1 of 3, 10 %, until perch promote web\n');
  expect((await run('describe', 'release', 'web')).stdout).toMatch(/^ {2}> +1 +10 % +manual/m);
});

test('nothing that goes to a pipe has colours', async () => {
  const child = new PerchProcess(['get'], { PERCH_SERVER: served.server, NO_COLOR: '' });
  expect(await child.exited).toBe(0);
  expect(child.stdout).not.toContain('\u001b');
});

test('served routes are woven, their base is what was applied; a copy of either applies as no change', async () => {
  const woven = await run('get', 'virtualservice', 'web', '-o', 'yaml');
  expect(woven.stdout).toContain('name: perch:default/web:');
  const base = await run('get', 'vs', 'web', '--view', 'base', '-o', 'yaml');
  expect(parse(base.stdout).spec).toEqual(parse(WEB_ROUTES_YAML).spec);
  for (const [name, copy] of [
    ['woven', woven],
    ['base', base],
  ] as const) {
    expect((await run('apply', '-f', await fileWith(`${name}.yaml`, copy.stdout))).stdout).toBe('virtualservice/web unchanged\n');
  }
});

test('a release as it is printed applies as no change; - reads standard input', async () => {
  const { stdout: printed } = await run('get', 'release', 'web', '-o', 'yaml');
  const bin = fileURLToPath(new URL('../../bin/perch.js', import.meta.url));
  const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', bin, 'apply', '--server', served.server, '-f', '-'], {
    input: printed,
  });
  expect([child.status, child.stdout.toString(), child.stderr.toString()]).toEqual([0, 'canaryrelease/web unchanged\n', '']);
});

test('get with a name that is not there says so, and shows the others', async () => {
  const { code, stdout, stderr } = await run('get', 'vs', 'web', 'none', '-o', 'name');
  expect([code, stdout, stderr]).toEqual([2, 'virtualservice/web\n', 'error: there is no VirtualService default/none (there: web)\n']);
  expect((await run('get', 'vs', '-n', 'elsewhere')).stderr).toBe('there is no VirtualService in namespace elsewhere\n');
  expect((await run('get', 'vs', '-A')).stdout).toMatch(/^NAMESPACE +NAME/);
});

test('promote, pause, resume: one line each, once it holds', async () => {
  expect(await run('promote', 'web')).toMatchObject({ code: 0, stdout: 'web: step 2 of 3, v2 for 50 % of visitors\n' });
  expect(await run('pause', 'web')).toMatchObject({ code: 0, stdout: 'web: paused at 50 %; perch resume web goes on\n' });
  const again = await run('pause', 'web');
  expect(again).toMatchObject({ code: 1, stdout: '', stderr: 'error: the release is paused already (PERCH4008)\n' });
  expect((await run('resume', 'web')).stdout).toMatch(/^web: goes on at 50 %, next step in (59m|1h)/);
});

test('rollback returns when the next request of everyone is on the former version', async () => {
  expect(await run('rollback', 'web', '--by', 'test')).toMatchObject({
    code: 0,
    stdout: 'web: rolled back, everyone is on v1 with their next request\n',
  });
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => (await fetch(served.ingress, { headers: { accept: 'text/html' } })).text()),
  );
  expect(new Set(answers)).toEqual(new Set(['v1']));
  const described = await run('describe', 'release', 'web');
  expect(described.stdout).toMatch(/rollback by test at .*: done/);
  expect(described.stdout).toMatch(/RolledBack +\d+s +v1 → v2, requested \(by test\)/);
  expect((await run('promote', 'web')).code).toBe(1);
});

test('retry starts it once more; -o json is for programs', async () => {
  const { code, stdout } = await run('retry', 'web', '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'web', namespace: 'default', action: 'retry', outcome: 'done' });
  await expect.poll(async () => (await run('get')).stdout, { timeout: 15_000 }).toContain('Paused');
});

test('status --watch prints a line per change, and Ctrl-C ends it with 130', async () => {
  const watch = new PerchProcess(['status', 'web', '--watch'], { PERCH_SERVER: served.server });
  await watch.until(/web v1 → v2: Paused, step 1 of 3, 10 %, until perch promote web/);
  await run('promote', 'web');
  await watch.until(/web v1 → v2: Progressing, step 2 of 3, 50 %, next in/);
  expect(await watch.stop('SIGINT')).toBe(130);
  expect(watch.stderr).toBe('');
});

test('promote through the last step: v2 is the live version', async () => {
  expect((await run('promote', 'web')).stdout).toBe('web: step 3 of 3, v2 for 100 % of visitors\n');
  expect((await run('promote', 'web')).stdout).toBe('web: v2 is the live version, for everyone\n');
  expect(await (await fetch(served.ingress)).text()).toBe('v2');
  expect((await run('get')).stdout).toMatch(/^web +v1 +v2 +Succeeded +3\/3 +100 % /m);
});

test('rollback after success goes back to the version before; retry, another revision on the way, a freeze, and promote --full', async () => {
  const back = 'web: rolled back, everyone is on v1 with their next request\n';
  expect(await run('rollback', 'web')).toMatchObject({ code: 0, stdout: back, stderr: '' });
  expect(await (await fetch(served.ingress)).text()).toBe('v1');
  expect((await run('retry', 'web', '--wait', 'paused')).code).toBe(0);
  const file = await fileWith('revision.yaml', webReleaseYaml().replace('spec:', 'spec:\n  revision: 2'));
  expect((await run('apply', '-f', file, '--wait', 'paused')).code).toBe(0);
  expect((await run('describe', 'release', 'web')).stdout).toMatch(/Superseded +\d+s +v1 → v2/);
  expect((await run('get')).stdout).toMatch(/^web +v1 +v2 +Paused +1\/3 +10 % /m);

  const suspended = await fileWith('suspended.yaml', webReleaseYaml().replace('spec:', 'spec:\n  revision: 2\n  suspend: true'));
  expect((await run('apply', '-f', suspended)).code).toBe(0);
  await expect.poll(async () => (await run('status', 'web')).stdout).toContain('suspended: nothing starts or widens');
  expect(await run('promote', 'web', '--full')).toMatchObject({
    code: 1,
    stderr: 'error: the release is suspended: take spec.suspend away first (PERCH4008)\n',
  });
  expect((await run('apply', '-f', file)).code).toBe(0);
  await expect.poll(async () => (await run('status', 'web')).stdout).not.toContain('suspended');

  expect((await run('promote', 'web', '--full')).stdout).toBe('web: v2 is the live version, for everyone\n');
  expect(await (await fetch(served.ingress)).text()).toBe('v2');
});

test('delete takes the release out of the routes and leaves the live version live', async () => {
  expect(await run('delete', 'release', 'web')).toMatchObject({ code: 0, stdout: 'canaryrelease/web deleted, everyone is on v2\n' });
  expect((await run('get', 'vs', 'web', '-o', 'yaml')).stdout).not.toContain('perch:');
  expect(await (await fetch(served.ingress)).text()).toBe('v2');
  expect(await run('delete', 'release', 'web')).toMatchObject({ code: 2, stderr: 'error: there is no CanaryRelease default/web\n' });
});

test('a runtime that is not there, and an address that is none', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const { code, stderr } = await perch(['get', '--server', `127.0.0.1:${port}`]);
  expect(code).toBe(2);
  expect(stderr).toBe(
    `error: cannot reach Perch at http://127.0.0.1:${port} (nothing listens there): start it with perch serve -f DIR or perch demo, name another with --server URL, or a cluster with --context NAME\n`,
  );
  expect((await perch(['get', '--server', 'ftp://x'])).code).toBe(2);
});
