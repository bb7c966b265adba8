import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import { check, HOST, probeScene, service } from './probe-scene.cases.ts';

const scene = probeScene();
const { listen, pace, probe } = scene;

test('a version is unknown at first, then ready when an endpoint of its subset accepts, and others are judged apart', async () => {
  const v1 = await listen();
  const closed = await listen();
  await closed.close();
  await scene.store.apply(
    'files',
    service([
      ['v1', v1.port],
      ['v2', closed.port],
    ]),
  );
  const readiness = probe();
  expect(check(readiness, 'v1').ready).toBeUndefined();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await expect.poll(() => check(readiness, 'v2').ready).toBe(false);
  expect(check(readiness, 'v2').reason).toBe(
    `no endpoint of subset v2 of ${HOST}:9080 accepts connections (127.0.0.1:${closed.port} connection refused)`,
  );
});

test('says what is missing: the service, the subset, its endpoints', async () => {
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1')).toMatchObject({ ready: false });
  expect(check(readiness, 'v1').reason).toBe(`no ServiceEntry declares ${HOST}: add one, or correct the host`);
  await scene.store.apply('files', service([['v3', 1]], ['v1']));
  await expect
    .poll(() => check(readiness, 'v1').reason)
    .toBe('no endpoint of ServiceEntry default/reviews has the labels of subset v1: add one, or correct the labels');
  expect(check(readiness, 'v2')).toEqual({
    ready: false,
    reason: 'DestinationRule default/reviews has no subset v2, only v1: add it there, or correct the version',
    endpoints: { ready: 0, total: 0 },
  });
});

test('a DestinationRule that does not count for the service is told from one that is not there', async () => {
  const [entry, rule] = service([['v2', 1]]);
  if (entry === undefined || rule === undefined) return expect.fail();
  await scene.store.apply('files', [
    entry,
    { ...rule, metadata: { name: 'reviews', namespace: 'shop' }, spec: { ...(rule.spec as object), host: HOST } },
  ]);
  const readiness = probe();
  const wanted = `the DestinationRule with subset v2 does not count for ${HOST}: put it into the namespace of ServiceEntry default/reviews`;
  await expect.poll(() => check(readiness, 'v2').reason).toBe(wanted);
});

test('an address that stands there twice is one endpoint', async () => {
  const { port } = await listen();
  await scene.store.apply(
    'files',
    service([
      ['v1', port],
      ['v1', port],
    ]),
  );
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').endpoints).toEqual({ ready: 1, total: 1 });
});

test('one endpoint of several is enough', async () => {
  const [up, down] = [await listen(), await listen()];
  await down.close();
  await scene.store.apply(
    'files',
    service([
      ['v1', down.port],
      ['v1', up.port],
    ]),
  );
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await up.close();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(false);
});

test('tells of every flip, and nothing twice', async () => {
  const first = await listen();
  await scene.store.apply('files', service([['v1', first.port]]));
  const readiness = probe();
  const told: ReturnType<typeof check>[] = [];
  readiness.onChange(() => told.push(check(readiness, 'v1')));
  check(readiness, 'v1');
  await expect.poll(() => told.at(-1)?.ready).toBe(true);
  await expect.poll(() => first.connections()).toBeGreaterThan(4);
  await first.close();
  await expect.poll(() => told.at(-1)?.ready).toBe(false);
  const second = await listen(first.port);
  await expect.poll(() => second.connections()).toBeGreaterThan(4);
  const known = told.filter(({ ready }) => ready !== undefined);
  expect(known.map(({ ready }) => ready).filter((ready, index, all) => ready !== all[index - 1])).toEqual([true, false, true]);
  // Why an endpoint fails may change while it closes, and is news too; the same is never told twice.
  expect(told.filter((answer, index) => JSON.stringify(answer) === JSON.stringify(told[index - 1]))).toEqual([]);
});

test('follows endpoints that move', async () => {
  const [before, after] = [await listen(), await listen()];
  await scene.store.apply('files', service([['v1', before.port]]));
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await scene.store.apply('files', service([['v1', after.port]]));
  await expect.poll(() => after.connections()).toBeGreaterThan(0);
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  const seen = before.connections();
  const now = after.connections();
  await expect.poll(() => after.connections()).toBeGreaterThan(now + 2);
  expect(before.connections()).toBe(seen);
});

