import type { KubeObject } from '../../src/core/istio/resources.ts';

/** An Istio object of the namespace `default`. */
export function istio(kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name }, spec };
}

/** A service of the mesh at port 9080, whose versions listen on these ports of this machine. */
export function meshService(name: string, ports: Readonly<Record<string, number>>): KubeObject {
  return istio('ServiceEntry', name, {
    hosts: [`${name}.default.svc.cluster.local`],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
    endpoints: Object.entries(ports).map(([version, port]) => ({ address: '127.0.0.1', ports: { http: port }, labels: { version } })),
  });
}

/** Its subsets: one for each version. */
export function versionSubsets(name: string, versions: readonly string[]): KubeObject {
  return istio('DestinationRule', name, { host: name, subsets: versions.map((each) => ({ name: each, labels: { version: each } })) });
}
