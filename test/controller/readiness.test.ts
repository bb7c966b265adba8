import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/cluster/store.ts';
import type { RequestEvent } from '../../src/core/evidence/request-event.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { startRequestRateObserver } from '../../src/observers/request-rate-observer.ts';
import { istio } from '../harness/istio-object.ts';
import { bookinfo, endpoints, HOST, release, reviewsRoutes, steps } from './bookinfo-objects.ts';
import { apply, reach, request, Scene, statusOf, versionFor } from './scene.ts';

let scene: Scene;
const servers: Server[] = [];

beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  await scene.close();
});

/** The release of v2 with its first step held until someone says so. */
const held = (readiness: Readonly<Record<string, unknown>>): KubeObject =>
  release({ ...steps('manual', 'manual', 'manual'), readiness: { grace: '1s', ...readiness } });

const message = async (store: Store): Promise<string> => (await statusOf(store)).message;

describe('endpoints that are checked by HTTP', () => {
  /** A version that answers as told. */
  async function version(status: number): Promise<{ readonly port: number; answer(status: number): void }> {
    let answer = status;
    const server = createServer((_, response) => response.writeHead(answer).end()).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, answer: (next) => (answer = next) };
  }

  test('a canary that accepts connections but is not healthy gets nobody; one that falls ill is rolled back after the grace', async () => {
    const { store } = scene.start();
    const [v1, v2] = [await version(200), await version(503)];
    const healthCheck = { path: '/healthz', interval: '100ms', unhealthyThreshold: 2 };
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ v1: v1.port, v2: v2.port }), held({ healthCheck }));
    await expect.poll(() => message(store)).toContain(`127.0.0.1:${v2.port} answers 503 at /healthz`);
    expect(await versionFor(store, 0)).toBe('v1');

    v2.answer(200);
    await reach(store, { phase: 'Paused', weight: 10 });
    expect(await versionFor(store, 0)).toBe('v2');
    expect((await statusOf(store)).endpoints).toEqual([
      { version: { subset: 'v2' }, ready: 1, total: 1 },
      { version: { subset: 'v1' }, ready: 1, total: 1 },
    ]);

    v2.answer(500);
    await reach(store, { phase: 'RolledBack', rollback: { reason: 'v2 had no ready endpoints for 1s', weight: 10 } });
    expect(await versionFor(store, 0)).toBe('v1');
  });
});

describe('onCanaryUnavailable: pause', () => {
  test('everyone stays until the canary is back and someone resumes', async () => {
    const { store } = scene.start();
    const v2 = await scene.listen();
    const timed = release({ ...steps('1h', '1h', '1h'), readiness: { grace: '1s', onCanaryUnavailable: 'pause' } });
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ v1: scene.ports.v1, v2: v2.port }), timed);
    await reach(store, { phase: 'Progressing', weight: 10, holdUntil: expect.any(String) });
    await v2.close();
    await reach(store, { phase: 'Paused', pausedBy: 'canaryLost' });
    expect([await versionFor(store, 0), await versionFor(store, 4095)]).toEqual(['v2', 'v1']);
    await request(store, 'resume');
    await reach(store, { lastRequest: expect.objectContaining({ action: 'resume', outcome: 'refused' }) });
    await scene.listen(v2.port);
    await expect.poll(async () => (await statusOf(store)).canaryLostSince).toBeUndefined();
    await request(store, 'resume');
    await reach(store, { phase: 'Progressing', weight: 10, holdUntil: expect.any(String) });
    expect(scene.reasons()).toEqual(expect.arrayContaining(['CanaryLost', 'Paused', 'RequestRefused', 'CanaryFound', 'Resumed']));
  });
});

describe('stable without endpoints', () => {
  test('is said, a rollback is refused, and nobody is moved', async () => {
    const { store } = scene.start();
    const v1 = await scene.listen();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints({ v1: v1.port, v2: scene.ports.v2 }), held({}));
    await reach(store, { phase: 'Paused', weight: 10 });
    await v1.close();
    await reach(store, { stableLostSince: expect.any(String) });
    await request(store, 'rollback');
    await reach(store, { phase: 'Paused', weight: 10, lastRequest: expect.objectContaining({ action: 'rollback', outcome: 'refused' }) });
    expect(await message(store)).toContain('v1 has no ready endpoints: visitors on it get errors, and no rollback is possible');
    expect([await versionFor(store, 0), await versionFor(store, 4095)]).toEqual(['v2', 'v1']);
    expect(scene.entries.filter(({ reason }) => reason === 'StableLost')).toMatchObject([{ type: 'Warning' }]);
  });
});

