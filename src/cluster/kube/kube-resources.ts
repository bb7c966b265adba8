import { HTTP_ROUTE, HTTP_ROUTE_API } from '../../core/gateway-api/http-route.ts';
import { API_VERSION, KIND } from '../../core/release/canary-release.ts';
import type { ObjectRef } from '../store.ts';

const ISTIO = 'networking.istio.io/v1';

/** The kinds that the controller reads, where the API has them. */
const RESOURCES: Readonly<Record<string, { readonly apiVersion: string; readonly plural: string }>> = {
  [KIND]: { apiVersion: API_VERSION, plural: 'canaryreleases' },
  VirtualService: { apiVersion: ISTIO, plural: 'virtualservices' },
  DestinationRule: { apiVersion: ISTIO, plural: 'destinationrules' },
  Gateway: { apiVersion: ISTIO, plural: 'gateways' },
  ServiceEntry: { apiVersion: ISTIO, plural: 'serviceentries' },
  WorkloadEntry: { apiVersion: ISTIO, plural: 'workloadentries' },
  [HTTP_ROUTE]: { apiVersion: HTTP_ROUTE_API, plural: 'httproutes' },
};

/** Names of the kinds. */
export const KUBE_KINDS: readonly string[] = Object.keys(RESOURCES);

/** Path of all objects of a kind: in one namespace, or, where none is given, in all. */
export function kindPath(kind: string, namespace?: string): string {
  const { apiVersion, plural } = resourceOf(kind);
  return collectionPath(`/apis/${apiVersion}`, plural, namespace);
}

/** The same for a resource by its plural; `group` is `/api/v1`, or `/apis/` and a group with its version. */
export function collectionPath(group: string, plural: string, namespace: string | undefined): string {
  return namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** Path of one object; in another version of its group than the controller reads where `apiVersion` says so. */
export function objectPath(ref: ObjectRef, apiVersion: string = resourceOf(ref.kind).apiVersion): string {
  return `${collectionPath(`/apis/${apiVersion}`, resourceOf(ref.kind).plural, ref.namespace)}/${encodeURIComponent(ref.name)}`;
}

/** What brings a kind into a cluster that does not know it. */
export function definitionsOf(kind: string): string {
  return definitionsIn(resourceOf(kind).apiVersion.split('/')[0] ?? '') ?? kind;
}

/** What brings the kinds of an API group; undefined where they are nothing that the controller reads. */
export function definitionsIn(group: string): string | undefined {
  if (group === API_VERSION.split('/')[0]) return 'deploy/crd.yaml';
  return group === ISTIO.split('/')[0] ? 'Istio’s CustomResourceDefinitions' : undefined;
}

/** How rights to a kind are named: its API group, and its resource. */
export function groupResource(kind: string): { readonly group: string; readonly resource: string } {
  const { apiVersion, plural } = resourceOf(kind);
  return { group: apiVersion.split('/')[0] ?? '', resource: plural };
}

function resourceOf(kind: string): { readonly apiVersion: string; readonly plural: string } {
  const resource = RESOURCES[kind];
  if (resource === undefined) throw new Error(`the controller reads no ${kind}`);
  return resource;
}
