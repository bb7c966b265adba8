import type { KubeObject } from '../../src/core/istio/resources.ts';
import { istio, meshService, versionSubsets } from '../harness/istio-object.ts';

/** Bookinfo as the controller's tests release it: `reviews` behind the gateway's `bookinfo`. */

/** The service that is released, by its full name. */
export const HOST = 'reviews.default.svc.cluster.local';
/** Names the release of reviews. */
export const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
/** Names the routes of reviews, inside the mesh. */
export const REVIEWS = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };
/** Names the routes at the gateway, where ids are issued. */
export const BOOKINFO = { kind: 'VirtualService', namespace: 'default', name: 'bookinfo' };

/** The VirtualService that the release adopts. */
export function reviewsRoutes(http: readonly unknown[] = [{ route: [{ destination: { host: 'reviews', subset: 'v1' } }] }]): KubeObject {
  return istio('VirtualService', 'reviews', { hosts: ['reviews'], http });
}

/** Where the versions of reviews listen. */
export function endpoints(given: Readonly<Record<string, number>>): KubeObject {
  return meshService('reviews', given);
}

/** What stays the same: gateway, entry service, subsets. */
export const bookinfo: readonly KubeObject[] = [
  istio('Gateway', 'bookinfo', { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] }),
  istio('VirtualService', 'bookinfo', {
    hosts: ['*'],
    gateways: ['bookinfo'],
    http: [{ match: [{ uri: { exact: '/productpage' } }], route: [{ destination: { host: 'productpage', port: { number: 9080 } } }] }],
  }),
  versionSubsets('reviews', ['v1', 'v2', 'v3']),
];

/** The release of v2 in three steps of 150 ms, with parts of its spec replaced. */
export function release(spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'reviews' },
    spec: {
      service: { host: 'reviews', port: 9080 },
      canary: { subset: 'v2' },
      stable: { subset: 'v1' },
      route: { adopt: { virtualService: 'reviews' } },
      visitorId: { issueAt: { virtualService: 'bookinfo' } },
      cohort: 0,
      steps: [
        { weight: 10, hold: '150ms' },
        { weight: 50, hold: '150ms' },
        { weight: 100, hold: '150ms' },
      ],
      ...spec,
    },
  };
}

/** The same three weights with these holds. */
export const steps = (...holds: readonly string[]) => ({ steps: holds.map((hold, index) => ({ weight: [10, 50, 100][index], hold })) });

/** What happens to it when nobody interferes, by the events' reasons. */
export const THREE_STEPS = [
  'Started',
  ...Array.from({ length: 3 }, () => ['StepStarted', 'StepConfirmed']).flat(),
  'Completing',
  'Succeeded',
];
