/**
 * Istio's networking resources as Perch reads them: the fields that Perch interprets, with Istio's names
 * (istio/api, networking/v1). Objects may carry more fields; weaving keeps those it does not know.
 */

/** What names an object. Without `namespace` it is of `default`; `readKubeObject` fills that in. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
}

/** Any Kubernetes-style object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
}

interface Resource<Kind extends string, Spec> extends KubeObject {
  readonly kind: Kind;
  readonly spec: Spec;
}

/** Opens ports at the edge of the mesh for hosts; VirtualServices bind to it. */
export type Gateway = Resource<'Gateway', GatewaySpec>;
/** The routes of hosts, or, without hosts, those that other VirtualServices delegate to it. */
export type VirtualService = Resource<'VirtualService', VirtualServiceSpec>;
/** Names the versions of a host: subsets of its endpoints, by labels. */
export type DestinationRule = Resource<'DestinationRule', DestinationRuleSpec>;
/** Adds a service to the registry; without Kubernetes the only way for one to be there. */
export type ServiceEntry = Resource<'ServiceEntry', ServiceEntrySpec>;
/** One endpoint, for every ServiceEntry of the namespace whose `workloadSelector` its labels fit. */
export type WorkloadEntry = Resource<'WorkloadEntry', WorkloadEntrySpec>;

/** The kinds that decide where a request goes. */
export type RoutingObject = Gateway | VirtualService | DestinationRule | ServiceEntry | WorkloadEntry;

/** A port of a server or a service; `name` is what endpoints refer to, `protocol` is `HTTP` and the like, in any case. */
export interface Port {
  readonly number: number;
  readonly name: string;
  readonly protocol: string;
}

/** `selector`: labels of the gateway workloads; the embedded gateway serves every Gateway. */
export interface GatewaySpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly servers: readonly GatewayServer[];
}

/**
 * One port of a Gateway. `hosts` may be `*` or begin with `*.`, and with `NAMESPACE/`; `bind` is the address, all of them where it is
 * absent.
 */
export interface GatewayServer {
  readonly port: Port;
  readonly bind?: string;
  readonly tls?: ServerTLSSettings;
  readonly hosts: readonly string[];
  readonly name?: string;
}

/**
 * `httpsRedirect` is for servers without TLS, the rest for HTTPS. Where no `mode` is written it is PASSTHROUGH, which the embedded gateway
 * refuses. The certificate is either that of the Secret `credentialName`, or of the files `serverCertificate` and `privateKey`; MUTUAL
 * asks clients for one that an authority in `ca.crt` of the Secret, or in `caCertificates`, has signed.
 */
export interface ServerTLSSettings {
  readonly httpsRedirect?: boolean;
  readonly mode?: string;
  readonly credentialName?: string;
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly minProtocolVersion?: 'TLS_AUTO' | 'TLSV1_2' | 'TLSV1_3';
  readonly maxProtocolVersion?: 'TLS_AUTO' | 'TLSV1_2' | 'TLSV1_3';
  readonly cipherSuites?: readonly string[];
}

/**
 * `gateways`: the names of Gateways, and `mesh` for sidecars; absent means `mesh` alone. The first rule of `http` that matches decides.
 * `tcp` and `tls` are not woven, and the embedded gateway refuses them.
 */
export interface VirtualServiceSpec {
  readonly hosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly HTTPRoute[];
  readonly tcp?: readonly unknown[];
  readonly tls?: readonly unknown[];
  readonly exportTo?: readonly string[];
}

/**
 * One rule: where any block of `match` fits, or there is none, exactly one of `route`, `redirect`, `directResponse` and `delegate` is
 * done. `timeout` is a duration such as `3s`.
 */
export interface HTTPRoute {
  readonly name?: string;
  readonly match?: readonly HTTPMatchRequest[];
  readonly route?: readonly HTTPRouteDestination[];
  readonly redirect?: HTTPRedirect;
  readonly directResponse?: HTTPDirectResponse;
  readonly delegate?: { readonly name: string; readonly namespace?: string };
  readonly rewrite?: HTTPRewrite;
  readonly timeout?: string;
  readonly headers?: Headers;
}

