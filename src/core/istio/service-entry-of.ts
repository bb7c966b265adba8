import type { KubeObject, ServiceEntry, WorkloadEntrySpec } from './resources.ts';

/** A Service (core/v1), as far as it is read. */
export interface ClusterService extends KubeObject {
  readonly spec?: { readonly selector?: Labels | null; readonly ports?: readonly { readonly name?: string; readonly port: number }[] };
}

/** Some endpoints of a Service (discovery.k8s.io/v1), as far as they are read. */
export interface EndpointSlice extends KubeObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?: readonly SliceEndpoint[] | null;
}

interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean | null; readonly terminating?: boolean | null };
  readonly targetRef?: { readonly kind?: string; readonly name?: string };
}

type Labels = Readonly<Record<string, string>>;

/** Label of a slice that names its Service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/**
 * A Service with its endpoints as a ServiceEntry, which is what istiod makes of one inside: subsets then choose by the labels of its pods.
 * `labelsOf` gives those of a pod of its namespace. With `readyOnly` without endpoints that are not ready, or are about to end (absent means ready:
 * API reference of EndpointConditions).
 */
export function serviceEntryOf(
  service: ClusterService,
  slices: readonly EndpointSlice[],
  labelsOf: (pod: string) => Labels | undefined,
  readyOnly: boolean,
): ServiceEntry {
  const { name, namespace = 'default' } = service.metadata;
  const ports = (service.spec?.ports ?? []).map((port) => ({ number: port.port, name: portName(port.name), protocol: 'HTTP' }));
  const endpoints = slices.flatMap((slice) =>
    (slice.endpoints ?? []).flatMap((endpoint): WorkloadEntrySpec[] => {
      const { addresses, conditions, targetRef } = endpoint;
      const [address] = addresses;
      const isReady = conditions?.ready !== false && conditions?.terminating !== true;
      if (address === undefined || (readyOnly && !isReady)) return [];
      const targets = (slice.ports ?? []).flatMap((port) => (port.port === undefined ? [] : [[portName(port.name), port.port] as const]));
      const labels = targetRef?.kind === 'Pod' && targetRef.name !== undefined ? labelsOf(targetRef.name) : undefined;
      return [{ address, ports: Object.fromEntries(targets), ...(labels === undefined ? {} : { labels }) }];
    }),
  );
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace },
    spec: { hosts: [`${name}.${namespace}.svc.cluster.local`], location: 'MESH_INTERNAL', resolution: 'STATIC', ports, endpoints },
  };
}

/** The only port of a Service may have none. */
function portName(name: string | undefined): string {
  return name === undefined || name === '' ? 'http' : name;
}
