import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cookieBelow, cookieValid, requestIdBelow } from '../../src/core/visitor/patterns.ts';
import type { Origins, RunningProxy } from './candidate.ts';
import { freePort } from './free-port.ts';

/** Runs nginx in the foreground with one worker on one core; `http` is the inside of its http block. */
async function startNginx(core: number, port: number, http: string): Promise<Pick<RunningProxy, 'pid' | 'stop'>> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-nginx-'));
  const path = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(
    path,
    `daemon off; pid ${folder}/pid; worker_processes 1; pcre_jit on; error_log stderr warn;
${process.getuid?.() === 0 ? 'user root root;' : ''}
events { worker_connections 4096; }
http {
  access_log off; ${temporary}
  keepalive_requests 1000000000; keepalive_timeout 75s; tcp_nodelay on;
  ${http}
}
`,
  );
  const child = spawn('taskset', ['-c', String(core), 'nginx', '-e', 'stderr', '-p', folder, '-c', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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
  for (let attempt = 0; attempt < 250; attempt++) {
    if (child.exitCode !== null || child.pid === undefined) break;
    if (await accepts(port)) return { pid: child.pid, stop };
    await sleep(20);
  }
  await stop();
  throw new Error(`nginx did not start:\n${output}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** An origin that answers every request with 1 KB, once for each version; `x-version` says which. */
export async function startOrigins(core: number): Promise<Origins & { stop(): Promise<void> }> {
  const ports = { stable: await freePort(), canary: await freePort() };
  const body = 'x'.repeat(1023);
  const servers = (['stable', 'canary'] as const).map(
    (version) =>
      `server { listen 127.0.0.1:${ports[version]}; location / { default_type text/html; add_header x-version ${version}; return 200 "${body}\\n"; } }`,
  );
  const { stop } = await startNginx(core, ports.canary, servers.join('\n  '));
  return { ...ports, stop };
}

/** The visitor scheme of the woven routes, in nginx's words: the same regexes, matched by PCRE with JIT. */
function schemeMaps(cutoff: number, setCookie: string): string {
  const full = (regex: string | undefined): string => `"~^(?:${regex})$"`;
  return `map $http_cookie $known { default ""; ${full(cookieBelow('perch', cutoff, 0))} canary; ${full(cookieValid('perch'))} stable; }
  map $request_id $new_id { "~^(.{8})(.{4})(.{4})(.{4})(.{12})$" "$1-$2-$3-$4-$5"; }
  map $new_id $drawn { default stable; ${full(requestIdBelow(cutoff, 0))} canary; }
  map $http_accept $document { default ""; "~text/html" issue; }
  map $known $issue { default ""; "" $document; }
  map "$known$issue" $cohort { default stable; canary canary; issue $drawn; }
  map $issue $set_cookie { default ""; issue "${setCookie.replace('%REQ(x-request-id)%', '$new_id')}"; }
  map $issue $cache_control { default ""; issue private; }`;
}

function proxyServer(port: number, target: string, requestId: string, extra: string): string {
  return `server {
    listen 127.0.0.1:${port};
    location /shop {
      proxy_pass http://${target}; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id ${requestId}; ${extra}
    }
  }`;
}

/** nginx as a proxy with keep-alive upstreams; with a scheme it does what the woven routes do. */
export async function startNginxProxy(
  core: number,
  origins: Origins,
  scheme: { cutoff: number; setCookie: string } | undefined,
): Promise<RunningProxy> {
  const port = await freePort();
  const upstreams = (['stable', 'canary'] as const).map(
    (version) => `upstream ${version} { server 127.0.0.1:${origins[version]}; keepalive 128; keepalive_requests 1000000000; }`,
  );
  const server =
    scheme === undefined
      ? proxyServer(port, 'stable', '$request_id', '')
      : `${schemeMaps(scheme.cutoff, scheme.setCookie)}
  ${proxyServer(port, '$cohort', '$new_id', 'add_header Set-Cookie $set_cookie always; add_header Cache-Control $cache_control always;')}`;
  return { port, ...(await startNginx(core, port, `${upstreams.join('\n  ')}\n  ${server}`)) };
}
