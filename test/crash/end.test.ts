import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient } from '../gateway/raw-client.ts';
import { PerchProcess, perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { FREE_PORTS, type Serving, startServing } from '../harness/serving.ts';
import { webReleaseYaml } from '../harness/web-manifests.ts';
import { statusOf, untilPhase, versionsSeen } from './release-scene.ts';

// The end that someone asks for: SIGTERM by a service manager, Ctrl-C, both more than once, and at any moment of a start.

let scene: Scene;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  scene = await createScene();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await scene.close();
});

const ENDS = 'perch ends when requests in flight are answered; another Ctrl-C or SIGTERM ends it at once\n';

/** A service in the place of v1 that answers when, and as, the test wants. */
class SlowService {
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;
  #next = Promise.withResolvers<readonly [IncomingMessage, ServerResponse]>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      const { resolve } = this.#next;
      this.#next = Promise.withResolvers();
      resolve([request, response]);
    });
    // Echoes what comes, once the connection is a tunnel.
    server.on('upgrade', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.on('error', () => {});
      socket.pipe(socket);
    });
  }

  static async start(): Promise<SlowService> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SlowService(server);
  }

  /** The next request that comes, and the way to answer it. */
  next(): Promise<readonly [IncomingMessage, ServerResponse]> {
    return this.#next.promise;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function serveSlow(
  args: readonly string[] = [],
  within: readonly string[] = [],
): Promise<{ readonly served: Serving; readonly service: SlowService }> {
  const service = await SlowService.start();
  cleanups.push(() => service.close());
  const basics = join(scene.files, 'basics.yaml');
  const toService = readFileSync(basics, 'utf8').replace(
    /http: \d+\}, labels: \{version: v1\}/,
    `http: ${service.port}}, labels: {version: v1}`,
  );
  writeFileSync(basics, toService);
  const served = await startServing(
    ['--data', scene.data, '-f', scene.files, ...args],
    (process) => cleanups.push(() => process.stop('SIGKILL')),
    within,
  );
  return { served, service };
}

async function connectTo({ ingress }: Serving): Promise<RawClient> {
  const client = await RawClient.open(Number(new URL(ingress).port));
  cleanups.push(() => client.destroy());
  return client;
}

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Waits until nobody is let in any more. */
async function untilClosed({ ingress }: Serving): Promise<void> {
  const port = Number(new URL(ingress).port);
  // Without a request: one that is let in would wait for the slow service.
  const state = (): Promise<unknown> =>
    RawClient.open(port).then(
      (client) => client.destroy(),
      () => 'refused',
    );
  await expect.poll(state).toBe('refused');
}

