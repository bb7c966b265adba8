import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gateway, manifestsOf, subsets } from '../../../test/harness/routes.ts';
import { seededUuid } from '../../../test/harness/seeded-random.ts';
import { startVersion, type VersionServer } from '../../../test/harness/version-server.ts';
import { forecastView } from '../../core/view/forecast-view.ts';
import { latencyView } from '../../core/view/latency-view.ts';
import { routeTrialView } from '../../core/view/route-trial-view.ts';
import { timelineView } from '../../core/view/timeline-view.ts';
import { wovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { bucketOf } from '../../core/visitor/bucket.ts';
import { type Runtime, startRuntime } from '../runtime.ts';

let runtime: Runtime;
let servers: readonly VersionServer[];
const dataDir = mkdtempSync(join(tmpdir(), 'perch-views-'));
const RELEASE = '/api/v1/releases/default/web';
const CANARY = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'web' },
  spec: {
    service: { host: 'web', port: 9080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'web' } },
    steps: [
      { weight: 50, hold: 'manual' },
      { weight: 100, hold: 'manual' },
    ],
  },
};
const fail = (message: string, error?: unknown): never => expect.fail(`${message} ${String(error)}`);
const SILENT = { info: () => {}, warn: () => {}, audit: () => {}, error: fail };

beforeEach(async () => {
  servers = await Promise.all(['v1', 'v2'].map((version) => startVersion(version)));
  const map = new Map([8080, 9080].map((port) => [port, 0]));
  runtime = await startRuntime({ dataDir, apiPort: 0, map, uuid: seededUuid(11), log: SILENT });
  const endpoints = servers.map(({ port }, index) => `{address: 127.0.0.1, ports: {http: ${port}}, labels: {version: v${index + 1}}}`);
  const objects = manifestsOf(
    gateway(),
    subsets('web', ['v1', 'v2']),
    `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec: {hosts: [web.default.svc.cluster.local], resolution: STATIC, ports: [{number: 9080, name: http, protocol: HTTP}], endpoints: [${endpoints.join(', ')}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: web, subset: v1}}]}]}
`,
  );
  const applied = await runtime.store.apply('files', [...objects, CANARY]);
  if (!applied.ok) throw new Error(applied.diagnostics.map(({ message }) => message).join('\n'));
  await runtime.served(applied.revision);
});

afterEach(async () => {
  await runtime.close(0);
  for (const server of servers) await server.close();
  rmSync(dataDir, { recursive: true });
});

async function api(path: string, body?: unknown): Promise<unknown> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`http://127.0.0.1:${runtime.apiPort}${path}`, sent);
  expect(response.status, path).toBeLessThan(300);
  return await response.json();
}

const ingress = () => runtime.addresses().find(({ kind }) => kind === 'ingress')?.actualPort ?? expect.fail('no ingress');

/** A visitor's request through the gateway; gives the version that answered. */
function visit(id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port: ingress(), path: '/', headers: { cookie: `perch=${id}`, 'user-agent': 'Mozilla/5.0' } },
      (response) => {
        text(response).then(resolve, reject);
      },
    )
      .on('error', reject)
      .end();
  });
}

test('what visitors did through the gateway is what the views tell, and a trial goes where they go', async () => {
  await expect.poll(async () => ((await api(RELEASE)) as { status?: { phase?: string } }).status?.phase).toBe('Paused');
  const offset =
    (await runtime.store.get({ kind: 'CanaryRelease', namespace: 'default', name: 'web' }))?.status?.offset ?? expect.fail('no offset');
  const uuid = seededUuid(3);
  const ids = Array.from({ length: 40 }, () => uuid());
  const isCanary = (id: string): boolean => (bucketOf(id, offset) ?? 4096) < 2048;
  const answers = await Promise.all(ids.map(visit));
  expect(answers.map((answer) => answer.includes('v2'))).toEqual(ids.map(isCanary));
  const canary = ids.filter(isCanary).length;

  const timeline = async () => timelineView.parse(await api(`${RELEASE}/timeline`));
  await expect.poll(async () => (await timeline()).items.at(-1)?.visitors).toBe(40);
  expect((await timeline()).items.at(-1)).toMatchObject({
    weight: 50,
    share: (100 * canary) / 40,
    requests: { stable: 40 - canary, canary },
  });

  const { exposure } = (await api(RELEASE)) as { exposure?: { latency?: unknown } };
  const { stable, canary: ofCanary } = latencyView.parse(exposure?.latency);
  for (const each of [stable, ofCanary]) {
    expect(each?.p50Ms).toBeGreaterThan(0);
    expect(each?.p99Ms).toBeGreaterThanOrEqual(each?.p50Ms ?? 0);
    // The whole test took no longer.
    expect(each?.p99Ms).toBeLessThan(performance.now() * 1.04);
  }

  for (const id of [ids.find(isCanary), ids.find((each) => !isCanary(each))]) {
    const trial = { listener: 'ingress', method: 'GET', url: `http://127.0.0.1:${ingress()}/`, visitorId: id };
    const { trail, outcome, sentence } = routeTrialView.parse(await api('/api/v1/route-trials', trial));
    const version = isCanary(id ?? '') ? 'v2' : 'v1';
    expect(outcome).toMatchObject({ kind: 'forward', destinations: [{ subset: version, percent: 100, endpoints: 1 }] });
    expect(sentence).toMatch(
      isCanary(id ?? '')
        ? /by rule “known visitors of the canary \(default\/web\)”/
        : /by rule “all other known visitors \(default\/web\)”/,
    );
    expect(trail.at(-2)).toMatchObject({ kind: 'rule', object: 'default/web', matched: true });
  }

  const { items } = wovenRoutesView.parse(await api(`${RELEASE}/routes`));
  expect(items.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['VirtualService web']);
  expect(items[0]?.lines.some(({ sign, text: line }) => sign === '+' && line.includes('perch:default/web:known:canary'))).toBe(true);
  expect(forecastView.parse(await api(`${RELEASE}/forecast?action=promote`))).toMatchObject({
    ...{ allowed: true, moves: { visitors: 40 - canary, of: 40, to: 'canary', isEstimate: false } },
    sentence: `Promote to 100 %: ${40 - canary} of 40 visitors move from v1 to v2 with their next request`,
  });
});
