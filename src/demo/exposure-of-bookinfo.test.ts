import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { ExposureSummary, VisitorExposure } from '../core/evidence/exposure.ts';
import type { KubeObject, ServiceEntry } from '../core/istio/resources.ts';
import { readManifestFiles } from '../server/manifest-files.ts';
import { startRuntime } from '../server/runtime.ts';
import { BOOKINFO_PORTS, type BookinfoPorts, FREE_PORTS, startBookinfo } from './bookinfo/start-bookinfo.ts';
import { startVisitors } from './visitors.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/bookinfo', import.meta.url));
const RELEASE = '/api/v1/releases/default/reviews';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The example's objects with endpoints where Bookinfo really listens, and holds that only a request ends. */
function adapted(objects: readonly KubeObject[], ports: BookinfoPorts, propagate: readonly string[]): KubeObject[] {
  const moved = new Map(Object.entries(BOOKINFO_PORTS).map(([workload, port]) => [port, ports[workload as keyof BookinfoPorts]]));
  return objects.map((object) => {
    if (object.kind === 'ServiceEntry') {
      const { spec } = object as ServiceEntry;
      const endpoints = spec.endpoints?.map((endpoint) => ({
        ...endpoint,
        ports: { http: moved.get(endpoint.ports?.['http'] ?? 0) ?? 0 },
      }));
      return { ...object, spec: { ...spec, endpoints } };
    }
    if (object.kind !== 'CanaryRelease') return object;
    const spec = object.spec as { readonly visitorId: object };
    const steps = [25, 50, 100].map((weight) => ({ weight, hold: 'manual' }));
    return { ...object, spec: { ...spec, visitorId: { ...spec.visitorId, propagate }, steps } };
  });
}

/** Perch, its gateway and Bookinfo, all real; `forward`: what Bookinfo's services pass on. */
async function start(propagate: readonly string[], forward?: readonly string[]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'perch-demo-test-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const map = new Map([
    [8080, 0],
    [9080, 0],
  ]);
  const log = { info: () => {}, warn: () => {}, audit: () => {}, error: () => {} };
  const runtime = await startRuntime({ dataDir, apiPort: 0, proxyPort: 0, map, log });
  cleanups.push(() => runtime.close(500));
  const portOf = (kind: 'proxy' | 'ingress') => runtime.addresses().find((address) => address.kind === kind)?.actualPort ?? 0;
  const perchApi = `http://127.0.0.1:${runtime.apiPort}`;
  const proxy = { host: '127.0.0.1', port: portOf('proxy') };
  const bookinfo = await startBookinfo({ ports: FREE_PORTS, proxy, perchApi, ...(forward && { forward }) });
  cleanups.push(() => bookinfo.close());
  const { objects } = await readManifestFiles([EXAMPLE]);
  const applied = await runtime.store.apply(
    'files',
    adapted(
      objects.map(({ object }) => object),
      bookinfo.ports,
      propagate,
    ),
  );
  expect(applied).toMatchObject({ ok: true });
  await until(async () => (await view()).status?.stepStartedAt !== undefined);

  async function view(): Promise<{
    readonly status?: { readonly stepStartedAt?: string; readonly step: number };
    readonly exposure?: ExposureSummary;
  }> {
    return (await (await fetch(perchApi + RELEASE)).json()) as Awaited<ReturnType<typeof view>>;
  }

  return {
    url: `http://127.0.0.1:${portOf('ingress')}/productpage`,
    exposure: async (): Promise<VisitorExposure> => {
      const { exposure } = await view();
      if (exposure?.counts !== 'visitors') throw new Error('there are no figures');
      return exposure;
    },
    promote: async (): Promise<void> => {
      const body = JSON.stringify({ action: 'promote', by: 'test' });
      const answer = await fetch(`${perchApi}${RELEASE}/requests?wait=10000`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(200);
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen in 30 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const visit = (url: string, count: number) => {
  const visitors = startVisitors({ count, url, thinkTimeMs: 20, leaveChance: 0.2 });
  cleanups.push(() => visitors.close());
  return visitors;
};

describe('what is measured is what the visitors went through', () => {
  test('Bookinfo as it is: every visitor is measured, nobody mixes, nobody goes back', async () => {
    const perch = await start(['baggage', 'cookie', 'requestId']);
    const visitors = visit(perch.url, 10);
    await until(() => visitors.stats().visitors >= 150);
    await perch.promote();
    await until(async () => (await perch.exposure()).visitors.total >= 150);
    await visitors.close();
    const { visitors: counted, synthetic, real, assigned, share = 0, moved, errors, weight } = await perch.exposure();
    const went = visitors.stats();
    expect(went).toMatchObject({ failures: 0, mixed: 0, returns: 0 });
    // Whoever moved saw it happen, but for those who were cut off in the middle of a page.
    expect(Math.abs(moved.toCanary - went.switches)).toBeLessThanOrEqual(10);
    expect(moved.back).toBe(0);
    expect(weight).toBe(50);
    // Five standard deviations.
    expect(Math.abs(share - 50)).toBeLessThan(500 * Math.sqrt(0.25 / counted.total));
    expect(assigned.total).toBeLessThanOrEqual(10);
    expect(errors).toEqual({ stable: 0, canary: 0 });
    expect(real.visitors.total).toBe(0);
    expect(synthetic.visitors).toEqual(counted);
  });

  test.each([
    ['x-request-id and baggage: joined to the edge', ['x-request-id', 'baggage'], 'measured', true],
    ['baggage alone: assigned, by what the edge decided', ['baggage'], 'assigned', true],
    ['nothing: assigned, and in truth everyone is on stable', [], 'assigned', false],
  ] as const)('behind services that pass on %s', async (_, forward, where, reaches) => {
    const perch = await start(['baggage', 'cookie'], forward);
    const visitors = visit(perch.url, 10);
    await until(() => visitors.stats().visitors >= 80);
    await visitors.close();
    const { visitors: measured, assigned, requests } = await perch.exposure();
    // Those cut off in the middle of a page may have passed the edge only.
    expect(where === 'measured' ? measured.total : assigned.total).toBeGreaterThanOrEqual(visitors.stats().visitors - 10);
    expect(where === 'measured' ? assigned.total : measured.total).toBeLessThanOrEqual(where === 'measured' ? 10 : 0);
    const { total, canary } = where === 'measured' ? measured : assigned;
    expect(Math.abs(canary - total / 4)).toBeLessThan(5 * Math.sqrt((total * 3) / 16));
    expect(requests.stable).toBeGreaterThan(0);
    if (reaches) expect(requests.canary).toBeGreaterThan(0);
    else expect(requests.canary).toBe(0);
    expect(visitors.stats()).toMatchObject({ failures: 0, mixed: 0, switches: 0 });
  });
});