describe.each([
  ['SIGTERM', 0],
  ['SIGINT', 130],
] as const)('%s', (signal, exitCode) => {
  test(`answers what is in flight, takes nothing new, says one line, and exits with ${exitCode}`, async () => {
    const { served, service } = await serveSlow();
    const [waiting, streaming, uploading, idle] = [
      await connectTo(served),
      await connectTo(served),
      await connectTo(served),
      await connectTo(served),
    ];
    let next = service.next();
    idle.send(GET);
    (await next)[1].end('first');
    await idle.untilText('first');
    next = service.next();
    waiting.send(GET);
    const [, unanswered] = await next;
    next = service.next();
    streaming.send(GET);
    const [, half] = await next;
    half.write('one, ');
    await streaming.untilText('one, ');
    next = service.next();
    uploading.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 6\r\n\r\nabc');
    const [upload, uploaded] = await next;

    served.process.signal(signal);
    await untilClosed(served);
    await idle.untilClosed();
    await expect(fetch(`${served.server}/readyz`)).rejects.toThrow();

    unanswered.end('late');
    half.write('two, ');
    await streaming.untilText('two, ');
    half.end('three');
    uploading.send('def');
    let body = '';
    for await (const chunk of upload) body += String(chunk);
    uploaded.end(`got ${body}`);

    expect(await waiting.untilClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*late$/s);
    expect(await uploading.untilClosed()).toMatch(/connection: close\r\n.*got abcdef$/s);
    expect((await streaming.untilClosed()).endsWith('three\r\n0\r\n\r\n')).toBe(true);
    expect(await served.process.exited).toBe(exitCode);
    expect(served.process.stdout.endsWith(`\n${ENDS}`)).toBe(true);
    expect(served.process.stderr.replaceAll(/^audit: .*\n/gm, '')).toBe('');
  });

  test('what does not end within its grace is cut, and a WebSocket goes on until then', async () => {
    const { served, service } = await serveSlow(['--limit', 'closeGraceMs=3s']);
    const [tunnel, stuck] = [await connectTo(served), await connectTo(served)];
    tunnel.send(UPGRADE);
    await tunnel.untilText('101 Switching Protocols');
    const next = service.next();
    stuck.send(GET);
    await next;
    served.process.signal(signal);
    await untilClosed(served);
    tunnel.send('still here');
    await tunnel.untilText('still here');
    expect(await served.process.exited).toBe(exitCode);
    await tunnel.untilClosed();
    expect(await stuck.untilClosed()).toBe('');
    expect(served.process.stderr.replaceAll(/^audit: .*\n/gm, '')).toBe('');
  });

  test('a second, later one ends it at once', async () => {
    const { served, service } = await serveSlow(['--limit', 'closeGraceMs=1h']);
    const next = service.next();
    (await connectTo(served)).send(GET);
    await next;
    served.process.signal(signal);
    await served.process.until(/perch ends/);
    // A terminal and npm may pass the first one on twice.
    await sleep(700);
    expect(await served.process.stop(signal)).toBe(130);
  });

  test('mid-release: the next start goes on where it was', async () => {
    writeFileSync(join(scene.files, 'release.yaml'), webReleaseYaml());
    const first = await scene.serve('-f', scene.files);
    await untilPhase(first, 'Paused 0');
    await perch(['promote', 'web', '--server', first.server]);
    await untilPhase(first, 'Progressing 1');
    const before = await statusOf(first);
    expect(await first.process.stop(signal)).toBe(exitCode);
    expect(readdirSync(scene.data)).toEqual(['perch.db']);
    const second = await scene.serve('-f', scene.files);
    expect([await statusOf(second), await versionsSeen(second)]).toEqual([before, ['v2', 'v1']]);
  });
});

// util-linux's `script`: a terminal, which is gone when it is killed.
test.skipIf(process.platform !== 'linux')(
  'its terminal is closed: what is in flight is answered all the same, and the data is closed',
  async () => {
    const inTerminal = ['sh', '-c', 'exec script -qfc "stty -onlcr; exec $*" /dev/null', 'sh'];
    const { served, service } = await serveSlow([], inTerminal);
    const client = await connectTo(served);
    const next = service.next();
    client.send(GET);
    const [, response] = await next;
    response.write('one, ');
    await client.untilText('one, ');
    await served.process.stop('SIGKILL');
    await untilClosed(served);
    response.end('two');
    expect((await client.untilClosed()).endsWith('two\r\n0\r\n\r\n')).toBe(true);
    await expect.poll(() => readdirSync(scene.data), { timeout: 10_000 }).toEqual(['perch.db']);
  },
);

describe('while it starts', () => {
  test('SIGTERM ends it cleanly, at any moment', async () => {
    for (const delay of [0, 150, 250, 350, 500]) {
      const starting = new PerchProcess(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]);
      await sleep(delay);
      const code = await starting.stop('SIGTERM');
      // Before Node runs any of our code the signal ends the process by itself: no exit code.
      expect([0, null], `after ${delay} ms: ${starting.stderr}`).toContain(code);
      expect(starting.stderr.replaceAll(/^audit: .*\n/gm, '')).toBe('');
    }
    expect(await (await fetch((await scene.serve('-f', scene.files)).ingress)).text()).toBe('v1');
  });

  test('Ctrl-C leaves no directory of the demo behind, at any moment', async () => {
    const home = mkdtempSync(join(tmpdir(), 'perch-ctrl-c-'));
    cleanups.push(() => rmSync(home, { recursive: true }));
    const directories = (): readonly string[] => readdirSync(home);
    const ending = async (demo: PerchProcess): Promise<void> => {
      expect([130, null], demo.stderr).toContain(await demo.stop('SIGINT'));
      expect([demo.stderr, directories()]).toEqual(['', []]);
    };
    const start = (): PerchProcess => new PerchProcess(['demo', '--gateway-port', '0', '--api-port', '0'], { TMPDIR: home });
    for (const delay of [200, 350, 500, 650, 800]) {
      const demo = start();
      await sleep(delay);
      await ending(demo);
    }
    const demo = start();
    await expect.poll(directories, { interval: 5, timeout: 20_000 }).toHaveLength(1);
    await ending(demo);
  });
});
