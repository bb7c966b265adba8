import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { OutlierPolicy } from '../../src/core/routing/outlier-policy.ts';
import { clusterAt, everythingTo, startTestGateway } from '../gateway/running-gateway.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { startEnvoy } from './envoy-process.ts';
import { httpListener, staticCluster } from './static-config.ts';

/** Endpoints of which some fail, behind a proxy. */
interface Scene {
  /** Sends so many requests, one after the other; the statuses, and how often each endpoint was asked. */
  ask(count: number): Promise<{ readonly statuses: readonly number[]; readonly asked: readonly number[] }>;
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const POLICY: OutlierPolicy = {
  consecutive5xxErrors: 2,
  consecutiveGatewayErrors: 0,
  intervalMs: 500,
  baseEjectionMs: 600_000,
  maxEjectionMs: 600_000,
  maxEjectionPercent: 10,
  minHealthPercent: 0,
};

/** So long that a look that comes late is not taken for another ejection. */
const BASE_MS = 2_000;

/** `statuses`: what each endpoint answers. */
async function startEndpoints(statuses: readonly number[]): Promise<{ readonly ports: number[]; readonly asked: number[] }> {
  const asked = statuses.map(() => 0);
  const ports: number[] = [];
  for (const [index, status] of statuses.entries()) {
    const server: Server = createServer((_request, response) => {
      asked[index] = (asked[index] ?? 0) + 1;
      response.writeHead(status, { 'content-length': 0 }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    closers.push(() => Promise.resolve(server.closeAllConnections()));
    ports.push((server.address() as AddressInfo).port);
  }
  return { ports, asked };
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

/** What istiod makes of the policy (applyOutlierDetection). */
function envoyCluster(ports: readonly number[], policy: OutlierPolicy): object {
  const endpoints = ports.map((port) => ({ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }));
  return {
    ...staticCluster('web', 0),
    lb_policy: 'LEAST_REQUEST',
    load_assignment: { cluster_name: 'web', endpoints: [{ lb_endpoints: endpoints }] },
    // Envoy tells its workers of several ejections within a second at its end; the test does not wait for that.
    common_lb_config: { healthy_panic_threshold: { value: policy.minHealthPercent }, update_merge_window: '0s' },
    outlier_detection: {
      enforcing_success_rate: 0,
      consecutive_5xx: policy.consecutive5xxErrors,
      enforcing_consecutive_5xx: policy.consecutive5xxErrors > 0 ? 100 : 0,
      ...(policy.consecutiveGatewayErrors > 0
        ? { consecutive_gateway_failure: policy.consecutiveGatewayErrors, enforcing_consecutive_gateway_failure: 100 }
        : {}),
      interval: seconds(policy.intervalMs),
      base_ejection_time: seconds(policy.baseEjectionMs),
      max_ejection_percent: policy.maxEjectionPercent,
    },
  };
}

describeWithEnvoy('outlier detection, as in a real Envoy', (executable) => {
  const PROXIES: readonly [name: string, start: (ports: readonly number[], policy: OutlierPolicy) => Promise<number>][] = [
    [
      'Perch',
      async (ports, policy) => {
        const { gateway, ingress } = await startTestGateway(everythingTo({ ...clusterAt(...ports), outlier: policy }));
        closers.push(() => gateway.close(0));
        return ingress;
      },
    ],
    [
      'Envoy',
      async (ports, policy) => {
        const routes = [{ match: { prefix: '/' }, route: { cluster: 'web' } }];
        const envoy = await startEnvoy(executable, { listeners: [httpListener('web', routes)], clusters: [envoyCluster(ports, policy)] });
        closers.push(() => envoy.stop());
        return envoy.port('web');
      },
    ],
  ];

  async function scene(start: (typeof PROXIES)[number][1], statuses: readonly number[], policy: Partial<OutlierPolicy>): Promise<Scene> {
    const { ports, asked } = await startEndpoints(statuses);
    const port = await start(ports, { ...POLICY, ...policy });
    return {
      async ask(count) {
        const before = [...asked];
        const seen: number[] = [];
        for (let at = 0; at < count; at++) {
          const response = await fetch(`http://127.0.0.1:${port}/`);
          await response.arrayBuffer();
          seen.push(response.status);
          // Envoy's worker tells its main thread, which ejects.
          if (response.status >= 500) await sleep(5);
        }
        return { statuses: seen, asked: asked.map((count, index) => count - (before[index] ?? 0)) };
      },
    };
  }

  test.each<[name: string, statuses: readonly number[], policy: Partial<OutlierPolicy>, stillAsked: number, seen: readonly number[]]>([
    ['one of two, of which none may be ejected', [500, 200], {}, 2, [200, 500]],
    ['one of two, of which half may be', [500, 200], { maxEjectionPercent: 50 }, 1, [200]],
    ['three of five, of which two may be', [500, 500, 500, 200, 200], { maxEjectionPercent: 40 }, 3, [200, 500]],

    ['one of ten, by default', [500, 200, 200, 200, 200, 200, 200, 200, 200, 200], {}, 9, [200]],
    ['one of nine, by default', [500, 200, 200, 200, 200, 200, 200, 200, 200], {}, 9, [200, 500]],
    [
      'gateway errors alone',
      [500, 503, 200, 200],
      { consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, maxEjectionPercent: 100 },
      3,
      [200, 500],
    ],
    ['all of them', [500, 500], { maxEjectionPercent: 100 }, 0, [503]],
    ['all of them, with a least share of healthy ones', [500, 500], { maxEjectionPercent: 100, minHealthPercent: 50 }, 2, [500]],
    ['too many for a least share of healthy ones', [500, 500, 200], { maxEjectionPercent: 100, minHealthPercent: 50 }, 3, [200, 500]],
  ])('%s', async (_name, statuses, policy, stillAsked, seen) => {
    const sides = PROXIES.map(async ([name, start]) => {
      const { ask } = await scene(start, statuses, policy);
      // Each endpoint is asked twice at least, and then once, but for one run in 100,000.
      await ask(15 * statuses.length);
      const then = await ask(12 * statuses.length);
      expect(then.asked.filter((count) => count > 0).length, name).toBe(stillAsked);
      expect([...new Set(then.statuses)].sort(), name).toEqual(seen);
    });
    await Promise.all(sides);
  });

  test('so many answers of an endpoint fail before it is ejected, and it stays so for once, then twice the base time', async () => {
    const sides = PROXIES.map(async ([name, start]) => {
      const { ask } = await scene(start, [500], { consecutive5xxErrors: 4, maxEjectionPercent: 100, baseEjectionMs: BASE_MS });
      let failed = (await ask(4)).statuses;
      for (const times of [1, 2]) {
        const ejectedAt = performance.now();
        expect(failed, name).toEqual([500, 500, 500, 500]);
        // Envoy's main thread may take a while to eject.
        while ((await ask(1)).statuses[0] !== 503) await sleep(5);
        while ((await ask(1)).statuses[0] === 503) await sleep(20);
        const ejectedMs = performance.now() - ejectedAt;
        expect(ejectedMs, name).toBeGreaterThan(times * BASE_MS - 50);
        // Both look every 500 ms, and may just have looked; the machine may be busy.
        expect(ejectedMs, name).toBeLessThan((times + 1) * BASE_MS - 50);
        failed = [500, ...(await ask(3)).statuses];
      }
    });
    await Promise.all(sides);
  });
});
