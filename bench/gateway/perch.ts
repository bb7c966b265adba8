import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/server/node-flags.ts';
import type { Origins, RunningProxy } from './candidate.ts';
import type { Certificate } from './certificate.ts';

/** What perch-proxy.ts is told. */
export interface PerchProxyOptions {
  readonly origins: Origins;
  readonly certificate: Certificate;
  /** Woven routes, or the user's own. */
  readonly scheme: boolean;
  /** Whether every request is counted, visitor by visitor, as `perch serve` does. */
  readonly evidence: boolean;
  /** Istio's metrics, as `perch serve` always has them, and what else is told of requests; absent: none. */
  readonly telemetry?: {
    /** A file. */
    readonly accessLog?: string;
    /** Where spans go, and which share of the traces is sampled. */
    readonly collector?: { readonly url: string; readonly share: number };
  };
  /** Gateways in processes of their own, as `perch serve --workers`; undefined: one, in the process itself. */
  readonly workers?: number;
}

const PROXY = fileURLToPath(new URL('perch-proxy.ts', import.meta.url));

/** Perch's gateway in a process of its own. */
export interface PerchProxy extends RunningProxy {
  /** What is alive in it after a collection of garbage, MiB. */
  alive(): Promise<number>;
}

async function spawnGateway(core: number, options: PerchProxyOptions, compiled: string): Promise<PerchProxy> {
  const child = spawn('taskset', ['-c', String(core), process.execPath, ...NODE_FLAGS, '--expose-gc', PROXY, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const lines = createInterface(child.stdout);
  const nextLine = () => Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), ended.then(() => undefined)]);
  const line = await nextLine();
  if (line === undefined || child.pid === undefined) throw new Error('The gateway ended while starting');
  return {
    ...(JSON.parse(line) as { readonly port: number; readonly tlsPort: number }),
    pid: child.pid,
    alive: async () => {
      const told = nextLine();
      child.kill('SIGUSR2');
      return Number(await told);
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

let compiled: Promise<string> | undefined;

/** The folder of what Node makes of the source, as bin/perch.js has one: without it, what strips the types would stay in memory. */
async function compile(core: number, options: PerchProxyOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-compiled-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const proxy = await spawnGateway(core, { ...options, evidence: true }, folder);
  await proxy.stop();
  return folder;
}

/** Starts Perch's gateway on one core with the Node that runs this bench. */
export async function startPerchProxy(core: number, options: PerchProxyOptions): Promise<PerchProxy> {
  compiled ??= compile(core, options);
  return spawnGateway(core, options, await compiled);
}
