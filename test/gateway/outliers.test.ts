import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { OutlierPolicy } from '../../src/core/routing/outlier-policy.ts';
import type { Cluster } from '../../src/core/routing/selection.ts';
import { refusingPort, startHttpOrigin, startScriptedOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own } = testScope();

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';
const POLICY: OutlierPolicy = {
  consecutive5xxErrors: 3,
  consecutiveGatewayErrors: 0,
  intervalMs: 100,
  baseEjectionMs: 60_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 50,
  minHealthPercent: 0,
};

const withPolicy = (cluster: Cluster, policy: Partial<OutlierPolicy> = {}): Cluster => ({ ...cluster, outlier: { ...POLICY, ...policy } });

/** An origin that answers with a status that the test sets, and counts. */
async function startOrigin(initial: number) {
  const state = { status: initial, asked: 0 };
  const origin = await own(
    startHttpOrigin((_request, response) => {
      state.asked++;
      response.statusCode = state.status;
      response.end('ok');
    }),
  );
  return { state, port: origin.port };
}

/** The statuses of so many requests, one after the other. */
async function ask(port: number, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let at = 0; at < count; at++) statuses.push(firstStatus(await exchange(port, GET)) ?? 0);
  return statuses;
}

it('an endpoint that fails three times in a row is not asked any more, and asked again later', async () => {
  const [bad, good] = await Promise.all([startOrigin(500), startOrigin(200)]);
  const { ingress, gateway } = await start(everythingTo(withPolicy(clusterAt(bad.port, good.port), { baseEjectionMs: 2_000 })));
  // Within two seconds: it would be asked again behind them.
  const statuses = await ask(ingress, 30);
  expect(statuses.filter((status) => status === 500).length).toBe(3);
  expect(bad.state.asked).toBe(3);
  const told = { cluster: 'outbound|9080|v1|shop.default.svc.cluster.local', active: 1, enforced: 1, overflowed: 0 };
  expect(gateway.ejections()).toEqual([told]);
  bad.state.status = 200;
  await expect
    .poll(
      async () => {
        await ask(ingress, 5);
        return bad.state.asked;
      },
      { timeout: 10_000, interval: 100 },
    )
    .toBeGreaterThan(3);
  expect(new Set(await ask(ingress, 20))).toEqual(new Set([200]));
  expect(gateway.ejections()).toEqual([{ ...told, active: 0 }]);
});

it('without outlierDetection it is asked on and on', async () => {
  const [bad, good] = await Promise.all([startOrigin(500), startOrigin(200)]);
  const { ingress } = await start(everythingTo(clusterAt(bad.port, good.port)));
  expect((await ask(ingress, 60)).filter((status) => status === 500).length).toBeGreaterThan(10);
});

it('one that refuses connections is not tried any more', async () => {
  const good = await startOrigin(200);
  const dead = await refusingPort();
  const { ingress, events } = await start(
    everythingTo(withPolicy(clusterAt(dead, good.port), { consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 })),
    { limits: { connectAttempts: 1 } },
  );
  const statuses = await ask(ingress, 40);
  expect(statuses.filter((status) => status === 503).length).toBe(2);
  expect(events.filter(({ flag }) => flag === 'UF').length).toBe(2);
});

it.each<[name: string, answer: string | undefined, timeoutMs: number]>([
  ['closes without an answer', 'HTTP/1.1', 0],
  ['breaks off within its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel', 0],
  ['speaks no HTTP', 'SSH-2.0\r\n\r\n', 0],
  ['gives no answer in time', undefined, 250],
])('one that %s counts as failed', async (_name, answer, timeoutMs) => {
  let asked = 0;
  const bad = await own(
    startScriptedOrigin((_head, socket) => {
      asked++;
      if (answer !== undefined) socket.end(answer);
      return undefined;
    }),
  );
  const good = await startOrigin(200);
  const { ingress } = await start(everythingTo(withPolicy(clusterAt(bad.port, good.port)), { timeoutMs }));
  await ask(ingress, 40);
  // An answer that breaks off has begun with 200, which is a success, as at Envoy.
  if (answer?.includes('200') === true) expect(asked).toBeGreaterThan(3);
  else expect(asked).toBe(3);
});