test('another host is a version too', async () => {
  const other = await listen();
  const [entry] = service([['any', other.port]]);
  await scene.store.apply('files', [
    {
      ...entry,
      metadata: { name: 'web-v2' },
      spec: { ...(entry?.spec as object), hosts: ['web-v2.default.svc.cluster.local'] },
    } as KubeObject,
  ]);
  const readiness = probe();
  await expect.poll(() => readiness.check(HOST, 9080, { host: 'web-v2.default.svc.cluster.local' }).ready).toBe(true);
  expect(readiness.check(HOST, 9080, { host: 'web-v2.default.svc.cluster.local', port: 81 }).ready).toBe(false);
});

test('an endpoint that does not answer in time is not ready, until it does', async () => {
  // A stopped process accepts nothing: once the kernel's queue for it is full, connections go unanswered.
  const server = `const server = require('node:net').createServer((socket) => socket.on('error', () => undefined).end());
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
  scene.cleanups.push(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  await scene.store.apply('files', service([['v1', Number(String(line))]]));
  const readiness = probe({ healthCheck: { timeoutMs: 60 } });
  await vi.waitFor(() => expect(check(readiness, 'v1').ready).toBe(false), { timeout: 10_000 });
  expect(check(readiness, 'v1').reason).toContain(`127.0.0.1:${Number(String(line))} no answer within 60 ms`);
  child.kill('SIGCONT');
  await vi.waitFor(() => expect(check(readiness, 'v1').ready).toBe(true), { timeout: 10_000 });
});

test('what nobody asks for is not probed, and what nobody asks for any more is left in peace', async () => {
  const [asked, ignored, other] = [await listen(), await listen(), await listen()];
  const versions = { v1: asked.port, v2: ignored.port, v3: other.port };
  await scene.store.apply('files', service(Object.entries(versions), Object.keys(versions)));
  const { several } = await pace(other);
  const readiness = probe({ forgetAfterMs: 100 });
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  const seenMeanwhile = async (): Promise<number> => {
    const before = await asked.settled();
    await several();
    return (await asked.settled()) - before;
  };
  await expect.poll(seenMeanwhile).toBe(0);
  expect(await ignored.settled()).toBe(0);
  const seen = asked.connections();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  expect(await asked.settled()).toBeGreaterThan(seen);
});

test('close ends the probing', async () => {
  const [server, other] = [await listen(), await listen()];
  const endpoints: readonly (readonly [string, number])[] = [
    ['v1', server.port],
    ['v3', other.port],
  ];
  await scene.store.apply('files', service(endpoints, ['v1', 'v3']));
  const { several } = await pace(other);
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await readiness.close();
  const seen = await server.settled();
  await scene.store.apply('files', service([...endpoints, ['v1', server.port + 1]], ['v1', 'v3']));
  await several();
  expect(await server.settled()).toBe(seen);
});

test('a process without file descriptors knows nothing new: what was ready stays so, and it says why, once', async () => {
  const server = await listen();
  const script = `
    import { openSync, closeSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    import { startEndpointProbe } from ${JSON.stringify(new URL('./endpoint-probe.ts', import.meta.url).href)};
    import { runtimeAdmission } from ${JSON.stringify(new URL('../admission.ts', import.meta.url).href)};
    const fail = (error) => { throw error; };
    const told = [];
    const store = openSqliteStore({ dataDir: ':memory:', now: Date.now, admission: runtimeAdmission, onListenerError: fail });
    await store.apply('files', JSON.parse(process.argv[1]));
    const probe = startEndpointProbe({ store, onError: fail, onShortage: (reason) => told.push(reason), healthCheck: { intervalMs: 20 } });
    const ready = () => probe.check(${JSON.stringify(HOST)}, 9080, { subset: 'v1' }).ready;
    while (ready() !== true) await sleep(5);
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch (error) { if (error.code !== 'EMFILE') throw error; }
    while (told.length === 0) await sleep(5);
    await sleep(200);
    const meanwhile = ready();
    taken.forEach((descriptor) => closeSync(descriptor));
    console.log(JSON.stringify([meanwhile, told]));
    await probe.close();
    await store.close();`;
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
    JSON.stringify(service([['v1', server.port]])),
  ];
  const child = spawn('sh', ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  expect(output.trim()).toBe(JSON.stringify([true, ['this process has no file descriptor left: raise its limit (ulimit -n)']]));
});
