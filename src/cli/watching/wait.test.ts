import { writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Finished, PerchProcess, perch } from '../../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../../test/harness/serve-scene.ts';
import type { Serving } from '../../../test/harness/serving.ts';
import { webReleaseYaml } from '../../../test/harness/web-manifests.ts';

// `--wait PHASE`, as a pipeline uses it: real processes, a real runtime, a release whose steps last until they are promoted.

let scene: Scene;
let served: Serving;
let file: string;
let relay: Relay;

/** Stands between the commands that wait and the runtime, and tells how many of them are waiting: they themselves are quiet. */
interface Relay {
  readonly server: Server;
  readonly url: string;
  waiting: number;
}

async function startRelay(): Promise<Relay> {
  const server = createServer((incoming, answer) => {
    const { port } = new URL(served.server);
    const { method, url: path } = incoming;
    const forwarded = request(
      { host: '127.0.0.1', port, method, path, headers: { ...incoming.headers, host: `127.0.0.1:${port}` } },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        if (path === '/api/v1/events') relay.waiting++;
        response.on('error', () => answer.destroy()).on('close', () => answer.destroy());
        response.pipe(answer);
      },
    );
    forwarded.on('error', () => answer.destroy());
    answer.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, waiting: 0 };
}

/** Starts a command and returns once it waits. */
async function startWaiting(...args: readonly string[]): Promise<PerchProcess> {
  const before = relay.waiting;
  const process = new PerchProcess(args, { PERCH_SERVER: relay.url });
  await expect.poll(() => relay.waiting, { timeout: 20_000 }).toBeGreaterThan(before);
  return process;
}

beforeEach(async () => {
  scene = await createScene();
  served = await scene.serve('-f', scene.files);
  relay = await startRelay();
  file = join(scene.dir, 'release.yaml');
  await writeFile(file, webReleaseYaml().replace('hold: 1h', 'hold: manual'));
});

afterEach(async () => {
  relay.server.closeAllConnections();
  relay.server.close();
  await scene.close();
});

const run = (...args: readonly string[]): Promise<Finished> => perch(args, { PERCH_SERVER: served.server });

test('a pipeline: apply and wait, promote to the end; every wait ends with 0 and a line', async () => {
  expect(await run('apply', '-f', file, '--wait', 'paused')).toEqual({
    code: 0,
    stdout: 'canaryrelease/web created\nweb: Paused, step 1 of 3: 10 % of visitors on v2, manual hold: promote to go on\n',
    stderr: '',
  });
  const pipeline = await startWaiting('status', '--wait', 'SUCCEEDED', '--timeout', '1h');
  expect((await run('promote', 'web', '--wait', 'paused', '--timeout', '1m')).stdout).toMatch(
    /^web: step 2 of 3, v2 for 50 % of visitors\nweb: Paused, step 2 of 3: 50 % of visitors on v2, .*\n$/,
  );
  await run('promote', 'web');
  await run('promote', 'web');
  expect([await pipeline.exited, pipeline.stdout, pipeline.stderr]).toEqual([0, 'web: Succeeded, v2 is the live version\n', '']);
  // What is so already is so at once.
  expect((await run('status', 'web', '--wait', 'succeeded')).code).toBe(0);
});

test('a release that is rolled back ends the wait at once, with 1 and the reason', async () => {
  await run('apply', '-f', file, '--wait', 'paused');
  const pipeline = await startWaiting('status', 'web', '--wait', 'succeeded', '--timeout', '1h');
  await run('rollback', 'web', '--by', 'anna');
  expect(await pipeline.exited).toBe(1);
  expect(pipeline.stdout).toBe('');
  expect(pipeline.stderr).toMatch(/^error: web: Roll(ingBack|edBack) instead of Succeeded, .*\n$/);
  const again = await run('apply', '-f', file, '--wait', 'succeeded');
  expect([again.code, again.stdout]).toEqual([1, 'canaryrelease/web unchanged\n']);
  expect(again.stderr).toMatch(/^error: web: RolledBack instead of Succeeded, .* by anna; perch retry web starts it once more\n$/);
  // The retry's own status counts, not the end before it.
  expect((await run('retry', 'web', '--wait', 'paused')).code).toBe(0);
});

test('time that is over is 1, and says where the release stands', async () => {
  await run('apply', '-f', file, '--wait', 'paused');
  expect(await run('status', 'web', '--wait', 'succeeded', '--timeout', '300ms')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: web: not Succeeded in time, Paused, step 1 of 3: 10 % of visitors on v2, manual hold: promote to go on\n',
  });
});

test('a restart of the runtime does not end the wait', async () => {
  await run('apply', '-f', file, '--wait', 'paused');
  const pipeline = await startWaiting('status', 'web', '--wait', 'rolledback');
  await served.process.stop('SIGKILL');
  await scene.serve('--api-port', new URL(served.server).port);
  await run('rollback', 'web');
  expect([await pipeline.exited, pipeline.stderr]).toEqual([0, '']);
});

test('a release that is deleted meanwhile ends the wait with 1; Ctrl-C ends it with 130', async () => {
  await run('apply', '-f', file, '--wait', 'paused');
  const stopped = await startWaiting('status', 'web', '--wait', 'succeeded');
  const pipeline = await startWaiting('status', 'web', '--wait', 'succeeded');
  expect(await stopped.stop('SIGINT')).toBe(130);
  expect([stopped.stdout, stopped.stderr]).toEqual(['', '']);
  await run('delete', 'release', 'web');
  expect(await pipeline.exited).toBe(1);
  expect(pipeline.stderr).toMatch(/^error: web: not Succeeded, it (is being|was) deleted\n$/);
});

test.each([
  ['a phase that does not exist', ['status', '--wait', 'suceeded'], /no such phase: did you mean succeeded\?/],
  ['a release that does not exist', ['status', 'wbe', '--wait', 'succeeded'], /there is no CanaryRelease default\/wbe/],
  ['no release at all', ['status', '--wait', 'succeeded'], /there is no CanaryRelease in namespace default/],
  ['a timeout for nothing', ['status', '--timeout', '1s'], /--timeout goes with --wait PHASE/],
  ['a watch that waits', ['status', '--wait', 'succeeded', '--watch'], /cannot be used with option/],
])('%s is 2', async (_, args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});