it('with all ejected there is no healthy upstream: 503 UH; or all are used, where minHealthPercent asks for it', async () => {
  const bad = await startOrigin(500);
  const strict = await start(everythingTo(withPolicy(clusterAt(bad.port), { maxEjectionPercent: 100 })));
  expect(await ask(strict.ingress, 5)).toEqual([500, 500, 500, 503, 503]);
  expect((await strict.told(5))[4]).toMatchObject({ status: 503, flag: 'UH' });
  const panicking = await start(everythingTo(withPolicy(clusterAt(bad.port), { maxEjectionPercent: 100, minHealthPercent: 50 })));
  expect(await ask(panicking.ingress, 5)).toEqual([500, 500, 500, 500, 500]);
});

it('no more are ejected than maxEjectionPercent allows: of two, none by default', async () => {
  const [bad, good] = await Promise.all([startOrigin(500), startOrigin(200)]);
  const { ingress } = await start(everythingTo(withPolicy(clusterAt(bad.port, good.port), { maxEjectionPercent: 10 })));
  await ask(ingress, 40);
  expect(bad.state.asked).toBeGreaterThan(5);
});

it('a change of routes changes nothing about who is ejected; another policy begins anew', async () => {
  const [bad, good, other] = await Promise.all([startOrigin(500), startOrigin(200), startOrigin(200)]);
  const { gateway, ingress } = await start(everythingTo(withPolicy(clusterAt(bad.port, good.port))));
  await ask(ingress, 40);
  expect(bad.state.asked).toBe(3);
  await gateway.update(everythingTo(withPolicy(clusterAt(bad.port, good.port, other.port))));
  await ask(ingress, 40);
  expect(bad.state.asked).toBe(3);
  expect(other.state.asked).toBeGreaterThan(0);
  await gateway.update(everythingTo(withPolicy(clusterAt(bad.port, good.port), { consecutive5xxErrors: 2 })));
  await ask(ingress, 40);
  expect(bad.state.asked).toBe(5);
});

it('a cluster that comes back is swept, too', async () => {
  const [bad, good] = await Promise.all([startOrigin(500), startOrigin(200)]);
  const table = everythingTo(withPolicy(clusterAt(bad.port, good.port), { baseEjectionMs: 300 }));
  const { gateway, ingress } = await start(table);
  await ask(ingress, 40);
  await gateway.update(everythingTo(clusterAt(good.port)));
  await gateway.update(table);
  bad.state.status = 200;
  const before = bad.state.asked;
  await sleep(1_200);
  await ask(ingress, 20);
  expect(bad.state.asked).toBeGreaterThan(before);
});

const at = (...ports: readonly number[]) => ports.map((port) => ({ address: '127.0.0.1', port }));

it('endpoints that health checks find unhealthy are avoided while there are others, and used where there are none', async () => {
  const [one, two] = await Promise.all([startOrigin(200), startOrigin(200)]);
  const { gateway, ingress } = await start(everythingTo(clusterAt(one.port, two.port)));
  gateway.avoid(at(one.port));
  await ask(ingress, 20);
  expect([one.state.asked, two.state.asked]).toEqual([0, 20]);
  gateway.avoid(at(one.port, two.port));
  await ask(ingress, 40);
  expect(one.state.asked).toBeGreaterThan(0);
  gateway.avoid([]);
  const before = one.state.asked;
  await ask(ingress, 40);
  expect(one.state.asked).toBeGreaterThan(before);
});

it('one that is avoided is not the one to which a failed connect is repeated', async () => {
  const [bad, good] = [await startOrigin(200), await startOrigin(200)];
  const dead = await refusingPort();
  const { gateway, ingress } = await start(everythingTo(clusterAt(dead, bad.port, good.port)));
  gateway.avoid(at(bad.port));
  expect(new Set(await ask(ingress, 30))).toEqual(new Set([200]));
  expect([bad.state.asked, good.state.asked]).toEqual([0, 30]);
});

it('ejected ones and unhealthy ones are counted together for minHealthPercent', async () => {
  const [bad, sick, good] = await Promise.all([startOrigin(500), startOrigin(200), startOrigin(200)]);
  const { gateway, ingress } = await start(
    everythingTo(withPolicy(clusterAt(bad.port, sick.port, good.port), { minHealthPercent: 50, maxEjectionPercent: 50 })),
  );
  gateway.avoid(at(sick.port));
  // Two of three are healthy until the bad one is ejected, then one: all are used again.
  await ask(ingress, 60);
  expect(sick.state.asked).toBeGreaterThan(0);
  expect(bad.state.asked).toBeGreaterThan(3);
});
