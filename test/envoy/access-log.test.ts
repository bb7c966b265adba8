import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { liveThrough, ROUTE_TIMEOUT_MS, SITUATIONS, STALL_MS, situationTable, startSituationOrigin } from '../gateway/logged-situations.ts';
import { type Origin, refusingPort } from '../gateway/origins.ts';
import { startTestGateway, type TestGateway } from '../gateway/running-gateway.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { type RunningEnvoy, startEnvoy } from './envoy-process.ts';
import { type EnvoyRoute, hostsListener, staticCluster } from './static-config.ts';

const cluster = (subset: string) => `outbound|9080|${subset}|shop.default.svc.cluster.local`;
const CLUSTER = cluster('v1');

function route(name: string, prefix: string, cluster: string, more: object = {}): EnvoyRoute {
  return { name, match: { prefix }, route: { cluster, ...more } };
}

/** The same routes as `situationTable`. */
const ROUTES: readonly EnvoyRoute[] = [
  // Envoy would not start with a route to a cluster that it does not know; this one is named by a header that nobody sends.
  { name: 'shop', match: { prefix: '/unknown' }, route: { cluster_header: 'x-cluster' } },
  route('shop', '/empty', cluster('empty')),
  route('shop', '/dead', cluster('dead')),
  { name: 'direct', match: { prefix: '/direct' }, direct_response: { status: 418, body: { inline_string: 'tea' } } },
  { name: 'redirect', match: { prefix: '/redirect' }, redirect: { path_redirect: '/x' } },
  route('slow', '/slow', CLUSTER, { timeout: `${ROUTE_TIMEOUT_MS / 1000}s` }),
  route('shop', '/', CLUSTER),
];

/** Values that differ from one proxy to the other, or from one run to the next: compared by their form. */
const FORMS: Readonly<Record<string, RegExp>> = {
  start_time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  duration: /^\d+$/,
  request_id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  downstream_local_address: /^127\.0\.0\.1:\d+$/,
  downstream_remote_address: /^127\.0\.0\.1:\d+$/,
  upstream_local_address: /^127\.0\.0\.1:\d+$/,
  upstream_service_time: /^\d+$/,
  // Behind a loopback address Envoy names the machine's own.
  x_forwarded_for: /^\d+\.\d+\.\d+\.\d+$/,
};

type Line = Readonly<Record<string, unknown>>;

function comparable(line: Line, without: readonly string[]): Line {
  const kept = Object.entries(line).filter(([name]) => !without.includes(name));
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const form = FORMS[name];
      return [name, value !== null && form?.test(String(value)) ? `a ${typeof value} like ${form.source}` : value];
    }),
  );
}

describeWithEnvoy('Perch’s access log is Envoy’s, in Istio’s format', (executable) => {
  let folder: string;
  let origin: Origin;
  let envoy: RunningEnvoy;
  let perch: TestGateway;
  const theirs = async (): Promise<readonly Line[]> => {
    const text = await readFile(join(folder, 'log'), 'utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perch-log-'));
    origin = await startSituationOrigin();
    const dead = await refusingPort();
    const host = { name: 'shop', domains: ['shop'], routes: ROUTES };
    envoy = await startEnvoy(executable, {
      listeners: [hostsListener('edge', [host], { accessLog: join(folder, 'log'), stallMs: STALL_MS })],
      clusters: [staticCluster(CLUSTER, origin.port), staticCluster(cluster('empty')), staticCluster(cluster('dead'), dead)],
    });
    perch = await startTestGateway(situationTable(origin.port, dead), {
      limits: { requestHeadMs: STALL_MS, requestBodyStallMs: STALL_MS },
    });
  });

  afterAll(async () => {
    await perch?.gateway.close(0);
    await envoy?.stop();
    await origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(SITUATIONS)('$name', async (situation) => {
    const [before, ours] = [(await theirs()).length, perch.log.length];
    await Promise.all([liveThrough(situation, envoy.port('edge')), liveThrough(situation, perch.ingress)]);
    await expect.poll(async () => (await theirs()).length, { timeout: 10_000 }).toBe(before + 1);
    await expect.poll(() => perch.log.length, { timeout: 10_000 }).toBe(ours + 1);
    const [envoys = {}, perchs = {}] = [(await theirs())[before], perch.log[ours]];
    expect(Object.keys(perchs)).toEqual(Object.keys(envoys));
    const { unlikeEnvoy = [] } = situation;
    expect(comparable(perchs, unlikeEnvoy)).toEqual(comparable(envoys, unlikeEnvoy));
  });
});
