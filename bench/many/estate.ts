import type { KubeObject } from '../../src/core/istio/resources.ts';
import { KIND } from '../../src/core/release/canary-release.ts';

/** The port that the Gateway declares; where it really listens is chosen at the start. */
export const EDGE_PORT = 80;
/** The port of every service of the estate. */
export const SERVICE_PORT = 8080;
const NETWORKING = 'networking.istio.io/v1';

/** Name of the release of this number, and of its service. */
export function releaseNameOf(index: number): string {
  return `svc-${index}`;
}

/** The host under which a release's service is found at the edge. */
export function publicHostOf(index: number): string {
  return `${releaseNameOf(index)}.example.test`;
}

/** Where a version listens: addresses of one loopback network, all of them this machine. */
function addressOf(index: number, version: 'v1' | 'v2'): string {
  return `127.${version === 'v1' ? 1 : 2}.${index >> 8}.${index & 255}`;
}

function object(kind: string, name: string, spec: object, apiVersion = NETWORKING): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'default' }, spec };
}

/** A service of two versions at the edge, with its release, which waits on its first step until someone promotes it. */
function serviceObjects(index: number, port: number, interval: string | undefined): readonly KubeObject[] {
  const name = releaseNameOf(index);
  const versions = ['v1', 'v2'] as const;
  return [
    object('ServiceEntry', name, {
      hosts: [`${name}.default.svc.cluster.local`],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: SERVICE_PORT, name: 'http', protocol: 'HTTP' }],
      endpoints: versions.map((version) => ({ address: addressOf(index, version), ports: { http: port }, labels: { version } })),
    }),
    object('DestinationRule', name, { host: name, subsets: versions.map((version) => ({ name: version, labels: { version } })) }),
    object('VirtualService', name, {
      hosts: [publicHostOf(index)],
      gateways: ['edge'],
      http: [{ name: 'all', route: [{ destination: { host: name, subset: 'v1', port: { number: SERVICE_PORT } } }] }],
    }),
    object(
      KIND,
      name,
      {
        service: { host: name, port: SERVICE_PORT },
        stable: { subset: 'v1' },
        canary: { subset: 'v2' },
        route: { adopt: { virtualService: name } },
        steps: [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((weight) => ({ weight, hold: 'manual' })),
        ...(interval === undefined ? {} : { readiness: { healthCheck: { interval } } }),
      },
      'perch.dev/v1alpha1',
    ),
  ];
}

/**
 * So many services with a release each behind one Gateway; all endpoints at one port of addresses of their own. `interval`: how often
 * endpoints are checked; undefined: as often as by default.
 */
export function estate(releases: number, port: number, interval: string | undefined): readonly KubeObject[] {
  const edge = object('Gateway', 'edge', {
    servers: [{ port: { number: EDGE_PORT, name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }],
  });
  return [edge, ...Array.from({ length: releases }, (_, index) => serviceObjects(index, port, interval)).flat()];
}
