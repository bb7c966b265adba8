import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/server/node-flags.ts';
import { say } from '../command-line.ts';
import { MEASURED_CORE } from '../cores.ts';
import type { EstateLine, EstateOptions } from './runtime.ts';

const RUNTIME = fileURLToPath(new URL('runtime.ts', import.meta.url));

/** A runtime in a process of its own, all of whose releases are on their first step. */
export interface Estate {
  readonly pid: number;
  readonly apiPort: number;
  readonly edgePort: number;
  /** Milliseconds from the start to each point; `applied` only where the folder was empty. */
  readonly reached: { readonly applied: number | undefined; readonly started: number };
  /** Everything that it wrote or came to serve since, and when. */
  readonly changes: readonly EstateChange[];
  stop(): Promise<void>;
}

/** A point in time of a runtime. */
export type EstateChange = Extract<EstateLine, { readonly kind: 'change' }>;

/** Starts one on the measured core; rejects where it ends instead. */
export async function startEstate(options: EstateOptions): Promise<Estate> {
  const node = [process.execPath, ...NODE_FLAGS, RUNTIME, JSON.stringify(options)];
  const child = spawn('taskset', ['-c', String(MEASURED_CORE), ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { pid } = child;
  if (pid === undefined) throw new Error('the runtime did not start');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const changes: EstateChange[] = [];
  let applied: number | undefined;
  return await new Promise<Estate>((resolve, reject) => {
    void ended.then(() => reject(new Error('the runtime ended while starting')));
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as EstateLine;
      if (line.kind === 'change') {
        changes.push(line);
        return;
      }
      say(`${line.kind} after ${(line.ms / 1000).toFixed(1)} s`);
      if (line.kind === 'applied') applied = line.ms;
      else resolve({ pid, apiPort: line.apiPort, edgePort: line.edgePort, reached: { applied, started: line.ms }, changes, stop });
    });
  });
}

/** What a bench asks of a release. */
export type EstateRequest = 'promote' | 'promote to the end' | 'roll back';

const BODIES: Readonly<Record<EstateRequest, object>> = {
  promote: { action: 'promote' },
  'promote to the end': { action: 'promote', full: true },
  'roll back': { action: 'rollback' },
};

/** Asks for a change of a release, and waits until its routes are served. */
export async function request(apiPort: number, name: string, what: EstateRequest): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${apiPort}/api/v1/releases/default/${name}/requests?wait=60000`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...BODIES[what], by: 'bench' }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${text}`);
}
