import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProxy } from './candidate.ts';

/** A program that runs, with one port. */
export type SpawnedProxy = Omit<RunningProxy, 'tlsPort'>;

/** A program that stays in the foreground, and the files that it needs. */
export interface ProxyProgram {
  /** Its name on the PATH, or its path. */
  readonly name: string;
  /** The one core that it may use. */
  readonly core: number;
  /** The port that it listens on once it has started. */
  readonly port: number;
  /** Writes what the program reads into a folder that is removed at its end; gives the arguments to start it with. */
  configure(folder: string): readonly string[];
}

const ATTEMPTS = 250;
const PAUSE_MS = 20;

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Starts a program on one core and waits until its port accepts.
 * @throws Error with what it wrote to stderr where it ends instead.
 */
export async function spawnProxy({ name, core, port, configure }: ProxyProgram): Promise<SpawnedProxy> {
  const folder = mkdtempSync(join(tmpdir(), `perch-${basename(name)}-`));
  const child = spawn('taskset', ['-c', String(core), name, ...configure(folder)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (child.exitCode !== null || child.pid === undefined) break;
    if (await accepts(port)) return { port, pid: child.pid, stop };
    await sleep(PAUSE_MS);
  }
  await stop();
  throw new Error(`${name} did not start:\n${output}`);
}
