// `node bench/envoy/run.ts`: what 200 woven rules cost a real Envoy, by request. See ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { PerchProcess } from '../../test/harness/perch-process.ts';
import { seededRandom, seededUuid } from '../../test/harness/seeded-random.ts';
import { freePort } from '../../test/real/free-port.ts';
import { type IstioCluster, startIstioCluster } from '../../test/real/istio-cluster.ts';
import { INGRESS, type MeshEnvoy, startIstiod, startMeshEnvoy } from '../../test/real/mesh.ts';
import { provideEnvoy } from '../../tools/provide-envoy.ts';
import { provideKubernetes } from '../../tools/provide-kubernetes.ts';
import { readCount, readOptions, say } from '../command-line.ts';
import { LOAD_CORE, MEASURED_CORE } from '../cores.ts';
import { runLoad, writeRequestScript } from '../gateway/load.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../median.ts';
import { cpuTime } from '../process-cpu.ts';
import { runBench } from '../run-bench.ts';
import { shuffled } from '../shuffled.ts';
import { table } from '../table.ts';

/** As the issue of the controller has it: CPU per request, woven by not woven. */
const GOAL = 2.5;
const HOST = 'shop.test';
const COOKIE_BYTES = 2048;

const USAGE = `usage: node bench/envoy/run.ts [options]

CPU of a real Envoy by request, behind a real istiod, before and after a release was woven into a VirtualService of many rules.

  --rules N         prefixes in the VirtualService                        (200)
  --rounds N        windows of each kind of request at each Envoy         (7)
  --seconds N       how long a window takes                               (4)
  --record          write the results to results/DATE.md
  --help            this text

Example
  node bench/envoy/run.ts --record          about 5 minutes
`;

interface Plan {
  readonly rules: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly record: boolean;
}

