import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cookieBelow, cookieValid, requestIdBelow } from '../../src/core/visitor/patterns.ts';
import type { Origins, RunningProxy, Scheme } from './candidate.ts';
import type { Certificate } from './certificate.ts';
import { freePort } from './free-port.ts';
import { spawnProxy } from './spawn-proxy.ts';

/** A condition that a sample matches a regex in full. */
function matches(sample: string, regex: string | undefined): string {
  return `${sample} -m reg '^(?:${regex})$'`;
}

/** The visitor scheme of the woven routes, in HAProxy's words: the same regexes, matched by PCRE2 with JIT, the first that holds. */
function schemeRules({ cutoff, setCookie }: Scheme): readonly string[] {
  const cookie = 'req.fhdr(cookie)';
  const unknown = '!{ var(txn.cohort) -m found }';
  return [
    `http-request set-var(txn.cohort) str(canary) if { ${matches(cookie, cookieBelow('perch', cutoff, 0))} }`,
    `http-request set-var(txn.cohort) str(stable) if ${unknown} { ${matches(cookie, cookieValid('perch'))} }`,
    `http-request set-var(txn.issued) unique-id if ${unknown} { req.hdr(accept) -m sub text/html }`,
    `http-request set-var(txn.cohort) str(canary) if { ${matches('var(txn.issued)', requestIdBelow(cutoff, 0))} }`,
    'use_backend canary if { var(txn.cohort) -m str canary }',
    `http-response add-header set-cookie '${setCookie.replace('%REQ(x-request-id)%', '%[var(txn.issued)]')}' if { var(txn.issued) -m found }`,
    'http-response add-header cache-control private if { var(txn.issued) -m found }',
  ];
}

/** HAProxy as a proxy with one thread and keep-alive servers; with a scheme it does what the woven routes do. */
export async function startHaproxyProxy(
  core: number,
  origins: Origins,
  certificate: Certificate,
  scheme: Scheme | undefined,
): Promise<RunningProxy> {
  const port = await freePort();
  const tlsPort = await freePort();
  const configuration = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  http-reuse always
  timeout connect 10s
  timeout client 75s
  timeout server 75s
  timeout http-keep-alive 75s
frontend edge
  bind 127.0.0.1:${port}
  bind 127.0.0.1:${tlsPort} ssl crt ${certificate.both} alpn http/1.1 ssl-min-ver TLSv1.2
  unique-id-format %[uuid()]
  option forwardfor
  http-request set-header x-forwarded-proto http
  http-request set-header x-request-id %[unique-id]
  http-request deny deny_status 404 unless { path_beg /shop }
  ${(scheme === undefined ? [] : schemeRules(scheme)).join('\n  ')}
  default_backend stable
${(['stable', 'canary'] as const).map((version) => `backend ${version}\n  server ${version} 127.0.0.1:${origins[version]}`).join('\n')}
`;
  const started = await spawnProxy({
    name: 'haproxy',
    core,
    port,
    configure: (folder) => {
      const path = join(folder, 'haproxy.cfg');
      writeFileSync(path, configuration);
      return ['-db', '-q', '-f', path];
    },
  });
  return { ...started, tlsPort };
}
