import { type BackendRef, type HttpRouteRule, httpRouteOf, rulesOf } from '../gateway-api/http-route.ts';
import { resolveHost, splitServiceHost } from '../istio/names.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { sameVersion } from '../release/version.ts';
import type { ReleasedService } from '../weave/released-destination.ts';

/** A version that is a host of its own: nothing else can be named in an HTTPRoute. */
type HostVersion = Extract<Version, { host: string }>;

interface Address {
  readonly host: string;
  readonly port: number | undefined;
}

/** The backends of a rule that get requests. */
export function takingBackends({ backendRefs = [] }: HttpRouteRule): readonly BackendRef[] {
  return backendRefs.filter(({ weight = 1 }) => weight > 0);
}

/** The rule with another one in place of a backend of it. */
export function withBackend(rule: HttpRouteRule, before: BackendRef, after: BackendRef): HttpRouteRule {
  return before === after ? rule : { ...rule, backendRefs: (rule.backendRefs ?? []).map((each) => (each === before ? after : each)) };
}

/** Whether a backend of a route in `namespace` is the service, or one of the versions that visitors had or have. */
export function isReleased(ref: BackendRef, namespace: string, service: ReleasedService, versions: readonly Version[]): boolean {
  return (
    isAt(ref, namespace, { host: resolveHost(service.host, service.namespace), port: service.port }) ||
    versions.some((version) => isAtVersion(ref, namespace, service, version))
  );
}

/** Whether a backend is this version. */
function isAtVersion(ref: BackendRef, namespace: string, service: ReleasedService, version: Version): boolean {
  if (!('host' in version)) return false;
  return isAt(ref, namespace, { host: resolveHost(version.host, service.namespace), port: version.port ?? service.port });
}

/**
 * The backend at a version: another Service of the namespace that the backend is of, or another host of Istio's (kind Hostname). Undefined where the version is
 * no such one.
 */
export function atVersion(ref: BackendRef, namespace: string, service: ReleasedService, version: Version): BackendRef | undefined {
  if (!('host' in version)) return undefined;
  const name = backendName(ref, namespace, service, version);
  return name === undefined ? undefined : { ...ref, name, port: version.port ?? service.port };
}

/** The base with every released backend at one version, and nothing else changed; rules that draw between several are left alone, as by weaving. */
export function httpRouteAtVersion(base: KubeObject, service: ReleasedService, versions: readonly Version[], version: Version): KubeObject {
  const { namespace = 'default' } = base.metadata;
  const rules = rulesOf(base).map((rule) => {
    const [ref, ...others] = takingBackends(rule);
    if (ref === undefined || others.length > 0 || !isReleased(ref, namespace, service, versions)) return rule;
    return withBackend(rule, ref, atVersion(ref, namespace, service, version) ?? ref);
  });
  return { ...base, spec: { ...httpRouteOf(base).spec, rules } };
}

/** The versions that backends of a base lead to: of `candidates` the one that is meant, else as they are written. Each once. */
export function versionsAmong(
  refs: readonly BackendRef[],
  namespace: string,
  service: ReleasedService,
  candidates: readonly Version[],
): readonly Version[] {
  const found: Version[] = [];
  for (const ref of refs.filter((each) => isReleased(each, namespace, service, candidates))) {
    const { host = '', port } = addressOf(ref, namespace) ?? {};
    const known = candidates.find((version) => isAtVersion(ref, namespace, service, version));
    const version = known ?? { host, port: port ?? service.port };
    if (!found.some((each) => sameVersion(each, version))) found.push(version);
  }
  return found;
}

function backendName(ref: BackendRef, namespace: string, service: ReleasedService, version: HostVersion): string | undefined {
  const host = resolveHost(version.host, service.namespace);
  if (isHostname(ref)) return host;
  const parts = splitServiceHost(host);
  return parts !== undefined && parts.namespace === (ref.namespace ?? namespace) ? parts.name : undefined;
}

function isAt(ref: BackendRef, namespace: string, { host, port }: Address): boolean {
  const address = addressOf(ref, namespace);
  return address?.host === host && (address.port === undefined || address.port === port);
}

/** Undefined for what is neither a Service nor a host. */
function addressOf(ref: BackendRef, namespace: string): Address | undefined {
  if (isHostname(ref)) return { host: ref.name, port: ref.port };
  if ((ref.group ?? '') !== '' || (ref.kind ?? 'Service') !== 'Service') return undefined;
  return { host: resolveHost(ref.name, ref.namespace ?? namespace), port: ref.port };
}

/** A host of Istio's, such as one of a ServiceEntry. */
function isHostname({ group, kind }: BackendRef): boolean {
  return group === 'networking.istio.io' && kind === 'Hostname';
}
