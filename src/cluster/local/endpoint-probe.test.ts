import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { HealthCheck } from '../../core/release/health-check.ts';
import { runtimeAdmission } from '../admission.ts';
import type { Readiness } from '../readiness.ts';
import type { Store } from '../store.ts';
import { type EndpointProbeOptions, startEndpointProbe } from './endpoint-probe.ts';
import { openSqliteStore } from './sqlite-store.ts';

const HOST = 'reviews.default.svc.cluster.local';

let store: Store;
const cleanups: (() => unknown)[] = [];
const errors: unknown[] = [];

beforeEach(() => {
  store = openSqliteStore({
    dataDir: ':memory:',
    now: Date.now,
    admission: runtimeAdmission,
    onListenerError: (error) => errors.push(error),
  });
  cleanups.push(() => store.close());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  expect(errors.splice(0)).toEqual([]);
});

function probe(options: Partial<EndpointProbeOptions> = {}): Readiness {
  const readiness = startEndpointProbe({
    store,
    onError: (error) => errors.push(error),
    onShortage: (reason) => errors.push(reason),
    ...options,
    healthCheck: { intervalMs: 25, healthyThreshold: 1, unhealthyThreshold: 1, ...options.healthCheck },
  });
  cleanups.push(() => readiness.close());
  return readiness;
}

/** A TCP server that counts its connections. */
interface Listening {
  readonly port: number;
  connections(): number;
  /** The same with those that the kernel still has in its queue. */
  settled(): Promise<number>;
  close(): Promise<void>;
}

/** `port` 0 takes any. */
async function listen(port = 0): Promise<Listening> {
  let connections = 0;
  let onLast = (): void => undefined;
  const server: Server = createServer((socket) => {
    connections += 1;
    // Probes send nothing.
    socket.once('data', () => {
      connections -= 1;
      onLast();
    });
    socket.on('error', () => undefined);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const actual = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  cleanups.push(close);
  // The queue keeps its order: once one more is through, so are all before it.
  const settled = async (): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onLast = resolve;
    const last = connect(actual, '127.0.0.1').on('connect', () => last.write('last'));
    await promise;
    last.destroy();
    return connections;
  };
  return { port: actual, connections: () => connections, settled, close };
}

/** A probe that goes on meanwhile, in time with the others: it asks `server`, which the service has as v3. */
async function pace(server: Listening): Promise<{ several(): Promise<void> }> {
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v3').ready).toBe(true);
  return {
    several: async () => {
      const before = server.connections();
      await expect.poll(() => server.connections()).toBeGreaterThan(before + 4);
    },
  };
}

/** `reviews` with these endpoints, one per pair of version and port, and a subset for each of `subsets`. */
function service(endpoints: readonly (readonly [version: string, port: number])[], subsets = ['v1', 'v2']): readonly KubeObject[] {
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'reviews' },
      spec: {
        hosts: [HOST],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
        endpoints: endpoints.map(([version, port]) => ({ address: '127.0.0.1', ports: { http: port }, labels: { version } })),
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'reviews' },
      spec: { host: 'reviews', subsets: subsets.map((name) => ({ name, labels: { version: name } })) },
    },
  ];
}

const check = (readiness: Readiness, subset: string) => readiness.check(HOST, 9080, { subset });

