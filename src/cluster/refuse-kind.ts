import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { suggest } from '../core/diagnostics/suggest.ts';
import { ROUTING_KINDS } from '../core/istio/kinds.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { API_VERSION, KIND } from '../core/release/canary-release.ts';
import type { Locate } from '../core/source/locate.ts';
import { refOf, refText } from './manifest.ts';

const KEPT_KINDS: readonly string[] = [KIND, ...ROUTING_KINDS];

/** Why an object that is neither a CanaryRelease nor about routing is not stored (PERCH4051), with what may be meant by a misspelled kind or group. */
export function refuseKind(object: KubeObject, locate?: Locate): Diagnostic {
  // Of the right name, but of another group.
  const path = object.kind === KIND ? 'apiVersion' : 'kind';
  return {
    code: 'PERCH4051',
    severity: 'error',
    message: `Perch does not keep objects of kind ${object.kind}`,
    object: refText(refOf(object)),
    path,
    ...(locate === undefined ? {} : { source: locate([path]) }),
    hint: meantBy(object) ?? 'leave it out: it stays with the tool that runs it',
  };
}

function meantBy({ kind, apiVersion }: KubeObject): string | undefined {
  if (apiVersion.startsWith('gateway.networking.k8s.io/')) {
    return 'leave it out: routes of Gateway API are for clusters, where perch controller weaves into them (docs/guides/gateway-api.md)';
  }
  if (kind === KIND) return `write apiVersion: ${API_VERSION}`;
  const near = suggest(kind, KEPT_KINDS);
  return near === undefined ? undefined : `did you mean ${near}?`;
}
