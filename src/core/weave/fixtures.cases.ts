import type { KubeObject, VirtualServiceSpec } from '../istio/resources.ts';
import { API_VERSION, type CanaryRelease, canaryReleaseSpec, KIND } from '../release/canary-release.ts';
import type { DrawPlan, RoutePlan } from './plan.ts';
import type { WeaveInput } from './weave-virtual-service.ts';

/** Objects that the tests of weaving start from: the release of `web` behind the gateway `web`, and of `reviews` behind `bookinfo`. */

type Fields = Readonly<Record<string, unknown>>;

/** A release of `web:8080` from v1 to v2, defaults filled in. */
export function releaseOf(spec: Fields = {}, name = 'web'): CanaryRelease {
  const wanted = {
    service: { host: 'web', port: 8080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'web' } },
    steps: [{ weight: 100, hold: 'manual' }],
    ...spec,
  };
  const metadata = { name, namespace: 'default' };
  return { apiVersion: API_VERSION, kind: KIND, metadata, spec: canaryReleaseSpec.parse(wanted) };
}

/** A VirtualService of the namespace `default`, bound to the gateway `web` unless `spec` says otherwise. */
export function virtualService(
  http: readonly unknown[],
  spec: Fields = {},
  name = 'web',
): KubeObject & { readonly spec: VirtualServiceSpec } {
  const wanted = { hosts: ['web.test'], gateways: ['web'], http, ...spec };
  const metadata = { name, namespace: 'default' };
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata, spec: wanted as VirtualServiceSpec };
}

/** The Gateway `web` of the namespace `default`; its servers take any host. */
export function gatewayOf(protocol: 'HTTP' | 'HTTPS' = 'HTTP', name = 'web', spec: Fields = {}): KubeObject {
  const servers = [{ port: { number: protocol === 'HTTP' ? 80 : 443, name: 'web', protocol }, hosts: ['*'] }];
  const metadata = { name, namespace: 'default' };
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata,
    spec: { selector: { istio: 'ingressgateway' }, servers, ...spec },
  };
}

/** 10 % on v2, in the first draw. */
export const TEN_PERCENT: Extract<RoutePlan, { kind: 'split' }> = {
  kind: 'split',
  stable: { subset: 'v1' },
  canary: { subset: 'v2' },
  cutoff: 0x19a,
  offset: 0,
};

/** The same share of draws, under a cookie of `affinity.mode: canaryOnly`. */
export const TEN_PERCENT_DRAWN: DrawPlan = {
  kind: 'draw',
  stable: { subset: 'v1' },
  canary: { subset: 'v2' },
  weight: 10,
  cookie: { name: 'perch-web', value: 'v2-5c1f0e9b', maxAge: 21_600 },
};

/** Input for weaving at the edge. */
export function edgeInput(http: readonly unknown[], changes: Partial<WeaveInput> = {}): WeaveInput {
  const input = { release: releaseOf(), plan: TEN_PERCENT, former: [], routed: virtualService(http), issuing: undefined };
  return { ...input, gateways: [gatewayOf()], siblings: [], ...changes };
}

/** The rules of an object. */
export function rulesOf(object: KubeObject | undefined): NonNullable<VirtualServiceSpec['http']> {
  return (object?.spec as VirtualServiceSpec | undefined)?.http ?? [];
}
