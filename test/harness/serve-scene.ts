import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PerchProcess } from './perch-process.ts';
import { type Serving, startServing } from './serving.ts';
import { startVersion } from './version-server.ts';

/** A directory with a shop in it: a gateway, routes to `web`, its endpoints, and a release of v2 with manual steps. */
export interface Scene {
  /** Where everything of the test lives. */
  readonly dir: string;
  /** The manifests; `perch serve -f` gets this one. */
  readonly files: string;
  readonly data: string;
  /** Starts `perch serve` on free ports, with further arguments. */
  serve(...args: readonly string[]): Promise<Serving>;
  close(): Promise<void>;
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
    serve: (...args) => startServing(['--data', data, ...args], (process) => running.push(process)),
    close: async () => {
      await Promise.all(running.map((process) => process.stop('SIGKILL')));
      await Promise.all([v1.close(), v2.close()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