test('a version is unknown at first, then ready when an endpoint of its subset accepts, and others are judged apart', async () => {
  const v1 = await listen();
  const closed = await listen();
  await closed.close();
  await store.apply(
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
  await store.apply('files', service([['v3', 1]], ['v1']));
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
  await store.apply('files', [
    entry,
    { ...rule, metadata: { name: 'reviews', namespace: 'shop' }, spec: { ...(rule.spec as object), host: HOST } },
  ]);
  const readiness = probe();
  const wanted = `the DestinationRule with subset v2 does not count for ${HOST}: put it into the namespace of ServiceEntry default/reviews`;
  await expect.poll(() => check(readiness, 'v2').reason).toBe(wanted);
});

test('an address that stands there twice is one endpoint', async () => {
  const { port } = await listen();
  await store.apply(
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
  await store.apply(
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
  await store.apply('files', service([['v1', first.port]]));
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
  await store.apply('files', service([['v1', before.port]]));
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await store.apply('files', service([['v1', after.port]]));
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
  await store.apply('files', [
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
  cleanups.push(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  await store.apply('files', service([['v1', Number(String(line))]]));
  const readiness = probe({ healthCheck: { timeoutMs: 60 } });
  await vi.waitFor(() => expect(check(readiness, 'v1').ready).toBe(false), { timeout: 10_000 });
  expect(check(readiness, 'v1').reason).toContain(`127.0.0.1:${Number(String(line))} no answer within 60 ms`);
  child.kill('SIGCONT');
  await vi.waitFor(() => expect(check(readiness, 'v1').ready).toBe(true), { timeout: 10_000 });
});

test('what nobody asks for is not probed, and what nobody asks for any more is left in peace', async () => {
  const [asked, ignored, other] = [await listen(), await listen(), await listen()];
  const versions = { v1: asked.port, v2: ignored.port, v3: other.port };
  await store.apply('files', service(Object.entries(versions), Object.keys(versions)));
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
  await store.apply('files', service(endpoints, ['v1', 'v3']));
  const { several } = await pace(other);
  const readiness = probe();
  await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  await readiness.close();
  const seen = await server.settled();
  await store.apply('files', service([...endpoints, ['v1', server.port + 1]], ['v1', 'v3']));
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

describe('checks of a release’s own', () => {
  const CHECK: HealthCheck = { path: '/healthz', intervalMs: 20, timeoutMs: 5000, healthyThreshold: 2, unhealthyThreshold: 3 };
  const checked = (readiness: Readiness, subset = 'v1', check = CHECK) => readiness.check(HOST, 9080, { subset }, check);

  /** An HTTP server that answers each check by what `script` says next: its last word again and again. */
  async function answering(
    script: readonly number[],
  ): Promise<{ readonly port: number; asked(): number; answer(...more: number[]): void }> {
    const left = [...script];
    let asked = 0;
    const server = createHttpServer((_, response) => {
      asked += 1;
      response.writeHead((left.length > 1 ? left.shift() : left[0]) ?? 500).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    return { port: (server.address() as AddressInfo).port, asked: () => asked, answer: (...more) => left.splice(0, left.length, ...more) };
  }

  test('an endpoint that accepts connections but answers 503 is not ready, and says so', async () => {
    const server = await answering([503]);
    await store.apply('files', service([['v1', server.port]]));
    const readiness = probe();
    await expect.poll(() => checked(readiness).ready).toBe(false);
    expect(checked(readiness)).toEqual({
      ready: false,
      reason: `no endpoint of subset v1 of ${HOST}:9080 is healthy (127.0.0.1:${server.port} answers 503 at /healthz)`,
      endpoints: { ready: 0, total: 1 },
    });
    // Who asks for no path hears that it accepts connections: each check is a matter of its own.
    await expect.poll(() => check(readiness, 'v1').ready).toBe(true);
  });

  test('an endpoint that flaps below the thresholds does not flap readiness', async () => {
    const server = await answering([200]);
    await store.apply('files', service([['v1', server.port]]));
    const readiness = probe();
    const told: (boolean | undefined)[] = [];
    readiness.onChange(() => told.push(checked(readiness).ready));
    await expect.poll(() => checked(readiness).ready).toBe(true);
    const before = server.asked();
    server.answer(503, 503, 200, 503, 503, 200, 503, 200);
    await expect.poll(() => server.asked()).toBeGreaterThan(before + 10);
    expect(told).toEqual([true]);
    server.answer(503, 503, 503, 200, 503, 200, 503);
    const since = server.asked();
    await expect.poll(() => server.asked()).toBeGreaterThan(since + 9);
    expect(checked(readiness).ready).toBe(false);
    server.answer(200);
    await expect.poll(() => checked(readiness).ready).toBe(true);
    expect(told.filter((ready, index) => ready !== told[index - 1])).toEqual([true, false, true]);
  });

  test('counts the endpoints that are ready, and tells when that changes', async () => {
    const servers = [await answering([200]), await answering([200]), await answering([503])];
    await store.apply('files', service(servers.map(({ port }) => ['v1', port] as const)));
    const readiness = probe();
    const told: string[] = [];
    readiness.onChange(() => {
      const { endpoints } = checked(readiness);
      told.push(`${endpoints?.ready} of ${endpoints?.total}`);
    });
    await expect.poll(() => checked(readiness).endpoints).toEqual({ ready: 2, total: 3 });
    servers[2]?.answer(200);
    await expect.poll(() => told.at(-1)).toBe('3 of 3');
    servers[0]?.answer(500);
    await expect.poll(() => told.at(-1)).toBe('2 of 3');
    expect(checked(readiness).ready).toBe(true);
  });

  test('releases that ask alike share the checks of an endpoint', async () => {
    const server = await answering([200]);
    const other = await answering([200]);
    await store.apply(
      'files',
      service([
        ['v1', server.port],
        ['v2', other.port],
      ]),
    );
    const [one, two] = [probe(), probe()];
    await expect.poll(() => checked(one).ready).toBe(true);
    await expect.poll(() => checked(one, 'v1', { ...CHECK }).ready).toBe(true);
    await one.close();
    await expect.poll(() => checked(two, 'v2').ready).toBe(true);
    // Not earlier: what was sent before the end may arrive after it.
    const seen = server.asked();
    await expect.poll(() => other.asked()).toBeGreaterThan(5);
    expect(server.asked()).toBe(seen);
  });

  test('at most so many checks go on at once, and every endpoint gets its turn', async () => {
    let open = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const servers = Array.from({ length: 150 }, () =>
      createHttpServer((_, response) => {
        open += 1;
        most = Math.max(most, open);
        waiting.push(() => {
          open -= 1;
          response.end();
        });
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(servers.map((server) => once(server, 'listening')));
    cleanups.push(() => {
      for (const server of servers) server.close().closeAllConnections();
    });
    await store.apply('files', service(servers.map((server) => ['v1', (server.address() as AddressInfo).port] as const)));
    const readiness = probe();
    const long = { ...CHECK, intervalMs: 60_000, timeoutMs: 60_000 };
    await expect
      .poll(() => {
        checked(readiness, 'v1', long);
        return open;
      })
      .toBe(128);
    const release = setInterval(() => {
      for (const answer of waiting.splice(0)) answer();
    }, 5);
    await expect.poll(() => checked(readiness, 'v1', long).endpoints).toEqual({ ready: 150, total: 150 });
    clearInterval(release);
    expect(most).toBe(128);
  });
});

describe('the endpoints that are unhealthy', () => {
  const ports = (told: readonly { readonly port: number }[] | undefined): number[] => (told ?? []).map(({ port }) => port).sort();

  test('are told when they become so, and again when they are well', async () => {
    const [good, other] = [await listen(), await listen()];
    await store.apply(
      'files',
      service([
        ['v1', good.port],
        ['v1', other.port],
      ]),
    );
    const told: (readonly { readonly port: number }[])[] = [];
    const readiness = probe({ onUnhealthy: (endpoints) => told.push(endpoints) });
    await expect.poll(() => check(readiness, 'v1').endpoints?.ready).toBe(2);
    expect(ports(told.at(-1))).toEqual([]);
    await other.close();
    await expect.poll(() => ports(told.at(-1))).toEqual([other.port]);
    await listen(other.port);
    await expect.poll(() => ports(told.at(-1))).toEqual([]);
  });

  test('are not those that another check finds healthy, and none that nobody asks for any more', async () => {
    const [good, bad] = [await listen(), await listen()];
    await bad.close();
    await store.apply(
      'files',
      service([
        ['v1', good.port],
        ['v1', bad.port],
      ]),
    );
    const told: (readonly { readonly port: number }[])[] = [];
    const readiness = probe({ onUnhealthy: (endpoints) => told.push(endpoints), forgetAfterMs: 500 });
    const byHttp = { intervalMs: 25, timeoutMs: 1_000, healthyThreshold: 1, unhealthyThreshold: 1, path: '/' };
    // What accepts connections speaks no HTTP here.
    const both = () => [check(readiness, 'v1'), readiness.check(HOST, 9080, { subset: 'v1' }, byHttp)];
    await expect.poll(() => both().map(({ ready }) => ready)).toEqual([true, false]);
    expect(ports(told.at(-1))).toEqual([bad.port]);
    await expect.poll(() => ports(told.at(-1))).toEqual([]);
  });
});
