import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real nginx as a shared cache. */
export interface CachingNginx {
  /** Connections to it: it listens on a socket in its folder, so that no two ever want one port. */
  readonly agent: Agent;
  stop(): Promise<void>;
}

function configuration(folder: string, upstreamPort: number, directives: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${folder}/${what};`);
  return `daemon off; master_process off; error_log stderr warn; pid ${folder}/pid;
events { worker_connections 256; }
http {
  access_log off; ${temporary.join(' ')}
  proxy_cache_path ${folder}/cache keys_zone=shared:1m;
  server {
    listen unix:${folder}/socket;
    location / {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_cache shared;
      add_header X-Cache $upstream_cache_status always;
      ${directives.join('\n      ')}
    }
  }
}
`;
}

/**
 * Starts nginx with a cache in front of a port of this machine; `directives` are added where it caches. Each answer says in X-Cache what
 * the cache did (MISS, HIT, ...).
 * @throws Error with nginx's own words where it does not start.
 */
export async function startCachingNginx(
  executable: string,
  upstreamPort: number,
  directives: readonly string[] = [],
): Promise<CachingNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-nginx-'));
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, upstreamPort, directives));
  const child = spawn(executable, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-10_000);
  });
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const socketPath = join(folder, 'socket');
  // An agent's options go on to its connections; the types know only some of them.
  const connections = { keepAlive: true, maxSockets: 16, socketPath };
  const agent = new Agent(connections);
  const stop = async (): Promise<void> => {
    agent.destroy();
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + 20_000;
  while (!(await answers(socketPath))) {
    if (failed !== undefined || child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`nginx does not start: ${failed?.message ?? output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { agent, stop };
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
