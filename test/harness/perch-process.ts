import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/server/node-flags.ts';

const PERCH = fileURLToPath(new URL('../../bin/perch.js', import.meta.url));

/** How a perch command ended: its exit code, null where a signal ended it, and all that it wrote. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a perch command to its end, as a user's shell would. */
export async function perch(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const child = new PerchProcess(args, env);
  const code = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/** A perch command that goes on running: `serve`, `demo`, `status --watch`. */
export class PerchProcess {
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  /** `within`: a command that runs the one after it, such as `nsenter -t PID -m`; it has to become it (exec). */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, within: readonly string[] = []) {
    const [command = process.execPath, ...rest] = [...within, process.execPath, ...NODE_FLAGS, PERCH, ...args];
    this.#child = spawn(command, rest, {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.exited = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Waits until the output matches; fails with the whole output when the process ends or time is over. */
  async until(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    for (;;) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (found !== null) return found;
      if (ended || Date.now() > deadline) {
        throw new Error(`${ended ? 'ended' : 'timed out'} without ${pattern}:\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal, and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return await this.exited;
  }
}
