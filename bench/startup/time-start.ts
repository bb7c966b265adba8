import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../src/server/node-flags.ts';
import { MEASURED_CORE } from '../cores.ts';
import { freePort } from '../gateway/free-port.ts';

/** A process to start: Node's arguments, and what its environment has besides. */
export interface Start {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function start({ args, env }: Start) {
  return spawn('taskset', ['-c', String(MEASURED_CORE), process.execPath, ...NODE_FLAGS, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
}

/**
 * Milliseconds from the start of a process to its end, `taskset` included.
 * @throws Error where its exit code is not 0.
 */
export function timeToEnd(what: Start): Promise<number> {
  const startedAt = performance.now();
  const child = start(what);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    let endedAt = 0;
    child.once('error', reject);
    child.once('exit', () => {
      endedAt = performance.now();
    });
    child.once('close', (code) => {
      if (code === 0) resolve(endedAt - startedAt);
      else reject(new Error(`${what.args.join(' ')} ended with ${code}:\n${errors}`));
    });
  });
}

/** Routes that the gateway answers itself: nothing else has to start. */
const ROUTES = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: answer}
spec: {hosts: ["*"], gateways: [edge], http: [{directResponse: {status: 200}}]}
`;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .once('error', () => resolve(false))
      .end();
  });
}

/**
 * Milliseconds from the start of `perch serve`, with an empty data folder, to the first request that its gateway answers. It is asked over
 * and over, and ended afterwards as its user would.
 * @throws Error where it ends on its own.
 */
export async function timeToFirstAnswer(bin: string, env: Start['env'], folder: string): Promise<number> {
  const data = join(folder, 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const routes = join(folder, 'routes.yaml');
  writeFileSync(routes, ROUTES);
  const port = await freePort();
  const args = [bin, 'serve', '-f', routes, '--data', data, '--api-port', '0', '--proxy-port', 'off', '--map', `80=${port}`];
  const startedAt = performance.now();
  const child = start({ args, env });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`perch serve ended with ${child.exitCode}:\n${errors}`);
  }
  const taken = performance.now() - startedAt;
  child.kill('SIGTERM');
  await closed;
  return taken;
}
