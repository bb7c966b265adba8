/** One route of an Envoy, as far as it is read (envoy.config.route.v3.Route, in JSON). */
export interface EnvoyRoute {
  readonly name?: string;
  readonly match?: { readonly headers?: readonly unknown[] };
  readonly route?: { readonly cluster?: string; readonly weightedClusters?: { readonly clusters?: readonly EnvoyCluster[] } };
  readonly metadata?: { readonly filterMetadata?: { readonly istio?: { readonly config?: string } } };
}

interface EnvoyCluster {
  readonly name?: string;
  readonly weight?: number;
}

interface EnvoyVirtualHost {
  readonly domains?: readonly string[];
  readonly routes?: readonly EnvoyRoute[];
}

/** A set of routes as an Envoy has it (envoy.config.route.v3.RouteConfiguration, in JSON). */
export interface EnvoyRouteConfiguration {
  readonly virtualHosts?: readonly EnvoyVirtualHost[];
}

/** What tells one block of a rule from that of another form: the rule's name, what headers have to be, and where it leads. */
export interface RouteBlock {
  readonly name: string;
  readonly values: readonly string[];
  /** As Envoy names them; `*` for a port that is not known. */
  readonly clusters: readonly string[];
}

/** What istiod makes of a routing object, as far as it tells one form of it from another. */
export interface ExpectedRoutes {
  readonly blocks: readonly RouteBlock[];
  /** Those of an Envoy that may come from the object. */
  among(configurations: readonly EnvoyRouteConfiguration[]): readonly EnvoyRoute[];
  /** Whether a route of this name may be of a rule with that one. */
  isNamed(routeName: string, ruleName: string): boolean;
}

/** All routes of an Envoy, or those of some virtual hosts. */
export function allRoutes(
  configurations: readonly EnvoyRouteConfiguration[],
  isOf: (host: EnvoyVirtualHost) => boolean = () => true,
): readonly EnvoyRoute[] {
  return configurations.flatMap(({ virtualHosts = [] }) => virtualHosts.filter(isOf).flatMap(({ routes = [] }) => routes));
}

/** Whether a route was made of a block, whatever its name. */
export function isMadeOf({ match, route }: EnvoyRoute, block: RouteBlock): boolean {
  const matched = new Set<unknown>();
  collectTexts(match?.headers ?? [], matched);
  if (!block.values.every((value) => matched.has(value))) return false;
  const { cluster, weightedClusters } = route ?? {};
  const leadsTo = cluster === undefined ? (weightedClusters?.clusters ?? []).map(({ name = '' }) => name) : [cluster];
  return leadsTo.length === block.clusters.length && block.clusters.every((wanted) => leadsTo.some((each) => isCluster(each, wanted)));
}

function isCluster(name: string, wanted: string): boolean {
  // Of a Service that has the waypoint, too: `inbound-vip|80|http/v1|web.default.svc.cluster.local`.
  const cluster = name.replace(/^inbound-vip\|(\d+)\|[a-z]+\/?([^|]*)\|/, 'outbound|$1|$2|');
  if (!wanted.startsWith('outbound|*|')) return cluster === wanted;
  return cluster.replace(/^outbound\|\d+\|/, 'outbound|*|') === wanted;
}

function collectTexts(value: unknown, texts: Set<unknown>): void {
  if (typeof value === 'string') texts.add(value);
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) collectTexts(inner, texts);
}