function readPlan(args: readonly string[]): Plan | string {
  const { help, rules, rounds, seconds, record } = readOptions(args, {
    rules: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (help) return USAGE;
  return { rules: readCount('rules', rules), rounds: readCount('rounds', rounds), seconds: readCount('seconds', seconds), record };
}

function istio(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec };
}

/** The same rules at two gateways; a release adopts the second. All of it is served by one origin. */
function objects(rules: number, origin: number, ports: { readonly plain: number; readonly woven: number }): readonly KubeObject[] {
  const service = (name: string) =>
    istio('ServiceEntry', name, {
      hosts: [`${name}.default.svc.cluster.local`],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      endpoints: ['v1', 'v2'].map((version) => ({ address: '127.0.0.1', ports: { http: origin }, labels: { version } })),
    });
  const http = [
    ...Array.from({ length: rules }, (_, index) => ({
      match: [{ uri: { prefix: prefixOf(index) } }],
      route: [{ destination: { host: 'web', subset: 'v1', port: { number: 80 } } }],
    })),
    { route: [{ destination: { host: 'other', port: { number: 80 } } }] },
  ];
  return [
    service('web'),
    service('other'),
    istio('DestinationRule', 'web', { host: 'web', subsets: ['v1', 'v2'].map((name) => ({ name, labels: { version: name } })) }),
    ...(['plain', 'woven'] as const).flatMap((name) => [
      istio('Gateway', name, {
        selector: { istio: name },
        servers: [{ port: { number: ports[name], name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }],
      }),
      istio('VirtualService', name, { hosts: [HOST], gateways: [name], http }),
    ]),
    {
      apiVersion: 'perch.dev/v1alpha1',
      kind: 'CanaryRelease',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        service: { host: 'web', port: 80 },
        stable: { subset: 'v1' },
        canary: { subset: 'v2' },
        route: { adopt: { virtualService: 'woven' } },
        steps: [10, 100].map((weight) => ({ weight, hold: 'manual' })),
      },
    },
  ];
}

function prefixOf(index: number): string {
  return `/section-${index}/`;
}

/** 256 requests of one kind, each with some 2 KB of cookies. */
function requests(path: string, hasId: boolean): readonly string[] {
  const random = seededRandom(20261129);
  const uuid = seededUuid(20261129);
  const token = (length: number) => Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join('');
  return Array.from({ length: 256 }, () => {
    const before = `_ga=GA1.2.1298712345.1761203344; consent=analytics:1,ads:0; session=${token(COOKIE_BYTES / 2)}`;
    const middle = hasId ? `perch=${uuid()}` : `other=${uuid()}`;
    const cookie = `${before}; ${middle}; cart=`;
    return [
      `GET ${path} HTTP/1.1`,
      `Host: ${HOST}`,
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      `Cookie: ${cookie}${token(COOKIE_BYTES - cookie.length)}`,
      '',
      '',
    ].join('\r\n');
  });
}

async function startOrigin(): Promise<Server> {
  const body = Buffer.alloc(1024, 'x');
  const server = createServer((_, response) => response.writeHead(200, { 'content-length': body.length }).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Microseconds of an Envoy's CPU by request, over one window. */
async function windowOf(envoy: MeshEnvoy, port: number, script: string, seconds: number): Promise<number> {
  const before = cpuTime(envoy.pid);
  const { requests: count } = await runLoad({ script, port, seconds, core: LOAD_CORE });
  const after = cpuTime(envoy.pid);
  return ((after.user - before.user + after.system - before.system) * 1e6) / count;
}

async function answers(port: number, path: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const status = await new Promise<string>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`),
      );
      let text = '';
      socket.on('data', (part) => (text += String(part)));
      socket.on('error', () => resolve(''));
      socket.on('close', () => resolve(text.split(' ')[1] ?? ''));
    });
    if (status === '200') return;
    if (performance.now() > deadline) throw new Error(`port ${port} answers ${path} with ${status}`);
    await sleep(100);
  }
}

/** How many routes an Envoy has for the host. */
async function routesOf(envoy: MeshEnvoy): Promise<number> {
  const dump = await envoy.admin('/config_dump?resource=dynamic_route_configs');
  const { configs } = JSON.parse(dump) as {
    readonly configs: readonly {
      readonly route_config: {
        readonly virtual_hosts: readonly { readonly domains: readonly string[]; readonly routes: readonly unknown[] }[];
      };
    }[];
  };
  const hosts = configs.flatMap(({ route_config }) => route_config.virtual_hosts).filter(({ domains }) => domains.includes(HOST));
  return hosts.reduce((sum, { routes }) => sum + routes.length, 0);
}

async function measureEnvoys(
  cluster: IstioCluster,
  parts: { readonly istiod: string; readonly envoy: string },
  plan: Plan,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-envoy-'));
  const origin = await startOrigin();
  const ports = { plain: await freePort(), woven: await freePort() };
  const stops: (() => unknown)[] = [() => origin.close(), () => origin.closeAllConnections(), () => rmSync(folder, { recursive: true })];
  try {
    await cluster.apply(...objects(plan.rules, (origin.address() as AddressInfo).port, ports));
    const controller = new PerchProcess(['controller', '--kubeconfig', cluster.controllerKubeconfig, '--settle', '200ms']);
    stops.push(() => controller.stop());
    const isWoven = async () =>
      ((await cluster.get({ kind: 'CanaryRelease', name: 'web' })) as { readonly status?: { readonly phase: string } } | undefined)?.status
        ?.phase === 'Paused';
    while (!(await isWoven())) await sleep(200);
    const istiod = await startIstiod(parts.istiod, cluster.kubeconfig);
    stops.push(() => istiod.stop());
    const start = async (name: 'plain' | 'woven', address: string): Promise<MeshEnvoy> => {
      const workload = { ...INGRESS, name, address, labels: { istio: name } };
      const envoy = await startMeshEnvoy(parts.envoy, istiod, workload, ports[name], {
        within: ['taskset', '-c', String(MEASURED_CORE)],
      });
      stops.push(() => envoy.stop());
      return envoy;
    };
    const envoys = { plain: await start('plain', '10.255.0.1'), woven: await start('woven', '10.255.0.2') };
    const last = `${prefixOf(plan.rules - 1)}page`;
    for (const port of Object.values(ports)) for (const path of [last, '/elsewhere']) await answers(port, path);
    const counts = [await routesOf(envoys.plain), await routesOf(envoys.woven)];
    say(`routes: ${counts.join(' before, ')} after`);

    const cases = [
      ['the last rule, a visitor with an id', requests(last, true)],
      ['the last rule, a visitor without one', requests(last, false)],
      ['a path that no rule is for, with an id', requests('/elsewhere', true)],
      ['a path that no rule is for, without one', requests('/elsewhere', false)],
    ] as const;
    const rows: string[][] = [];
    for (const [index, [name, texts]] of cases.entries()) {
      const script = writeRequestScript(join(folder, `${index}.lua`), texts);
      const seen = { plain: [] as number[], woven: [] as number[] };
      // One more first, which counts for nothing: connections, and what is allocated once.
      for (let round = -1; round < plan.rounds; round++) {
        for (const which of shuffled(['plain', 'woven'] as const, Math.random)) {
          const cost = await windowOf(envoys[which], ports[which], script, plan.seconds);
          if (round >= 0) seen[which].push(cost);
        }
      }
      const ratios = seen.woven.map((cost, round) => cost / (seen.plain[round] ?? Number.NaN));
      const ratio = median(ratios);
      const us = (values: readonly number[]) => `${median(values).toFixed(1)} us`;
      const verdict = ratio <= GOAL ? 'met' : 'MISSED';
      const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
      rows.push([name, us(seen.plain), us(seen.woven), `${ratio.toFixed(2)} x`, spread, `${GOAL} x: ${verdict}`]);
      say(rows.at(-1)?.join(' | ') ?? '');
    }
    return [
      `${plan.rules} prefixes of one VirtualService: ${counts[0]} routes in Envoy before, ${counts[1]} once the release is on its first step. Cookies of ${COOKIE_BYTES} bytes.`,
      `Medians over ${plan.rounds} pairs of windows of ${plan.seconds} s.`,
      '',
      table([['CPU of Envoy by request', 'before', 'woven', 'ratio', 'from', 'goal, at most'], ...rows], 1),
    ].join('\n');
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

await runBench({
  file: import.meta.url,
  title: 'What woven rules cost Envoy',
  programs: ['taskset', 'wrk'],
  readPlan,
  async measure(plan) {
    const [parts, envoy] = [await provideKubernetes(), await provideEnvoy()];
    const cluster = await startIstioCluster(parts);
    try {
      const measured = await measureEnvoys(cluster, { ...parts, envoy }, plan);
      return `${[...(await describeMachine(['wrk'], envoy)), '', measured].join('\n')}\n`;
    } finally {
      await cluster.stop();
    }
  },
});
