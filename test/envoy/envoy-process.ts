import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StaticResources } from './static-config.ts';

/** A real Envoy whose listeners are ready. */
export interface RunningEnvoy {
  readonly pid: number;
  /** The port that a listener, declared with port 0, really got. */
  port(listener: string): number;
  /** The body of a GET at the admin listener, such as `/stats` or `/config_dump`. */
  admin(path: string): Promise<string>;
  /** Kills it and waits for its end. */
  stop(): Promise<void>;
}

/** How it is started; `readyMs`: how long that may take, 30 s unless said otherwise. */
interface EnvoyOptions {
  /** Words before the executable, such as `taskset -c 0`. */
  readonly prefix?: readonly string[];
  readonly readyMs?: number;
}

const FLAGS = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warn', '--file-flush-interval-msec', '50'];

interface Configured {
  readonly folder: string;
  readonly path: string;
}

/** Writes a bootstrap without runtime overrides: Envoy's own defaults apply, the limit on regex programs among them. */
function writeBootstrap(resources: StaticResources): Configured {
  const folder = mkdtempSync(join(tmpdir(), 'perch-envoy-'));
  const path = join(folder, 'bootstrap.json');
  const admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };
  writeFileSync(path, JSON.stringify({ admin, static_resources: resources }));
  return { folder, path };
}

/** Collects what Envoy says; its complaints name the cause. */
function collectOutput(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  return () => output;
}

/** Loads a configuration as Envoy does at its start, without serving: `envoy --mode validate`. */
export async function validateWithEnvoy(
  executable: string,
  resources: StaticResources,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const { folder, path } = writeBootstrap(resources);
  const child = spawn(executable, ['--mode', 'validate', ...FLAGS, '-c', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collectOutput(child);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  rmSync(folder, { recursive: true, force: true });
  return { ok: code === 0, output: output() };
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

/** Admin address of an Envoy that is starting, once its listeners are open. */
async function whenReady(child: ChildProcess, addressPath: string, output: () => string, readyMs: number): Promise<string> {
  const deadline = performance.now() + readyMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Envoy ended while starting:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`Envoy is not ready after ${readyMs} ms:\n${output()}`);
    try {
      const admin = `http://${readFileSync(addressPath, 'utf8').trim()}`;
      if ((await fetchText(`${admin}/ready`)).trim() === 'LIVE') return admin;
    } catch {
      // The address is not written yet, or nobody listens there yet.
    }
    await sleep(20);
  }
}

interface ListenersAnswer {
  readonly listener_statuses: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

/**
 * Starts a real Envoy with one worker and this configuration, and waits until it serves. Sockets are its own: port 0
 * everywhere, no shared memory, so any number can run beside each other.
 * @throws Error with Envoy's own complaint where it refuses the configuration.
 */
export async function startEnvoy(executable: string, resources: StaticResources, options: EnvoyOptions = {}): Promise<RunningEnvoy> {
  const { folder, path } = writeBootstrap(resources);
  const addressPath = join(folder, 'admin-address');
  const [command = executable, ...args] = [
    ...(options.prefix ?? []),
    executable,
    ...FLAGS,
    '--admin-address-path',
    addressPath,
    '-c',
    path,
  ];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const admin = await whenReady(child, addressPath, collectOutput(child), options.readyMs ?? 30_000);
    const answer = JSON.parse(await fetchText(`${admin}/listeners?format=json`)) as ListenersAnswer;
    const ports = new Map(answer.listener_statuses.map((status) => [status.name, status.local_address.socket_address.port_value]));
    return {
      pid: child.pid ?? 0,
      port: (listener) => {
        const port = ports.get(listener);
        if (port === undefined) throw new Error(`This Envoy has no listener ${listener}`);
        return port;
      },
      admin: (adminPath) => fetchText(`${admin}${adminPath}`),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
