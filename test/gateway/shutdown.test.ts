import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PerchProcess } from '../harness/perch-process.ts';
import { type Serving, startServing } from '../harness/serving.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml } from '../harness/web-manifests.ts';
import { firstStatus, RawClient } from './raw-client.ts';

/** `perch serve` as real processes, before a service that answers when the test says so: at `/slow`, and at once elsewhere. */

let dir: string;
let origin: VersionServer;
let slow: ServerResponse[];
let running: PerchProcess[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perch-shutdown-'));
  slow = [];
  running = [];
  origin = await startVersion('v1', (request, response) => {
    if (request.url === '/slow') slow.push(response);
    else request.resume().on('end', () => response.end('v1'));
  });
  await mkdir(join(dir, 'manifests'));
  await writeFile(join(dir, 'manifests', 'web.yaml'), `${webBasicsYaml({ v1: origin.port, v2: origin.port })}---\n${WEB_ROUTES_YAML}`);
});

afterEach(async () => {
  await Promise.all(running.map((process) => process.stop('SIGKILL')));
  await origin.close();
  await rm(dir, { recursive: true, force: true });
});

function serve(name: string, ...args: readonly string[]): Promise<Serving & { readonly port: number }> {
  const started = startServing(['--data', join(dir, name), '-f', join(dir, 'manifests'), ...args], (process) => running.push(process));
  return started.then((serving) => ({ ...serving, port: Number(new URL(serving.ingress).port) }));
}

const SLOW = 'GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n';
const QUICK = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';

async function waitForEnd({ process }: Serving, client: RawClient): Promise<void> {
  await process.until(/perch ends when requests in flight are answered/);
  await client.untilClosed();
}

it('SIGTERM: what is at work is answered, with connection: close; idle connections end, new ones are refused; exit 0', async () => {
  const serving = await serve('data');
  const [busy, idle] = [await RawClient.open(serving.port), await RawClient.open(serving.port)];
  await idle.send(QUICK).untilText('v1');
  busy.send(SLOW);
  await expect.poll(() => slow.length).toBe(1);
  serving.process.signal('SIGTERM');
  await waitForEnd(serving, idle);
  await expect(RawClient.open(serving.port)).rejects.toThrow('ECONNREFUSED');
  expect(busy.received).toBe('');
  slow[0]?.end('done');
  const received = await busy.untilClosed();
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received.toLowerCase()).toContain('\r\nconnection: close\r\n');
  expect(received.endsWith('\r\n\r\ndone')).toBe(true);
  expect(await serving.process.exited).toBe(0);
});

it('what does not end is cut after closeGraceMs', async () => {
  const serving = await serve('data', '--limit', 'closeGraceMs=700ms');
  const busy = await RawClient.open(serving.port);
  busy.send(SLOW);
  await expect.poll(() => slow.length).toBe(1);
  const from = performance.now();
  expect(await serving.process.stop('SIGTERM')).toBe(0);
  expect(performance.now() - from).toBeGreaterThan(650);
  expect(await busy.untilClosed()).toBe('');
});

it.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const)('a second signal, %s then %s, ends it at once; exit 130', async (first, second) => {
  const serving = await serve('data', '--limit', 'closeGraceMs=10m');
  const busy = await RawClient.open(serving.port);
  busy.send(SLOW);
  await expect.poll(() => slow.length).toBe(1);
  serving.process.signal(first);
  await serving.process.until(/perch ends when requests in flight are answered; another Ctrl-C or SIGTERM ends it at once/);
  // Sooner it would be the same wish, said twice.
  await sleep(700);
  expect(await serving.process.stop(second)).toBe(130);
  await busy.untilClosed();
  expect(firstStatus(busy.received)).toBeUndefined();
});

/** Asks one request after the other, of the instance that serves: where one accepts no more connections, of the other one. */
function rolling(
  ports: () => readonly number[],
  clients: number,
): { stop(): Promise<{ readonly answered: number; readonly failed: string[] }> } {
  let isStopped = false;
  let answered = 0;
  const failed: string[] = [];
  const ask = (port: number, agent: Agent, method: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', agent, method }, (response: IncomingMessage) => {
        response
          .resume()
          .on('end', () => resolve(response.statusCode ?? 0))
          .on('error', reject);
      });
      request.on('error', reject);
      request.end(method === 'POST' ? 'hello' : undefined);
    });
  const ended = Array.from({ length: clients }, async (_, client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let at = 0;
    for (let count = 0; !isStopped; count++) {
      const port = ports()[at % ports().length] ?? 0;
      try {
        const status = await ask(port, agent, (client + count) % 3 === 0 ? 'POST' : 'GET');
        if (status === 200) answered++;
        else failed.push(String(status));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // Nothing was sent: whoever balances takes the other one.
        if (code === 'ECONNREFUSED') at++;
        else failed.push(code ?? message);
      }
    }
    agent.destroy();
  });
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(ended);
      return { answered, failed };
    },
  };
}

it('one instance replaces another under load: not a request fails', async () => {
  const first = await serve('one');
  let ports = [first.port];
  const load = rolling(() => ports, 16);
  await sleep(300);
  const second = await serve('two');
  ports = [first.port, second.port];
  expect(await first.process.stop('SIGTERM')).toBe(0);
  await sleep(300);
  const third = await serve('three');
  ports = [second.port, third.port];
  expect(await second.process.stop('SIGTERM')).toBe(0);
  await sleep(300);
  const { answered, failed } = await load.stop();
  expect(failed).toEqual([]);
  expect(answered).toBeGreaterThan(100);
});
