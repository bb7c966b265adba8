import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { CanaryRelease } from '../../src/core/release/canary-release.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';

/** What of a big VirtualService is released. */
export const CASES = ['one rule of all', 'every rule', 'every rule, 4 releases'] as const;

/** One of `CASES`. */
export type Case = (typeof CASES)[number];

const PORT = 8080;
const NETWORKING = 'networking.istio.io/v1';

/** The objects of one case, as they are stored. */
export interface BigRoutes {
  /** The first is the one whose pass is taken; the others share its edge. */
  readonly releases: readonly CanaryRelease[];
  /** The VirtualService of so many rules, at the edge. */
  readonly edge: KubeObject;
  /** The VirtualService that each release is woven into; the edge, where there is one release. */
  readonly routed: readonly KubeObject[];
  /** All objects but the releases. */
  readonly objects: readonly KubeObject[];
}

function object(kind: string, name: string, spec: object): KubeObject {
  const creationTimestamp = '2026-11-01T00:00:00Z';
  return { apiVersion: NETWORKING, kind, metadata: { name, namespace: 'default', creationTimestamp }, spec };
}

function service(name: string): readonly KubeObject[] {
  const versions = ['v1', 'v2'];
  const port = { number: PORT, name: 'http', protocol: 'HTTP' };
  return [
    object('ServiceEntry', name, {
      hosts: [`${name}.default.svc.cluster.local`],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [port],
      endpoints: versions.map((version) => ({ address: '127.0.0.1', labels: { version } })),
    }),
    object('DestinationRule', name, { host: name, subsets: versions.map((version) => ({ name: version, labels: { version } })) }),
  ];
}

function releaseOf(name: string, spec: object): CanaryRelease {
  const { release, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name, namespace: 'default' },
    spec: {
      service: { host: name, port: PORT },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      steps: [10, 50, 100].map((weight) => ({ weight, hold: 'manual' })),
      ...spec,
    },
  });
  if (release === undefined) throw new Error(JSON.stringify(diagnostics));
  return release;
}

function route(host: string, subset?: string): object {
  return { destination: { host, port: { number: PORT }, ...(subset === undefined ? {} : { subset }) } };
}

/** A VirtualService of so many rules, whose prefixes are all different, and the releases that are woven into it. */
export function bigRoutes(which: Case, rules: number): BigRoutes {
  const isShared = which === 'every rule, 4 releases';
  const leadsTo = (index: number): object => {
    if (isShared) return route('page');
    return which === 'every rule' || index === rules / 2 ? route('shop', 'v1') : route('page');
  };
  const gateway = object('Gateway', 'edge', { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] });
  const edge = object('VirtualService', 'edge', {
    hosts: ['shop.example.test'],
    gateways: ['edge'],
    http: Array.from({ length: rules }, (_, index) => ({
      name: `rule-${index}`,
      match: [{ uri: { prefix: `/area-${index}/` } }],
      route: [leadsTo(index)],
    })),
  });
  const names = isShared ? ['shop', 'cart', 'stock', 'pay'] : ['shop'];
  const inside = names.map((name) => object('VirtualService', name, { hosts: [name], http: [{ route: [route(name, 'v1')] }] }));
  const releases = names.map((name) =>
    isShared
      ? releaseOf(name, { route: { adopt: { virtualService: name } }, visitorId: { issueAt: { virtualService: 'edge' } } })
      : releaseOf(name, { route: { adopt: { virtualService: 'edge' } } }),
  );
  const services = ['page', ...names].flatMap(service);
  return { releases, edge, routed: isShared ? inside : [edge], objects: [gateway, ...services, edge, ...(isShared ? inside : [])] };
}
