import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startVersion } from '../../../test/harness/version-server.ts';
import type { RequestEvent } from '../../core/evidence/request-event.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { PortInUseError } from '../../gateway/port-in-use-error.ts';
import type { DataPlane } from '../data-plane.ts';
import type { RoutedObjects } from '../routed-objects.ts';
import { startWorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const SILENT = { info: () => {}, warn: () => {}, audit: () => {}, error: () => {} };
const pools: DataPlane[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close(0);
});

async function start(options: Partial<WorkerPoolOptions> = {}): Promise<DataPlane> {
  const free = new Map([
    [80, 0],
    [81, 0],
  ]);
  const defaults = {
    count: 2,
    map: free,
    proxyPort: undefined,
    limits: {},
    credentials: undefined,
    observe: () => {},
    accessLog: undefined,
    traceShare: undefined,
    log: SILENT,
  };
  const pool = await startWorkerPool({ ...defaults, ...options });
  pools.push(pool);
  return pool;
}

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec };
}

/** A gateway at these ports; what it serves says `text`. */
function saying(text: string, ports: readonly number[] = [80]): RoutedObjects {
  const servers = ports.map((number) => ({ port: { number, name: `http-${number}`, protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }));
  const http = [{ directResponse: { status: 200, body: { string: text } } }];
  const objects = [object('Gateway', 'edge', { servers }), object('VirtualService', 'all', { hosts: ['*'], gateways: ['edge'], http })];
  return { objects, delegates: new Set(), idNames: { cookies: [], headers: [] } };
}

/** A gateway that leads to a service with endpoints at these ports. */
function leadingTo(ports: readonly number[]): RoutedObjects {
  const service = object('ServiceEntry', 'web', {
    hosts: ['web.default.svc.cluster.local'],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 81, name: 'http', protocol: 'HTTP' }],
    endpoints: ports.map((port) => ({ address: '127.0.0.1', ports: { http: port } })),
  });
  const http = [{ route: [{ destination: { host: 'web', port: { number: 81 } } }] }];
  const { objects, ...rest } = saying('x');
  const routed = objects.map((each) =>
    each.kind === 'VirtualService' ? object('VirtualService', 'all', { hosts: ['*'], gateways: ['edge'], http }) : each,
  );
  return { objects: [...routed, service], ...rest };
}

/** Processes that a process has started, and that have not ended. */
function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/self/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function portOf(pool: DataPlane, declared = 80): number {
  return pool.addresses().find(({ port }) => port === declared)?.actualPort ?? 0;
}

/** What a new connection is answered. */
function ask(port: number): Promise<string> {
  const agent = new Agent();
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', agent, headers: { host: 'shop' } }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => {
        agent.destroy();
        resolve(body);
      });
    })
      .once('error', reject)
      .end();
  });
}

