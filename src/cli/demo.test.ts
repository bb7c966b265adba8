import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PerchProcess, perch } from '../../test/harness/perch-process.ts';
import { widthOf } from '../core/diagnostics/wrap.ts';

const FREE = ['--gateway-port', '0', '--api-port', '0'];
const running: PerchProcess[] = [];
/** Temporary files of this suite's demos only: other suites run demos at the same time. */
let temporary = '';

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'perch-demo-test-'));
});

afterAll(() => rm(temporary, { recursive: true, force: true }));

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.stop('SIGKILL')));
});

async function startDemo(
  ...args: readonly string[]
): Promise<{ readonly demo: PerchProcess; readonly page: string; readonly server: string }> {
  const demo = new PerchProcess(['demo', ...FREE, ...args], { TMPDIR: temporary });
  running.push(demo);
  const [, page = ''] = await demo.until(/Bookinfo +(http:\S+)/);
  const [, server = ''] = await demo.until(/API +(http:\/\/[^/]+)/);
  return { demo, page, server };
}

const demoDirectories = async (): Promise<readonly string[]> => (await readdir(temporary)).filter((name) => name.startsWith('perch-demo-'));

test('the addresses work, a visitor is told where they stand, and rollback takes them to v1', async () => {
  const { demo, page, server } = await startDemo('--no-visitors', '--hold', '1h');
  await demo.until(/reviews v1 → v2: Progressing, step 1 of 4, 10 %, next in (59:|1:00:)/);
  const first = await fetch(page, { headers: { accept: 'text/html' } });
  expect(first.status).toBe(200);
  const [cookie = ''] = first.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
  expect(cookie).toMatch(/^perch=[0-9a-f-]{36}$/);
  const second = await fetch(page, { headers: { accept: 'text/html', cookie } });
  expect(second.headers.getSetCookie()).toEqual([]);
  expect(await second.text()).toMatch(/bucket \d+ of 4096: reviews v[12]/);

  const rollback = await perch(['rollback', 'reviews'], { PERCH_SERVER: server });
  expect(rollback).toMatchObject({ code: 0, stdout: 'reviews: rolled back, everyone is on v1 with their next request\n' });
  await demo.until(/reviews v1 → v2: RolledBack/);
  expect((await fetch(`${server}/api/v1/releases`)).status).toBe(200);
});

test('synthetic visitors are measured and told apart', async () => {
  const { demo, server } = await startDemo('--visitors', '100', '--hold', '2500ms');
  await demo.until(/reviews at \d+ %: \d+\.\d % of \d+ visitors on v2 \(chance .*\)/, 30_000);
  const view = JSON.parse((await perch(['status', 'reviews', '-o', 'json'], { PERCH_SERVER: server })).stdout);
  expect(view.exposure.real.visitors.total).toBe(0);
  expect(view.exposure.moved.back).toBe(0);
  await demo.until(/reviews v1 → v2: Succeeded, v2 is the live version/, 40_000);
  for (const line of demo.stdout.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(80);
});

test('Ctrl-C ends everything and leaves nothing behind', async () => {
  const before = await demoDirectories();
  const { demo, page, server } = await startDemo('--visitors', '20');
  expect((await demoDirectories()).length).toBe(before.length + 1);
  expect(await demo.stop('SIGINT')).toBe(130);
  await expect(fetch(page)).rejects.toThrow();
  await expect(fetch(server)).rejects.toThrow();
  expect(await demoDirectories()).toEqual(before);
  expect(demo.stderr).toBe('');
});

test('with --data, in the other mode while the release is under way: what to do', async () => {
  const data = join(temporary, 'kept');
  const { demo } = await startDemo('--no-visitors', '--data', data);
  await demo.until(/reviews v1 → v2: Progressing/);
  await demo.stop('SIGINT');
  const { code, stderr } = await perch(['demo', ...FREE, '--no-visitors', '--data', data, '--mode', 'canaryOnly']);
  expect(code).toBe(2);
  expect(stderr).toContain('spec.affinity cannot change now');
  expect(stderr).toContain(
    `error: the release kept in ${data} does not allow it: start the demo with the options of before, or with another folder\n`,
  );
  expect(stderr).not.toContain('have errors');
});

test.each(['--gateway-port', '--api-port'])('%s in use: one line with the way out, nothing left behind', async (option) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const before = await demoDirectories();
  const { code, stdout, stderr } = await perch(['demo', ...FREE, option, String(port)], {
    npm_lifecycle_event: 'demo',
    TMPDIR: temporary,
  });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`error: port ${port} is in use by another program: stop it, or run npm run demo -- ${option} ${port + 10}\n`);
  expect(await demoDirectories()).toEqual(before);
  server.close();
});
