/**
 * Names in Istio objects: how short ones resolve, which hosts a wildcard covers, and which of two is narrower
 * (istio pilot/pkg/model/config.go ResolveShortnameToFQDN, pkg/config/host/name.go).
 */

/** The gateway name that stands for every sidecar. */
export const MESH_GATEWAY = 'mesh';

const CLUSTER_DOMAIN = 'cluster.local';

/** Splits `NAME.NAMESPACE.svc.cluster.local`; undefined for any other host. */
export function splitServiceHost(host: string): { readonly name: string; readonly namespace: string } | undefined {
  const suffix = `.svc.${CLUSTER_DOMAIN}`;
  if (!host.endsWith(suffix)) return undefined;
  const rest = host.slice(0, -suffix.length);
  const dot = rest.lastIndexOf('.');
  if (dot <= 0 || dot === rest.length - 1) return undefined;
  return { name: rest.slice(0, dot), namespace: rest.slice(dot + 1) };
}

/**
 * The full name of a host as written in an object of `namespace`. Only a name without dots is short: `reviews.default` counts as
 * full already, as in Istio; IP addresses and `*` stay as they are.
 */
export function resolveHost(host: string, namespace: string): string {
  if (host === '' || host === '*' || host.includes('.') || host.includes(':')) return host;
  return `${host}.${namespace}.svc.${CLUSTER_DOMAIN}`;
}

/**
 * The full name (`namespace/name`, or `mesh`) of a gateway as written in an object of `namespace`;
 * also the legacy form `name.namespace[.svc...]`.
 */
export function resolveGateway(name: string, namespace: string): string {
  if (name === MESH_GATEWAY) return name;
  const slash = name.indexOf('/');
  if (slash >= 0) {
    const owner = name.slice(0, slash);
    return owner === '.' ? `${namespace}/${name.slice(slash + 1)}` : name;
  }
  const [first = '', owner] = name.split('.');
  return owner === undefined ? `${namespace}/${name}` : `${owner}/${first}`;
}

/** The gateways that a VirtualService is bound to, resolved: none named means the mesh (istio-semantics: push_context getGatewayNames). */
export function boundGateways(gateways: readonly string[] | undefined, namespace: string): readonly string[] {
  if (gateways === undefined || gateways.length === 0) return [MESH_GATEWAY];
  return gateways.map((name) => resolveGateway(name, namespace));
}

/** Whether the host stands for many: `*`, `*.example.com`, `*-bar.example.com`. */
export function isWildcardHost(host: string): boolean {
  return host.startsWith('*');
}

/** Whether every host that `inner` covers is covered by `outer`; both may be wildcards. */
export function isSubsetOf(inner: string, outer: string): boolean {
  if (!isWildcardHost(outer)) return inner === outer;
  if (isWildcardHost(inner)) return inner.length >= outer.length && inner.endsWith(outer.slice(1));
  return inner.endsWith(outer.slice(1));
}

/** Whether a request's host (lower case, no port) is covered by `pattern`. A wildcard stands for at least one character, as in Envoy. */
export function hostMatches(pattern: string, host: string): boolean {
  if (!isWildcardHost(pattern)) return pattern === host;
  return host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/** Sorts the more specific host first: exact names before wildcards, longer wildcards before shorter ones. */
export function compareSpecificity(left: string, right: string): number {
  const wildcards = Number(isWildcardHost(left)) - Number(isWildcardHost(right));
  return wildcards !== 0 ? wildcards : right.length - left.length;
}

/** Hosts that both lists cover: of each overlapping pair the narrower one, in lower case, without repetition. */
export function intersectHosts(left: readonly string[], right: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const a of left.map((host) => host.toLowerCase())) {
    for (const b of right.map((host) => host.toLowerCase())) {
      if (isSubsetOf(a, b)) found.add(a);
      else if (isSubsetOf(b, a)) found.add(b);
    }
  }
  return [...found];
}

/**
 * Host of a Gateway server (`host`, `ns/host`, `./host` for its own, or any namespace as `*`) as seen by VirtualServices of `viewer`; undefined where the server
 * does not admit that namespace.
 */
export function admittedServerHost(serverHost: string, gatewayNamespace: string, viewer: string): string | undefined {
  const slash = serverHost.indexOf('/');
  if (slash < 0) return serverHost;
  const admitted = serverHost.slice(0, slash);
  const owner = admitted === '.' ? gatewayNamespace : admitted;
  return owner === '*' || owner === viewer ? serverHost.slice(slash + 1) : undefined;
}
