import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unusedPort } from './origins.ts';

/** An origin in a process of its own, which can be killed and started anew on the same port. */
export interface RestartingOrigin {
  readonly port: number;
  /** Kills it (SIGKILL): connections are reset wherever they are. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** How often each nonce has reached it, in all its lives. */
  seen(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** The body that answers a request: it begins with the nonce and ends with a checksum of all before. */
export function bodyFor(nonce: string, bytes: number): string {
  const text = `${nonce} `.repeat(Math.ceil(bytes / (nonce.length + 1))).slice(0, bytes);
  return text + createHash('sha1').update(text).digest('hex');
}

/** Whether a body answers the request of this nonce, and is whole. */
export function isBodyOf(nonce: string, body: string): boolean {
  const text = body.slice(0, -40);
  return body.startsWith(`${nonce} `) && createHash('sha1').update(text).digest('hex') === body.slice(-40);
}

/** Starts one. `badShare`: of so many requests it resets the connection, before its answer, within the head or within the body. */
export async function startRestartingOrigin(badShare = 0): Promise<RestartingOrigin> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-origin-'));
  const log = join(folder, 'nonces');
  const port = await unusedPort();
  let child: ChildProcess | undefined;
  let lives = 0;
  const start = async (): Promise<void> => {
    const args = [String(port), log, String(badShare), String(++lives)];
    child = fork(fileURLToPath(new URL('./restarting-origin-child.ts', import.meta.url)), args, { execArgv: [] });
    await once(child, 'message');
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    child = undefined;
    await ended;
  };
  await start();
  return {
    port,
    kill,
    start,
    seen: () => {
      const counts = new Map<string, number>();
      for (const nonce of readFileSync(log, 'utf8').trimEnd().split('\n')) counts.set(nonce, (counts.get(nonce) ?? 0) + 1);
      return counts;
    },
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