/** Exactly one of the three; a `regex` is RE2's and has to match the whole value. */
export type StringMatch = { readonly exact: string } | { readonly prefix: string } | { readonly regex: string };

/** `{}` (no match type) means: the header is present. */
export type HeaderMatch = StringMatch | Readonly<Record<string, never>>;

/**
 * One block of a rule's `match`: all its conditions have to hold. Names of headers are in any case; `name` decides nothing.
 */
export interface HTTPMatchRequest {
  readonly name?: string;
  readonly uri?: StringMatch;
  readonly ignoreUriCase?: boolean;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly scheme?: StringMatch;
  readonly headers?: Readonly<Record<string, HeaderMatch>>;
  readonly withoutHeaders?: Readonly<Record<string, HeaderMatch>>;
  readonly queryParams?: Readonly<Record<string, HeaderMatch>>;
  readonly port?: number;
  readonly gateways?: readonly string[];
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly sourceNamespace?: string;
}

/**
 * A service, and the subset of it that a DestinationRule names. A short `host` is one of the VirtualService's own namespace; `port` may
 * be absent where the service has one alone.
 */
export interface Destination {
  readonly host: string;
  readonly subset?: string;
  readonly port?: { readonly number: number };
}

/** One of a rule's destinations: `weight` is its share of the sum of all weights, and does not matter where there is no other one. */
export interface HTTPRouteDestination {
  readonly destination: Destination;
  readonly weight?: number;
  readonly headers?: Headers;
}

/** What is done to the headers of a request on its way up, and of its response on the way back. */
export interface Headers {
  readonly request?: HeaderOperations;
  readonly response?: HeaderOperations;
}

/** Values may hold Envoy's command operators (`%REQ(x-request-id)%`). In what order they are done: `HeaderEditLevel`. */
export interface HeaderOperations {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/**
 * What the upstream gets to see: `uri` takes the place of the path or of the prefix that matched, `uriRegexRewrite` of what its RE2
 * pattern finds in the path.
 */
export interface HTTPRewrite {
  readonly uri?: string;
  readonly authority?: string;
  readonly uriRegexRewrite?: { readonly match: string; readonly rewrite: string };
}

/**
 * What is left out stays as it was asked for; `redirectCode` is 301 then. `uri` takes the place of the path, `prefixRewrite` of the
 * prefix that matched.
 */
export interface HTTPRedirect {
  readonly uri?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly port?: number;
  readonly derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT';
  readonly redirectCode?: number;
  readonly prefixRewrite?: string;
}

/** An answer without any upstream; `bytes` is in base64. */
export interface HTTPDirectResponse {
  readonly status: number;
  readonly body?: { readonly string?: string; readonly bytes?: string };
}

/** `host` is resolved like that of a destination. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets?: readonly Subset[];
}

/** The endpoints of the host that carry all these labels: a version. */
export interface Subset {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly trafficPolicy?: TrafficPolicy;
}

/** What clients of a host, or of a subset of it, do. */
export interface TrafficPolicy {
  readonly outlierDetection?: OutlierDetection;
}

/** When endpoints are ejected from load balancing, and for how long; durations such as `30s`, percentages from 0 to 100. */
export interface OutlierDetection {
  readonly consecutive5xxErrors?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly interval?: string;
  readonly baseEjectionTime?: string;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}

/**
 * Endpoints are those listed, or, with a `workloadSelector`, the WorkloadEntries that it selects. `targetPort` is where endpoints listen
 * that do not say otherwise.
 */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly location?: 'MESH_INTERNAL' | 'MESH_EXTERNAL';
  readonly resolution?: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN';
  readonly ports: readonly (Port & { readonly targetPort?: number })[];
  readonly endpoints?: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: { readonly labels: Readonly<Record<string, string>> };
}

/** An endpoint: its address, the ports where it listens by the names of the service's ports, and labels, by which subsets choose. */
export interface WorkloadEntrySpec {
  readonly address: string;
  readonly ports?: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly weight?: number;
}
