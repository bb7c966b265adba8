import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Origins, RunningProxy } from './candidate.ts';

/** What perch-proxy.ts is told. */
export interface PerchProxyOptions {
  readonly origins: Origins;
  /** Woven routes, or the user's own. */
  readonly scheme: boolean;
  /** Whether every request is counted, visitor by visitor, as `perch serve` does. */
  readonly evidence: boolean;
}

const PROXY = fileURLToPath(new URL('perch-proxy.ts', import.meta.url));

/** Starts Perch's gateway on one core with the Node that runs this bench. */
export async function startPerchProxy(core: number, options: PerchProxyOptions): Promise<RunningProxy> {
  const child = spawn(
    'taskset',
    ['-c', String(core), process.execPath, '--disable-warning=ExperimentalWarning', PROXY, JSON.stringify(options)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve)),
    ended.then(() => undefined),
  ]);
  if (line === undefined || child.pid === undefined) throw new Error('The gateway ended while starting');
  return {
    port: (JSON.parse(line) as { readonly port: number }).port,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
