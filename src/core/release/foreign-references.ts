import { boundGateways, isSubsetOf, isWildcardHost, MESH_GATEWAY, resolveGateway, resolveHost, splitServiceHost } from '../istio/names.ts';
import type { HTTPRoute } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';

/** Something outside the namespace of a release that its spec names. */
export interface ForeignReference {
  /** Where the spec names it: `spec.canary.host`. */
  readonly path: string;
  /** `Service payments/web`. */
  readonly what: string;
  /** Where it is; `*`: anywhere. */
  readonly namespace: string;
}

type Found = readonly ForeignReference[];

/** Fields of a rule of Istio's that name a service, beside those that Perch's gateway serves. */
interface Rule extends HTTPRoute {
  readonly mirror?: Addressed;
  readonly mirrors?: readonly { readonly destination?: Addressed }[];
}

interface Addressed {
  readonly host?: string;
}

/**
 * All services, gateways and delegates of other namespaces that a release names, in its own fields and in the rules of `route`. What it writes is always in its
 * own namespace: nowhere may one be given. Hosts that are of no namespace, such as `api.example.com`, are nobody's.
 */
export function foreignReferences({ metadata: { namespace }, spec }: CanaryRelease): Found {
  const { service, canary, stable, route } = spec;
  const host = (name: string, path: string) => serviceAt(name, path, namespace);
  const own = [
    ...host(service.host, 'spec.service.host'),
    ...('host' in canary ? host(canary.host, 'spec.canary.host') : []),
    ...(stable !== undefined && 'host' in stable ? host(stable.host, 'spec.stable.host') : []),
  ];
  if ('adopt' in route) return own;
  const path = `spec.route.${'delegate' in route ? 'delegate' : 'managed'}`;
  const { http } = 'delegate' in route ? route.delegate : route.managed;
  const rules = http.flatMap((rule, index) => inRule(rule as Rule, `${path}.http[${index}]`, namespace));
  if ('delegate' in route) return [...own, ...rules];
  const { hosts, gateways } = route.managed;
  const inMesh = boundGateways(gateways, namespace).includes(MESH_GATEWAY);
  const named = inMesh ? hosts.flatMap((name, index) => hostAt(name, `${path}.hosts[${index}]`, namespace)) : [];
  return [...own, ...named, ...gatewaysAt(gateways, `${path}.gateways`, namespace), ...rules];
}

function inRule({ match = [], route = [], mirror, mirrors = [], delegate }: Rule, path: string, namespace: string): Found {
  const host = (at: Addressed | undefined, where: string) =>
    at?.host === undefined ? [] : serviceAt(at.host, `${path}.${where}.host`, namespace);
  const owner = delegate?.namespace ?? '';
  return [
    ...match.flatMap((block, index) => gatewaysAt(block.gateways, `${path}.match[${index}].gateways`, namespace)),
    ...route.flatMap(({ destination }, index) => host(destination, `route[${index}].destination`)),
    ...host(mirror, 'mirror'),
    ...mirrors.flatMap(({ destination }, index) => host(destination, `mirrors[${index}].destination`)),
    ...(owner === '' || owner === namespace
      ? []
      : [{ path: `${path}.delegate.namespace`, what: `VirtualService ${owner}/${delegate?.name}`, namespace: owner }]),
  ];
}

function serviceAt(name: string, path: string, namespace: string): Found {
  const parts = splitServiceHost(resolveHost(name, namespace));
  if (parts === undefined || parts.namespace === namespace) return [];
  return [{ path, what: `Service ${parts.namespace}/${parts.name}`, namespace: parts.namespace }];
}

/** Whose requests a VirtualService takes in the mesh: those of a service, or, by a wildcard, those of many. */
function hostAt(name: string, path: string, namespace: string): Found {
  const isOfMany = isWildcardHost(name) && isSubsetOf('any.any.svc.cluster.local', name);
  return isOfMany ? [{ path, what: `${name}, services of all namespaces`, namespace: '*' }] : serviceAt(name, path, namespace);
}

function gatewaysAt(names: readonly string[] | undefined, path: string, namespace: string): Found {
  return (names ?? []).flatMap((name, index) => {
    const full = resolveGateway(name, namespace);
    const owner = full.slice(0, full.indexOf('/'));
    const isOwn = full === MESH_GATEWAY || owner === namespace;
    return isOwn ? [] : [{ path: `${path}[${index}]`, what: `Gateway ${full}`, namespace: owner }];
  });
}
