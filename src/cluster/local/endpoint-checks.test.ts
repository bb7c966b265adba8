import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../../core/release/health-check.ts';
import type { Readiness } from '../readiness.ts';
import { check, HOST, probeScene, service } from './probe-scene.cases.ts';

const scene = probeScene();
const { cleanups, listen, probe } = scene;

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
    await scene.store.apply('files', service([['v1', server.port]]));
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
    await scene.store.apply('files', service([['v1', server.port]]));
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
    await scene.store.apply('files', service(servers.map(({ port }) => ['v1', port] as const)));
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
    await scene.store.apply(
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
    await scene.store.apply('files', service(servers.map((server) => ['v1', (server.address() as AddressInfo).port] as const)));
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
    await scene.store.apply(
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
    await scene.store.apply(
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
