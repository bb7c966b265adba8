import type { KubeObject } from '../../src/core/istio/resources.ts';
import { Closers } from '../harness/closers.ts';
import { startVersion } from '../harness/version-server.ts';
import type { MeshParts } from '../requirements.ts';
import { freePort } from './free-port.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { INGRESS, type Istiod, type MeshEnvoy, startIstiod, startMeshEnvoy } from './mesh.ts';

/** Versions v1 and v2 of `web` behind a real Envoy at the gateway, whom a real istiod tells what a real API holds. */
export interface WebMesh {
  readonly cluster: IstioCluster;
  readonly istiod: Istiod;
  readonly envoy: MeshEnvoy;
  /** Where browsers come in. */
  readonly port: number;
  stop(): Promise<void>;
}

/** The port of the service in `webRoutes` and `webRelease`. */
const SERVICE_PORT = 9080;

/** An object of Istio's in the namespace `default`. */
export function istio(kind: string, name: string, spec: Readonly<Record<string, unknown>>) {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec };
}

/** The routes of `web` as its owner writes them: everyone to v1. */
export function webRoutes(fields: Readonly<Record<string, unknown>> = {}) {
  const destination = { host: 'web', subset: 'v1', port: { number: SERVICE_PORT } };
  const http = [{ ...fields, route: [{ destination }] }];
  return istio('VirtualService', 'web', { hosts: ['shop.test'], gateways: ['edge'], http });
}

/** A release of v2 that waits at each of its steps; after a retry it has the same visitors. `changes`: other fields of its spec. */
export function webRelease(weights: readonly number[], changes: Readonly<Record<string, unknown>> = {}) {
  const spec = {
    service: { host: 'web', port: SERVICE_PORT },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'web' } },
    cohort: 0,
    steps: weights.map((weight) => ({ weight, hold: 'manual' })),
    ...changes,
  };
  return { apiVersion: 'perch.dev/v1alpha1', kind: 'CanaryRelease', metadata: { name: 'web', namespace: 'default' }, spec };
}

interface WebMeshOptions {
  /** The service's; SERVICE_PORT where absent. */
  readonly servicePort?: number;
  /** Whether all writes are in the apiserver's audit log. */
  readonly isAudited?: boolean;
}

/** Starts it with what `web` is and these objects; no controller. */
export async function startWebMesh(parts: MeshParts, objects: readonly KubeObject[], options: WebMeshOptions = {}): Promise<WebMesh> {
  const { servicePort = SERVICE_PORT, isAudited = false } = options;
  const closers = new Closers();
  try {
    const versions = await Promise.all(['v1', 'v2'].map(async (version) => closers.keep(await startVersion(version))));
    const cluster = closers.keep(await startIstioCluster(parts, { isAudited }));
    const port = await freePort();
    const servers = [{ port: { number: port, name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }];
    const endpoints = versions.map((server, index) => ({
      address: '127.0.0.1',
      ports: { http: server.port },
      labels: { version: `v${index + 1}` },
    }));
    await cluster.apply(
      istio('Gateway', 'edge', { selector: INGRESS.labels, servers }),
      istio('ServiceEntry', 'web', {
        hosts: ['web.default.svc.cluster.local'],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: servicePort, name: 'http', protocol: 'HTTP' }],
        endpoints,
      }),
      istio('DestinationRule', 'web', { host: 'web', subsets: ['v1', 'v2'].map((name) => ({ name, labels: { version: name } })) }),
      ...objects,
    );
    const istiod = closers.keep(await startIstiod(parts.istiod, cluster.kubeconfig));
    const envoy = closers.keep(await startMeshEnvoy(parts.envoy, istiod, INGRESS, port));
    return { cluster, istiod, envoy, port, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
