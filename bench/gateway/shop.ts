import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import type { DestinationRule, Gateway, RoutingObject, ServiceEntry, VirtualService } from '../../src/core/istio/resources.ts';
import type { CanaryRelease } from '../../src/core/release/canary-release.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';
import { cutoffOf, type Offset } from '../../src/core/visitor/bucket.ts';
import { issuingSetCookie } from '../../src/core/weave/set-cookie.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';
import type { Origins } from './candidate.ts';
import type { Certificate } from './certificate.ts';

/** The port that the Gateway declares; where Perch really listens is chosen when it starts. */
export const EDGE_PORT = 80;
/** The same, over TLS. */
export const TLS_PORT = 443;

const NETWORKING = 'networking.istio.io/v1';
const HOST = 'shop.default.svc.cluster.local';
/** The service's port; Perch opens a mesh listener for it, which the bench does not use. */
export const SERVICE_PORT = 8080;

const gateway: Gateway = {
  apiVersion: NETWORKING,
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'default' },
  spec: { servers: [{ port: { number: EDGE_PORT, name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }] },
};

/** The user's routes before weaving: everything below /shop to the service, stable version. */
export const shopRoutes: VirtualService = {
  apiVersion: NETWORKING,
  kind: 'VirtualService',
  metadata: { name: 'shop', namespace: 'default' },
  spec: {
    hosts: ['*'],
    gateways: ['edge'],
    http: [
      {
        name: 'shop',
        match: [{ uri: { prefix: '/shop' } }],
        route: [{ destination: { host: 'shop', subset: 'stable', port: { number: SERVICE_PORT } } }],
      },
    ],
  },
};

const versions: DestinationRule = {
  apiVersion: NETWORKING,
  kind: 'DestinationRule',
  metadata: { name: 'shop', namespace: 'default' },
  spec: {
    host: 'shop',
    subsets: [
      { name: 'stable', labels: { version: 'stable' } },
      { name: 'canary', labels: { version: 'canary' } },
    ],
  },
};

function endpoints(origins: Origins): ServiceEntry {
  return {
    apiVersion: NETWORKING,
    kind: 'ServiceEntry',
    metadata: { name: 'shop', namespace: 'default' },
    spec: {
      hosts: [HOST],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: SERVICE_PORT, name: 'http', protocol: 'HTTP' }],
      endpoints: (['stable', 'canary'] as const).map((version) => ({
        address: '127.0.0.1',
        ports: { http: origins[version] },
        labels: { version },
      })),
    },
  };
}

/** The gateway with a second server, over TLS; ids are issued as without it, with one Set-Cookie for all proxies. */
function withTls({ certificate, key }: Certificate): Gateway {
  const tls = { mode: 'SIMPLE', serverCertificate: certificate, privateKey: key } as const;
  const server = { port: { number: TLS_PORT, name: 'https', protocol: 'HTTPS' }, bind: '127.0.0.1', hosts: ['*'], tls };
  return { ...gateway, spec: { servers: [...gateway.spec.servers, server] } };
}

/** All objects of the bench's shop, with these routes. */
export function shopObjects(origins: Origins, routes: VirtualService, certificate: Certificate): readonly RoutingObject[] {
  return [withTls(certificate), versions, endpoints(origins), routes];
}

/** Where the release stands in the bench: 10 % of the visitors, by the first three digits. */
export const CUTOFF = cutoffOf(10);
/** The draw that decides in the bench: the first three digits of an id's last group. */
export const OFFSET: Offset = 0;

/** A release of the shop that adopts its routes and issues ids there. */
export function shopRelease(): CanaryRelease {
  const { release, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'shop', namespace: 'default' },
    spec: {
      service: { host: 'shop', port: SERVICE_PORT },
      stable: { subset: 'stable' },
      canary: { subset: 'canary' },
      route: { adopt: { virtualService: 'shop' } },
      steps: [
        { weight: 10, hold: 'manual' },
        { weight: 100, hold: 'manual' },
      ],
    },
  });
  if (release === undefined) throw new Error(JSON.stringify(diagnostics));
  return release;
}

/** The Set-Cookie that the release writes, with Envoy's `%REQ(x-request-id)%` in the id's place. */
export function shopSetCookie(): string {
  return issuingSetCookie(shopRelease().spec.visitorId.cookie, false);
}

/** The shop's routes with the release woven in: what Istio would be given. */
export function wovenShopRoutes(): VirtualService {
  const { routes, diagnostics } = weaveRelease({
    release: shopRelease(),
    plan: { kind: 'split', stable: { subset: 'stable' }, canary: { subset: 'canary' }, cutoff: CUTOFF, offset: OFFSET },
    former: [],
    routed: shopRoutes,
    issuing: undefined,
    gateways: [gateway],
    siblings: [shopRoutes],
  });
  const [woven] = routes;
  if (woven === undefined || hasErrors(diagnostics)) throw new Error(JSON.stringify(diagnostics));
  return woven.virtualService as VirtualService;
}