describe('a pool of workers', { skip: process.platform !== 'linux' }, () => {
  test('serves every change in all workers at once: nobody is answered as before after anyone was answered anew', async () => {
    const pool = await start();
    await pool.publish(saying('0'));
    const port = portOf(pool);
    const later: string[] = [];
    let newest = 0;
    let isOver = false;
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const atLeast = newest;
        const seen = Number(await ask(port));
        if (seen < atLeast) later.push(`${seen} after ${atLeast}`);
        newest = Math.max(newest, seen);
      }
    });
    for (let change = 1; change <= 40; change++) await pool.publish(saying(String(change)));
    isOver = true;
    await Promise.all(clients);
    expect(later).toEqual([]);
    expect(await Promise.all(Array.from({ length: 16 }, () => ask(port)))).toEqual(Array.from({ length: 16 }, () => '40'));
  });

  test('a port that is taken changes nothing in any of them, and opens once it is free', async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const taken = (stranger.address() as { port: number }).port;
    const map = new Map([
      [80, 0],
      [81, taken],
    ]);
    const pool = await start({ map });
    await pool.publish(saying('former'));
    await expect(pool.publish(saying('new', [80, 81]))).rejects.toThrow(new PortInUseError('EADDRINUSE', '127.0.0.1', taken));
    expect(new Set(await Promise.all(Array.from({ length: 16 }, () => ask(portOf(pool)))))).toEqual(new Set(['former']));
    await new Promise((resolve) => stranger.close(resolve));
    await pool.publish(saying('new', [80, 81]));
    expect(portOf(pool, 81)).toBe(taken);
    expect(new Set(await Promise.all(Array.from({ length: 16 }, () => ask(taken))))).toEqual(new Set(['new']));
    await pool.publish(saying('new', [80]));
    await expect(ask(taken)).rejects.toThrow('ECONNREFUSED');
  });

  test('tells of every request and hands on every line of the access log, the last ones as it ends', async () => {
    const events: RequestEvent[] = [];
    const lines: string[] = [];
    const pool = await start({ observe: (event) => events.push(event), accessLog: (line) => lines.push(line) });
    await pool.publish(saying('x'));
    for (let count = 0; count < 40; count++) await ask(portOf(pool));
    await pool.close(1000);
    expect(events).toHaveLength(40);
    expect(events[0]).toMatchObject({ listener: 'ingress', method: 'GET', status: 200 });
    expect(lines.map((line) => (JSON.parse(line) as { response_code: number }).response_code)).toEqual(
      Array.from({ length: 40 }, () => 200),
    );
  });

  test('ejections are told of all workers together, also of one that has ended, and so is how many serve', async () => {
    const pids: number[] = [];
    const broken = createHttpServer((_request, response) => {
      response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const version = await startVersion('b');
    try {
      const { port } = broken.address() as { port: number };
      const rules = object('DestinationRule', 'web', {
        host: 'web',
        trafficPolicy: { outlierDetection: { consecutive5xxErrors: 2, baseEjectionTime: '600s', maxEjectionPercent: 50 } },
      });
      const log = { ...SILENT, info: (line: string) => pids.push(Number(/^worker (\d+) serves$/.exec(line)?.[1])) };
      const others = new Set(childrenOf(process.pid));
      const pool = await start({ count: 1, log });
      const routed = leadingTo([port, version.port]);
      await pool.publish({ ...routed, objects: [...routed.objects, rules] });
      expect([pool.ejections(), pool.workers?.()]).toEqual([[], { wanted: 1, serving: 1, restarts: 0 }]);
      for (let count = 0; count < 12; count++) await ask(portOf(pool));
      const told = { cluster: 'outbound|81||web.default.svc.cluster.local', active: 1, enforced: 1, overflowed: 0 };
      await expect.poll(() => pool.ejections()).toEqual([told]);
      for (const child of childrenOf(process.pid)) if (!others.has(child)) process.kill(child, 'SIGKILL');
      await expect.poll(() => pool.workers?.(), { timeout: 10_000 }).toEqual({ wanted: 1, serving: 1, restarts: 1 });
      expect(pids).toHaveLength(1);
      expect(pool.ejections()).toEqual([{ ...told, active: 0 }]);
    } finally {
      broken.close();
      await version.close();
    }
  });

  test('endpoints that are found unhealthy get no requests from any worker, until they are found otherwise', async () => {
    const versions = await Promise.all(['a', 'b'].map((name) => startVersion(name)));
    try {
      const pool = await start();
      await pool.publish(leadingTo(versions.map(({ port }) => port)));
      const seen = async () => new Set(await Promise.all(Array.from({ length: 24 }, () => ask(portOf(pool)))));
      expect(await seen()).toEqual(new Set(['a', 'b']));
      pool.avoid([{ address: '127.0.0.1', port: versions[0]?.port ?? 0 }]);
      await expect.poll(seen).toEqual(new Set(['b']));
      pool.avoid([]);
      await expect.poll(seen).toEqual(new Set(['a', 'b']));
    } finally {
      await Promise.all(versions.map((version) => version.close()));
    }
  });

  test('where no process can be started in the place of one that ended, it is tried again, and the others serve on', async () => {
    const program = `
      import { closeSync, openSync, readFileSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      import { startWorkerPool } from ${JSON.stringify(new URL('./worker-pool.ts', import.meta.url).href)};
      const [errors, infos] = [[], []];
      const log = { info: (line) => infos.push(line), warn: () => {}, audit: () => {}, error: (line) => errors.push(line) };
      const pool = await startWorkerPool({ count: 2, map: new Map([[80, 0]]), limits: {}, observe: () => {}, log });
      const { objects } = JSON.parse(process.argv[1]);
      await pool.publish({ objects, delegates: new Set(), idNames: { cookies: [], headers: [] } });
      const workers = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim().split(' ').map(Number);
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch (error) { if (error.code !== 'EMFILE') throw error; }
      process.kill(workers[0], 'SIGKILL');
      while (errors.length < 3) await sleep(10);
      for (const descriptor of taken) closeSync(descriptor);
      while (infos.length === 0) await sleep(10);
      console.log(JSON.stringify([pool.failure() ?? null, infos.length]));
      await pool.close(0);`;
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, JSON.stringify(saying('x'))];
    const child = spawn('sh', ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await once(child, 'close');
    expect(output.trim()).toBe(JSON.stringify([null, 1]));
  });

  test('findings of the routes are given back', async () => {
    const pool = await start();
    const lost = object('VirtualService', 'lost', { hosts: ['*'], gateways: ['nowhere'], http: [{ redirect: { uri: '/' } }] });
    const { objects, ...rest } = saying('x');
    expect(await pool.publish({ objects: [...objects, lost], ...rest })).toMatchObject([{ object: 'VirtualService default/lost' }]);
    expect(await pool.publish({ objects, ...rest })).toEqual([]);
  });
});
