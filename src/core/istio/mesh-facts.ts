import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { valueAt } from '../source/finding.ts';
import { parseYamlValue } from '../source/yaml-value.ts';
import type { KubeObject } from './resources.ts';

type Labels = Readonly<Record<string, string>>;

/** What is known of the service of a release and of the mesh around it. */
export interface MeshFacts {
  /** Of istiods, as their Deployments tell: `1.24.3`. */
  readonly istioVersions: readonly string[];
  /** Where request ids are not as visitor ids need them, in sentences. */
  readonly requestIds: readonly string[];
  /** Of the service: `namespace/name`; undefined where it is none of the cluster's. */
  readonly service: string | undefined;
  readonly namespaceLabels: Labels;
  readonly serviceLabels: Labels;
  readonly pods: readonly KubeObject['metadata'][];
}

/** Where a release routes: at gateways, where ids are issued, or inside the mesh. */
export interface RoutedAt {
  readonly gateway: boolean;
  readonly mesh: boolean;
  /** The service is not the one that is called in the mesh, but a version of it, of its own name. */
  readonly isVersion?: boolean;
}

/** The first minor version of Istio 1 whose edges replace the request ids of clients with private addresses. */
const OLDEST_MINOR = 25;
const DATAPLANE_MODE = 'istio.io/dataplane-mode';
const USE_WAYPOINT = 'istio.io/use-waypoint';
/** On pods with a sidecar, which ztunnel leaves alone. */
const SIDECAR = 'sidecar.istio.io/status';

/** istiod tells a waypoint of its own Services, and of others as long as routes lead to them; connections that are open go by the routes of before once more. */
const FORGOTTEN =
  'the waypoint of the Service that is called would forget this version as soon as no route leads to it, and fail requests on open connections';

/** What of the mesh keeps a release from being what it says. */
export function meshFindings(facts: MeshFacts, at: RoutedAt): readonly Diagnostic[] {
  const findings: Diagnostic[] = [];
  if (at.mesh && lacksWaypoint(facts)) {
    findings.push({
      code: 'PERCH3090',
      severity: 'error',
      message: `Service ${facts.service} is in the ambient mesh and has no waypoint: ${at.isVersion === true ? FORGOTTEN : 'nobody there would route by the release'}`,
      hint: `label its namespace or the Service with ${USE_WAYPOINT} and the name of a waypoint`,
    });
  }
  if (!at.gateway) return findings;
  const old = facts.istioVersions.filter(isOld);
  if (old.length > 0) {
    findings.push({
      code: 'PERCH3091',
      severity: 'warning',
      message: `Istio ${old.join(' and ')} is older than 1.${OLDEST_MINOR}: its gateways keep the request ids of clients with private addresses`,
      hint: 'such a client may choose its cohort, and is on stable with an id that is none; upgrade Istio',
    });
  }
  for (const message of facts.requestIds) {
    const hint = 'visitor ids are made of request ids: leave their making to the gateways where ids are issued';
    findings.push({ code: 'PERCH3092', severity: 'warning', message, hint });
  }
  return findings;
}

/** Labels of a Service count before those of its namespace; `none` takes a waypoint away (https://istio.io/latest/docs/ambient/usage/waypoint/). */
function lacksWaypoint({ service, namespaceLabels, serviceLabels, pods }: MeshFacts): boolean {
  const waypoint = serviceLabels[USE_WAYPOINT] ?? namespaceLabels[USE_WAYPOINT] ?? 'none';
  return service !== undefined && isAmbient(namespaceLabels, pods) && waypoint === 'none';
}

function isAmbient(namespaceLabels: Labels, pods: MeshFacts['pods']): boolean {
  const modes = pods.map(({ labels, annotations }) =>
    annotations?.[SIDECAR] === undefined ? (labels?.[DATAPLANE_MODE] ?? namespaceLabels[DATAPLANE_MODE]) : 'sidecar',
  );
  // Where there are no pods yet, the namespace says what they will be.
  return pods.length === 0 ? namespaceLabels[DATAPLANE_MODE] === 'ambient' : modes.includes('ambient');
}

function isOld(version: string): boolean {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})/.exec(version) ?? [];
  return major === '1' && Number(minor) < OLDEST_MINOR;
}

/** What an EnvoyFilter does to request ids, in a sentence; undefined where it does nothing (envoy HttpConnectionManager). */
export function requestIdsOfFilter({ metadata, spec }: KubeObject): string | undefined {
  const { configPatches } = (spec ?? {}) as { readonly configPatches?: unknown };
  const name = `EnvoyFilter ${metadata.namespace ?? 'default'}/${metadata.name}`;
  if (hasField(configPatches, /^preserve(_external_request_id|ExternalRequestId)$/, true)) {
    return `${name} keeps request ids that clients send (preserve_external_request_id)`;
  }
  if (hasField(configPatches, /^generate(_request_id|RequestId)$/, false))
    return `${name} makes no request ids (generate_request_id: false)`;
  return undefined;
}

/** The same of a mesh configuration: `mesh` of ConfigMap istio (istio.mesh.v1alpha1 ProxyConfig.ProxyHeaders). */
export function requestIdsOfMeshConfig(text: string): string | undefined {
  const disabled = valueAt(parseYamlValue(text), ['defaultConfig', 'proxyHeaders', 'requestId', 'disabled']);
  return disabled === true ? 'meshConfig.defaultConfig.proxyHeaders.requestId.disabled: no request ids are made' : undefined;
}

function hasField(value: unknown, name: RegExp, wanted: boolean): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => (name.test(key) && inner === wanted) || hasField(inner, name, wanted));
}
