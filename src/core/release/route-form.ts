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

/** Which of the three forms the release has. */
export function routeForm({ spec: { route } }: Pick<Routed, 'spec'>): RouteForm {
  if ('adopt' in route) return 'adopt';
  return 'delegate' in route ? 'delegate' : 'managed';
}

/** Name of the VirtualService that the release is woven into, in the release's namespace. */
export function routedName({ metadata, spec: { route } }: Routed): string {
  if ('adopt' in route) return route.adopt.virtualService;
  return 'delegate' in route ? route.delegate.name : (route.managed.name ?? metadata.name);
}

/** Where the spec names that VirtualService: for diagnostics. */
export function routedPath({ spec: { route } }: Pick<Routed, 'spec'>): string {
  if ('adopt' in route) return 'spec.route.adopt.virtualService';
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
