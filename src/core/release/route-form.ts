import type { KubeObject } from '../istio/resources.ts';
import type { CanaryReleaseSpec } from './canary-release.ts';

/** How a release comes to its VirtualService: it adopts the user's, or owns a delegate, or owns a whole one. */
export type RouteForm = 'adopt' | 'delegate' | 'managed';

/** Annotation of a VirtualService that a release owns: `NAMESPACE/NAME` of the CanaryRelease. */
export const OWNER_ANNOTATION = 'perch.dev/owned-by';

type Route = CanaryReleaseSpec['route'];

/** As much of a release as decides about its VirtualService. */
interface Routed {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly route: Route };
}

/** A route as a spec names it. */
interface NamedRoute {
  readonly kind: 'VirtualService' | 'HTTPRoute';
  readonly name: string;
}

/** As much of a spec, with or without defaults, as decides about where ids are issued. */
interface Issuing {
  readonly visitorId?: { readonly issueAt?: CanaryReleaseSpec['visitorId']['issueAt'] } | undefined;
}

/** Which of the three forms the release has. */
export function routeForm({ spec: { route } }: Pick<Routed, 'spec'>): RouteForm {
  if ('adopt' in route) return 'adopt';
  return 'delegate' in route ? 'delegate' : 'managed';
}

/** The kind of the object that the release is woven into: an HTTPRoute of Gateway API where it adopts one. */
export function routedKind({ spec: { route } }: Pick<Routed, 'spec'>): NamedRoute['kind'] {
  return 'adopt' in route && 'httpRoute' in route.adopt ? 'HTTPRoute' : 'VirtualService';
}

/** Name of the object that the release is woven into, in the release's namespace. */
export function routedName({ metadata, spec: { route } }: Routed): string {
  if ('adopt' in route) return 'httpRoute' in route.adopt ? route.adopt.httpRoute : route.adopt.virtualService;
  return 'delegate' in route ? route.delegate.name : (route.managed.name ?? metadata.name);
}

/** The object where ids are issued, in the release's namespace; undefined where the spec names none. */
export function issuingRoute({ spec }: { readonly spec: Issuing }): NamedRoute | undefined {
  const issueAt = spec.visitorId?.issueAt;
  if (issueAt === undefined) return undefined;
  return 'httpRoute' in issueAt ? { kind: 'HTTPRoute', name: issueAt.httpRoute } : { kind: 'VirtualService', name: issueAt.virtualService };
}

/** Where the spec names that object: for diagnostics. */
export function routedPath({ spec: { route } }: Pick<Routed, 'spec'>): string {
  if ('adopt' in route) return `spec.route.adopt.${'httpRoute' in route.adopt ? 'httpRoute' : 'virtualService'}`;
  return 'delegate' in route ? 'spec.route.delegate.name' : 'spec.route.managed';
}

/** Where the spec has a field of the VirtualService that the release owns (`spec.http[0]`); undefined where it adopts one. */
export function ownedField({ spec: { route } }: Pick<Routed, 'spec'>, field: string): string | undefined {
  return 'adopt' in route ? undefined : field.replace(/^spec\./, `spec.route.${'delegate' in route ? 'delegate' : 'managed'}.`);
}

/** The base of the VirtualService that the release owns, as its spec declares it; undefined where it adopts one. */
export function ownedVirtualService(release: Routed): KubeObject | undefined {
  const { route } = release.spec;
  const { name, namespace } = release.metadata;
  if ('adopt' in route) return undefined;
  const spec = 'delegate' in route ? { http: route.delegate.http } : managedSpec(route.managed);
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: routedName(release), namespace, annotations: { [OWNER_ANNOTATION]: `${namespace}/${name}` } },
    spec,
  };
}

function managedSpec({ hosts, gateways, http }: Extract<Route, { managed: unknown }>['managed']): KubeObject['spec'] {
  return { hosts, ...(gateways === undefined ? {} : { gateways }), http };
}
