import type { Gateway, RoutingObject } from '../../src/core/istio/resources.ts';
import { clusterName } from './istio-routes.ts';
import { staticCluster } from './static-config.ts';

const NETWORKING = 'networking.istio.io/v1';

/** Port that the Gateway declares. */
export const EDGE_PORT = 80;
/** Port of every service. */
export const SERVICE_PORT = 8080;

/** The services of the suites' shop, and the versions that they have. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  shop: ['v1', 'v2', 'v3'],
  'shop-next': ['next'],
  other: ['v1'],
  page: ['v1'],
};

/** One HTTP server for all hosts. */
export const edgeGateway: Gateway = {
  apiVersion: NETWORKING,
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'default' },
  spec: { servers: [{ port: { number: EDGE_PORT, name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }] },
};

/** Name of an origin: `shop/v1`. */
function originName(service: string, version: string): string {
  return `${service}/${version}`;
}

/** The names of all origins. */
export function originNames(): readonly string[] {
  return Object.entries(SERVICES).flatMap(([service, versions]) => versions.map((version) => originName(service, version)));
}

/** ServiceEntries and DestinationRules for origins at these ports. */
export function serviceObjects(portOf: (origin: string) => number): readonly RoutingObject[] {
  return Object.entries(SERVICES).flatMap(([name, versions]): RoutingObject[] => [
    {
      apiVersion: NETWORKING,
      kind: 'ServiceEntry',
      metadata: { name, namespace: 'default' },
      spec: {
        hosts: [`${name}.default.svc.cluster.local`],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: SERVICE_PORT, name: 'http', protocol: 'HTTP' }],
        endpoints: versions.map((version) => ({
          address: '127.0.0.1',
          ports: { http: portOf(originName(name, version)) },
          labels: { version },
        })),
      },
    },
    {
      apiVersion: NETWORKING,
      kind: 'DestinationRule',
      metadata: { name, namespace: 'default' },
      spec: { host: name, subsets: versions.map((version) => ({ name: version, labels: { version } })) },
    },
  ]);
}

/** Envoy's clusters for the same: one for each version, and for the whole of services that have one version. */
export function envoyClusters(portOf: (origin: string) => number): readonly object[] {
  const port = { number: SERVICE_PORT };
  return Object.entries(SERVICES).flatMap(([host, versions]) => {
    const [only = ''] = versions;
    const whole = versions.length === 1 ? [staticCluster(clusterName({ host, port }, 'default'), portOf(originName(host, only)))] : [];
    return [
      ...whole,
      ...versions.map((subset) => staticCluster(clusterName({ host, subset, port }, 'default'), portOf(originName(host, subset)))),
    ];
  });
}
