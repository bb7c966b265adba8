import type { KubeObject } from '../../src/core/istio/resources.ts';
import { istio, meshService, versionSubsets } from '../harness/istio-object.ts';

/** The service `web`, as the suites of this folder release it: reached at the edge, or inside the mesh behind an entry service `shop`. */
export type Place = 'edge' | 'mesh';

/** HTTP rules as an owner writes them: everything to one version of `web`. */
export const rules = (subset = 'v1', extra: object = {}): readonly unknown[] => [
  { ...extra, route: [{ destination: { host: 'web', subset, port: { number: 9080 } } }] },
];

/** Where the routes of `web` are served. */
const served = (place: Place): object => (place === 'edge' ? { hosts: ['*'], gateways: ['edge'] } : { hosts: ['web'] });

/** A VirtualService of the owner's. */
export const routes = (place: Place, http = rules(), name = 'web'): KubeObject => istio('VirtualService', name, { ...served(place), http });

/** One that hands everything on to a delegate. */
export const root = (place: Place, delegate = 'web-routes', name = 'web'): KubeObject =>
  routes(place, [{ delegate: { name: delegate } }], name);

/** The three forms of `spec.route`. */
export const adopt = (virtualService = 'web') => ({ adopt: { virtualService } });
/** The release owns the delegate of `root()`. */
export const delegate = (http = rules(), name = 'web-routes') => ({ delegate: { name, http } });
/** The release owns all of it; called like the release unless named. */
export const managed = (place: Place, http = rules(), name?: string) => ({
  managed: { ...(name === undefined ? {} : { name }), ...served(place), http },
});

/** A release of `web` from v1 to `canary` by this route, in steps of 10, 50 and 100 % that a person ends, unless `hold` says otherwise. */
export function release(place: Place, route: object, { canary = 'v2', hold = 'manual' } = {}): KubeObject {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'web' },
    spec: {
      service: { host: 'web', port: 9080 },
      canary: { subset: canary },
      ...(canary === 'v2' ? { stable: { subset: 'v1' } } : {}),
      route,
      ...(place === 'mesh' ? { visitorId: { issueAt: { virtualService: 'shop' } } } : {}),
      cohort: 0,
      steps: [10, 50, 100].map((weight) => ({ weight, hold })),
    },
  };
}

/** What is there beside the routes of `web`: the gateway, the versions at these ports, and in the mesh the entry service with its routes. */
export function basics(place: Place, ports: Readonly<Record<string, number>>, entryPort: number): readonly KubeObject[] {
  const shop = [
    meshService('shop', { v1: entryPort }),
    routes('edge', [{ route: [{ destination: { host: 'shop', port: { number: 9080 } } }] }], 'shop'),
  ];
  return [
    istio('Gateway', 'edge', { servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] }),
    versionSubsets('web', Object.keys(ports)),
    meshService('web', ports),
    ...(place === 'mesh' ? shop : []),
  ];
}
