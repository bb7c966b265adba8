import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerchProcess } from './perch-process.ts';

/** A directory with a shop in it: a gateway, routes to `web`, its endpoints, and a release of v2 with manual steps. */
export interface Scene {
  /** Where everything of the test lives. */
  readonly dir: string;
  /** The manifests; `perch serve -f` gets this one. */
  readonly files: string;
  readonly data: string;
  /** Starts `perch serve` on free ports, with further arguments. */
  serve(...args: readonly string[]): Promise<ServedScene>;
  close(): Promise<void>;
}

export interface ServedScene {
  readonly process: PerchProcess;
  /** For PERCH_SERVER. */
  readonly server: string;
  /** Origin at which browsers come in. */
  readonly ingress: string;
}

/** The release of the scene; steps are manual, so that tests decide when they end. */
export function releaseYaml(name = 'web'): string {
  return `apiVersion: perch.dev/v1alpha1
kind: CanaryRelease
metadata: {name: ${name}}
spec:
  service: {host: web, port: 9080}
  stable: {subset: v1}
  canary: {subset: v2}
  route: {adopt: {virtualService: web}}
  steps:
  - {weight: 10, hold: manual}
  - {weight: 50, hold: 1h}
  - {weight: 100, hold: manual}
`;
}

export const ROUTES_YAML = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
  - name: all
    route:
    - destination: {host: web, subset: v1, port: {number: 9080}}
`;

function basicsYaml(ports: { readonly v1: number; readonly v2: number }): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  servers:
  - port: {number: 8080, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec:
  host: web
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - {number: 9080, name: http, protocol: HTTP}
  endpoints:
  - {address: 127.0.0.1, ports: {http: ${ports.v1}}, labels: {version: v1}}
  - {address: 127.0.0.1, ports: {http: ${ports.v2}}, labels: {version: v2}}
`;
}

async function startVersion(version: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_request, response) => response.end(version));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Writes the manifests and starts both versions of `web`, each of which answers with its name. */
export async function createScene(): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), 'perch-cli-'));
  const files = join(dir, 'manifests');
  const data = join(dir, 'data');
  const [v1, v2] = [await startVersion('v1'), await startVersion('v2')];
  await mkdir(files);
  await writeFile(join(files, 'basics.yaml'), basicsYaml({ v1: v1.port, v2: v2.port }));
  await writeFile(join(files, 'routes.yaml'), ROUTES_YAML);
  const running: PerchProcess[] = [];
  return {
    dir,
    files,
    data,
    serve: async (...args) => {
      const free = ['--api-port', '0', '--map', '8080=0', '--map', '9080=0', '--proxy-port', '0', '--data', data];
      const process = new PerchProcess(['serve', ...free, ...args]);
      running.push(process);
      const [, server = ''] = await process.until(/ API +(http:\/\/[^/]+)/);
      const [, ingress = ''] = await process.until(/ ingress +(http:\/\/\S+)/);
      await process.until(/ proxy +http/);
      return { process, server, ingress };
    },
    close: async () => {
      await Promise.all(running.map((process) => process.stop('SIGKILL')));
      for (const { server } of [v1, v2]) {
        server.closeAllConnections();
        server.close();
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