describe('capacity', () => {
  /** Requests to reviews as the gateway tells of them, on a clock that is set. */
  function traffic() {
    const clock = { now: 0 };
    const rates = startRequestRateObserver(() => clock.now);
    const event = { destination: { host: HOST, subset: 'v1', port: 9080 } } as RequestEvent;
    return {
      rates,
      /** So many requests in each second of a minute. */
      minute: (perSecond: number): void => {
        for (let second = 0; second < 60; second++) {
          for (let each = 0; each < perSecond; each++) rates.observe(event);
          clock.now += 1000;
        }
      },
    };
  }

  test('a weight waits for enough endpoints, and says the numbers', async () => {
    const { rates, minute } = traffic();
    minute(120);
    const { store } = scene.start({ rates });
    const second = await scene.listen();
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), held({ capacity: 40 }));
    await reach(store, { phase: 'Paused', weight: 10 });
    await request(store, 'promote');
    const refused = await reach(store, { lastRequest: expect.objectContaining({ action: 'promote', outcome: 'refused' }) });
    expect(refused.lastRequest?.message).toBe('not widened: v2 has 1 ready endpoint; 50 % of 120 requests/s at 40 per endpoint needs 2');
    const entry = endpoints(scene.ports);
    const spec = entry.spec as { readonly endpoints: readonly unknown[] };
    const more = { address: '127.0.0.1', ports: { http: second.port }, labels: { version: 'v2' } };
    await apply(store, { ...entry, spec: { ...spec, endpoints: [...spec.endpoints, more] } });
    await reach(store, { endpoints: expect.arrayContaining([{ version: { subset: 'v2' }, ready: 2, total: 2 }]) });
    await request(store, 'promote');
    await reach(store, { phase: 'Paused', weight: 50 });
  });

  test('a hold that is over costs nothing while it waits for capacity', async () => {
    const { rates, minute } = traffic();
    minute(900);
    let looks = 0;
    const counted = {
      perSecond: (host: string, port: number) => {
        looks += 1;
        return rates.perSecond(host, port);
      },
    };
    const { store } = scene.start({ rates: counted });
    await apply(store, ...bookinfo, reviewsRoutes(), endpoints(scene.ports), release({ readiness: { capacity: 100 } }));
    await expect.poll(() => message(store)).toContain('not widened: v2 has 1 ready endpoint; 50 % of 900 requests/s at 100 per endpoint');
    const [revision, before] = [store.revision(), looks];
    // A change of someone else’s is looked at once; fifteen rounds of checks then bring nothing.
    await apply(
      store,
      istio('ServiceEntry', 'other', {
        hosts: ['other.test'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        resolution: 'STATIC',
      }),
    );
    await expect.poll(() => looks).toBeGreaterThan(before);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(looks - before).toBeLessThan(5);
    expect(store.revision()).toBe(revision + 1);
  });
});

test('what a version is missing is named, with what to do', async () => {
  const { store } = scene.start();
  const rules = bookinfo.filter(({ kind }) => kind !== 'DestinationRule');
  await apply(store, ...rules, reviewsRoutes(), endpoints(scene.ports), release());
  await expect.poll(() => message(store)).toContain(`v2 is not ready: no DestinationRule is for ${HOST}: add one with a subset v2`);
  const only = istio('DestinationRule', 'reviews', { host: 'reviews', subsets: [{ name: 'v1', labels: { version: 'v1' } }] });
  await apply(store, only);
  await expect
    .poll(() => message(store))
    .toContain('v2 is not ready: DestinationRule default/reviews has no subset v2, only v1: add it there');
  await apply(store, ...bookinfo);
  await reach(store, { phase: 'Succeeded' });
});
