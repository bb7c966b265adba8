import { suggest } from '../diagnostics/suggest.ts';
import type { KubeObject } from './resources.ts';

/** Kinds that decide where a request goes. */
export const ROUTING_KINDS = ['Gateway', 'VirtualService', 'DestinationRule', 'ServiceEntry', 'WorkloadEntry'] as const;
const GROUP = 'networking.istio.io';

/** Versions of networking.istio.io whose schemas are the same (istio manifests/charts/base/files/crd-all.gen.yaml). */
export const ISTIO_VERSIONS: readonly string[] = ['v1', 'v1beta1', 'v1alpha3'];

/** Whether objects of this kind decide where a request goes; the embedded gateway interprets them. */
export function isRoutingKind(kind: string): boolean {
  return (ROUTING_KINDS as readonly string[]).includes(kind);
}

/** Whether an object is Istio's networking, in whatever version and of whatever kind. */
export function isIstioNetworking(object: Pick<KubeObject, 'apiVersion'>): boolean {
  return object.apiVersion.split('/')[0] === GROUP;
}

const UNSKIPPED_GROUPS: readonly string[] = [GROUP, 'perch.dev', 'gateway.networking.k8s.io'];

/**
 * Whether the embedded runtime may leave an object out with a note: it concerns no routing (Deployment, ConfigMap, ...). Istio's other networking
 * kinds (Sidecar, EnvoyFilter, ...) and Gateway API do route, so they are refused, never left out; and so is what looks like a misspelled group.
 */
export function isSkippableKind(object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  const group = object.apiVersion.split('/')[0] ?? '';
  return object.kind !== 'CanaryRelease' && suggest(group, UNSKIPPED_GROUPS) === undefined;
}
