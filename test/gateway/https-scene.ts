import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type GatewayOptions, type RunningGateway, startGateway } from '../../src/gateway/gateway.ts';
import { makeCertificate } from '../harness/certificates.ts';
import { compileYaml } from '../harness/routes.ts';
import { type Origin, startHttpOrigin } from './origins.ts';

/** A gateway that interprets YAML, with a folder of credentials. */
export interface HttpsScene {
  readonly gateway: RunningGateway;
  /** Folder of the credentials. */
  readonly folder: string;
  /** What was said about certificates. */
  readonly log: string[];
  readonly requests: Record<string, unknown>[];
  /** Where a declared port is. */
  port(declared: number): number;
  apply(...yaml: readonly string[]): Promise<void>;
}

/** YAML of a server with `hosts` at `port`; the rest of `tls` as given. */
export function serverYaml(name: string, port: number, hosts: string, tls = `{mode: SIMPLE, credentialName: ${name}}`): string {
  return `- {port: {number: ${port}, name: ${name}, protocol: HTTPS}, hosts: ${hosts}, tls: ${tls}}`;
}

/** YAML of a Gateway with those servers. */
export function gatewayYaml(...servers: readonly string[]): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  servers:
  ${servers.join('\n  ')}
`;
}

/** YAML that sends all requests at the Gateway to a service at `port`. */
export function everythingToYaml(port: number, hosts = "['*']"): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ${hosts}
  gateways: [edge]
  http:
  - name: all
    route: [{destination: {host: web, port: {number: 9080}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: ${port}}}]
`;
}

/** Call once at the top of a test file; what is started is closed at the end of each test. */
export function httpsScenes(): {
  start(credentials: Readonly<Record<string, readonly string[]>>, yaml: readonly string[], options?: GatewayOptions): Promise<HttpsScene>;
  echo(): Promise<Origin>;
} {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return {
    async start(credentials, yaml, options = {}) {
      const folder = mkdtempSync(join(tmpdir(), 'perch-https-'));
      cleanups.push(() => rmSync(folder, { recursive: true }));
      for (const [name, names] of Object.entries(credentials)) {
        makeCertificate(join(folder, name), { names: names.map((each) => `DNS:${each}`) });
      }
      const log: string[] = [];
      const requests: Record<string, unknown>[] = [];
      const gateway = await startGateway({
        map: new Map([80, 443, 8443, 9080].map((port) => [port, 0])),
        credentials: folder,
        rereadMs: 20,
        log: { info: (line) => log.push(line), warn: (line) => log.push(`warning: ${line}`) },
        accessLog: (line) => requests.push(JSON.parse(line) as Record<string, unknown>),
        ...options,
      });
      cleanups.push(() => gateway.close(0));
      const apply = (...texts: readonly string[]) => gateway.update(compileYaml(...texts).table);
      await apply(...yaml);
      const port = (declared: number): number => gateway.addresses().find((each) => each.port === declared)?.actualPort ?? 0;
      return { gateway, folder, log, requests, port, apply };
    },
    /** An origin that answers with what it got: method, path and headers. */
    async echo() {
      const origin = await startHttpOrigin((request, response) => {
        const { method, url, headers } = request;
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString('latin1');
        });
        request.on('end', () => {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ method, url, headers, body, trailers: request.trailers }));
        });
      });
      cleanups.push(() => origin.close());
      return origin;
    },
  };
}

/** What the echoing origin tells. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string>>;
}
