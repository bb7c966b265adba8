import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cookieBelow, cookieValid, requestIdBelow } from '../../src/core/visitor/patterns.ts';
import { BODY_SIZES } from './body-size.ts';
import type { Origins, RunningProxy, Scheme } from './candidate.ts';
import type { Certificate } from './certificate.ts';
import { freePort } from './free-port.ts';
import { type SpawnedProxy, spawnProxy } from './spawn-proxy.ts';

/** Where an origin says what reached it: only asked before anything is measured. */
export const SEEN_PATH = '/shop/seen';

/** Runs nginx in the foreground with one worker on one core; `http` gives the inside of its http block, and may write files for it. */
function startNginx(core: number, port: number, http: (folder: string) => string): Promise<SpawnedProxy> {
  return spawnProxy({
    name: 'nginx',
    core,
    port,
    configure: (folder) => {
      const path = join(folder, 'nginx.conf');
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join(' ');
      writeFileSync(
        path,
        `daemon off; pid ${folder}/pid; worker_processes 1; pcre_jit on; error_log stderr warn;
${process.getuid?.() === 0 ? 'user root root;' : ''}
events { worker_connections 4096; }
http {
  access_log off; ${temporary}
  keepalive_requests 1000000000; keepalive_timeout 75s; tcp_nodelay on;
  ${http(folder)}
}
`,
      );
      return ['-e', 'stderr', '-p', folder, '-c', path];
    },
  });
}

/**
 * An origin for each version; `x-version` says which answered. Answers 1 KB, or 100 KB by sendfile (body-size.ts); at `SEEN_PATH` with
 * the request id that it was sent, and how many requests the connection has had.
 */
export async function startOrigins(core: number): Promise<Origins & { stop(): Promise<void> }> {
  const ports = { stable: await freePort(), canary: await freePort() };
  const { '1k': small, '100k': large } = BODY_SIZES;
  const { stop } = await startNginx(core, ports.canary, (folder) => {
    const file = join(folder, 'large');
    writeFileSync(file, `${'x'.repeat(large.bytes - 1)}\n`);
    const servers = (['stable', 'canary'] as const).map(
      (version) => `server {
    listen 127.0.0.1:${ports[version]};
    default_type text/html; add_header x-version ${version};
    location = ${small.path} { return 200 "${'x'.repeat(small.bytes - 1)}\\n"; }
    location = ${large.path} { alias ${file}; }
    location = ${SEEN_PATH} { return 200 "$http_x_request_id $connection_requests"; }
  }`,
    );
    return `sendfile on; open_file_cache max=4; etag off; if_modified_since off;\n  ${servers.join('\n  ')}`;
  });
  return { ...ports, stop };
}

/** The visitor scheme of the woven routes, in nginx's words: the same regexes, matched by PCRE with JIT. */
function schemeMaps({ cutoff, setCookie }: Scheme): string {
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

/** A response of 100 KB in few pieces: with nginx's own 8 buffers of a page each it would take half as much CPU again. */
const BUFFERS = 'proxy_buffer_size 16k; proxy_buffers 16 16k; proxy_busy_buffers_size 64k;';

/** Where a proxy listens: without TLS, and with it. */
interface Ports {
  readonly port: number;
  readonly tlsPort: number;
  readonly certificate: Certificate;
}

function proxyServer({ port, tlsPort, certificate }: Ports, target: string, requestId: string, extra: string): string {
  return `server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl; ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location /shop {
      proxy_pass http://${target}; proxy_http_version 1.1; ${BUFFERS}
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
  certificate: Certificate,
  scheme: Scheme | undefined,
): Promise<RunningProxy> {
  const ports: Ports = { port: await freePort(), tlsPort: await freePort(), certificate };
  const upstreams = (['stable', 'canary'] as const).map(
    (version) => `upstream ${version} { server 127.0.0.1:${origins[version]}; keepalive 128; keepalive_requests 1000000000; }`,
  );
  const server =
    scheme === undefined
      ? proxyServer(ports, 'stable', '$request_id', '')
      : `${schemeMaps(scheme)}
  ${proxyServer(ports, '$cohort', '$new_id', 'add_header Set-Cookie $set_cookie always; add_header Cache-Control $cache_control always;')}`;
  const started = await startNginx(core, ports.port, () => `${upstreams.join('\n  ')}\n  ${server}`);
  return { ...started, tlsPort: ports.tlsPort };
}
