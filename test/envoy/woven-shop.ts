import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import type { HTTPRoute, KubeObject, RoutingObject, VirtualService } from '../../src/core/istio/resources.ts';
import type { CanaryRelease } from '../../src/core/release/canary-release.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';

const NETWORKING = 'networking.istio.io/v1';

const gateway: RoutingObject = {
  apiVersion: NETWORKING,
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'default' },
  spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
};

function virtualService(name: string, spec: { hosts: string[]; gateways?: string[] }, http: readonly HTTPRoute[]): VirtualService {
  return { apiVersion: NETWORKING, kind: 'VirtualService', metadata: { name, namespace: 'default' }, spec: { ...spec, http } };
}

/** An edge with two paths to the shop, one to something else that no release concerns, and a page that asks the shop from inside. */
const edgeRoutes = virtualService('edge', { hosts: ['*'], gateways: ['edge'] }, [
  {
    name: 'shop',
    match: [{ uri: { prefix: '/shop' } }, { uri: { exact: '/basket' } }],
    route: [{ destination: { host: 'shop', subset: 'v1', port: { number: 8080 } } }],
  },
  { name: 'other', match: [{ uri: { prefix: '/other' } }], route: [{ destination: { host: 'other', port: { number: 8080 } } }] },
]);
const pageRoutes = virtualService('page', { hosts: ['*'], gateways: ['edge'] }, [
  { name: 'page', match: [{ uri: { prefix: '/page' } }], route: [{ destination: { host: 'page', port: { number: 8080 } } }] },
]);
const meshRoutes = virtualService('shop', { hosts: ['shop'] }, [
  { name: 'inside', route: [{ destination: { host: 'shop', subset: 'v1', port: { number: 8080 } } }] },
]);

function release(virtualServiceName: string, visitorId: object): CanaryRelease {
  const { release: valid, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'shop', namespace: 'default' },
    spec: {
      service: { host: 'shop', port: 8080 },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: virtualServiceName } },
      visitorId,
      steps: [{ weight: 100, hold: 'manual' }],
    },
  });
  if (valid === undefined) throw new Error(JSON.stringify(diagnostics));
  return valid;
}

function weave(
  routed: VirtualService,
  issuing: VirtualService | undefined,
  visitorId: object,
  cutoff: number,
  offset: Offset,
): readonly KubeObject[] {
  const { routes, diagnostics } = weaveRelease({
    release: release(routed.metadata.name, visitorId),
    plan: { kind: 'split', stable: { subset: 'v1' }, canary: { subset: 'v2' }, cutoff, offset },
    former: [],
    routed,
    issuing,
    gateways: [gateway],
    siblings: [routed, ...(issuing === undefined ? [] : [issuing])],
  });
  if (hasErrors(diagnostics)) throw new Error(JSON.stringify(diagnostics));
  return routes.map((route) => route.virtualService);
}

/** The edge's routes with a release woven in that stands at this cutoff. */
export function wovenAtEdge(cutoff: number, offset: Offset): VirtualService {
  const [woven] = weave(edgeRoutes, undefined, {}, cutoff, offset);
  if (woven === undefined) throw new Error('nothing was woven');
  return woven as VirtualService;
}

/** The routes of an entry page that issues ids and tells cohorts, and of the shop behind it that obeys. */
export function wovenInside(
  propagate: readonly string[],
  cutoff: number,
  offset: Offset,
): { readonly page: VirtualService; readonly shop: VirtualService } {
  const [page, shop] = weave(meshRoutes, pageRoutes, { issueAt: { virtualService: 'page' }, propagate }, cutoff, offset);
  if (page === undefined || shop === undefined) throw new Error('two objects were to be woven');
  return { page: page as VirtualService, shop: shop as VirtualService };
}

function service(name: string, versions: readonly string[]): readonly RoutingObject[] {
  const metadata = { name, namespace: 'default' };
  const endpoints = versions.map((version, index) => ({ address: '127.0.0.1', ports: { http: 18080 + index }, labels: { version } }));
  return [
    {
      apiVersion: NETWORKING,
      kind: 'ServiceEntry',
      metadata,
      spec: {
        hosts: [`${name}.default.svc.cluster.local`],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: 8080, name: 'http', protocol: 'HTTP' }],
        endpoints,
      },
    },
    {
      apiVersion: NETWORKING,
      kind: 'DestinationRule',
      metadata,
      spec: { host: name, subsets: versions.map((version) => ({ name: version, labels: { version } })) },
    },
  ];
}

/** Everything that a route table is compiled from: the gateway, the services, and these routes. Nothing listens at the endpoints. */
export function shopObjects(...routes: readonly VirtualService[]): readonly RoutingObject[] {
  return [gateway, ...service('shop', ['v1', 'v2']), ...service('other', ['v1']), ...service('page', ['v1']), ...routes];
}
