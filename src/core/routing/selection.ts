import type { HeaderEdits } from './header-edits.ts';
import type { OutlierPolicy } from './outlier-policy.ts';
import type { TlsServer } from './tls-server.ts';

/** A request's head as routing sees it. Header names are lower-case; a header sent on several lines has several values. */
export interface RequestHead {
  readonly method: string;
  /** Path and query after `normalizePath`. */
  readonly path: string;
  /** The Host header as received, port included. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** `id` of the TLS server that its connection was made with; undefined without TLS. */
  readonly tlsServer?: string | undefined;
  /** Values of one header, a line each, in order; empty where it is absent. */
  lines(name: string): readonly string[];
}

/** What serves at an endpoint, by what declares it. */
export interface Workload {
  /** Of a WorkloadEntry; endpoints within a ServiceEntry have neither. */
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One address that serves a cluster. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Absent where nothing is known of it. */
  readonly workload?: Workload;
}

/** Endpoints of one host, port and subset: what Envoy calls a cluster (`outbound|port|subset|host`). */
export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly subset: string | undefined;
  /** Empty: 503 UH. */
  readonly endpoints: readonly Endpoint[];
  /** When endpoints are ejected; undefined: never. */
  readonly outlier?: OutlierPolicy | undefined;
}

/** What the table decided about one request. */
export type Selection =
  | {
      readonly kind: 'forward';
      /** Name of the HTTP route. */
      readonly rule: string | undefined;
      readonly destination: { readonly host: string; readonly subset: string | undefined; readonly port: number };
      /** Undefined where host, port or subset do not exist: 503 NC. */
      readonly cluster: Cluster | undefined;
      /** Path and Host to send upstream, after rewrites. */
      readonly path: string;
      readonly authority: string;
      /** Milliseconds; 0: none. */
      readonly timeoutMs: number;
      readonly request: HeaderEdits;
      readonly response: HeaderEdits;
    }
  | {
      readonly kind: 'redirect';
      readonly rule: string | undefined;
      readonly status: number;
      readonly location: string;
      readonly response: HeaderEdits;
    }
  | {
      readonly kind: 'direct';
      readonly rule: string | undefined;
      readonly status: number;
      readonly body: string | Uint8Array;
      readonly response: HeaderEdits;
    }
  /** No virtual host or no route: 404 NR. */
  | { readonly kind: 'none' }
  /** Mesh host that nothing declares: 502 (outboundTrafficPolicy REGISTRY_ONLY). */
  | { readonly kind: 'blocked' };

/** A socket that the table wants open. */
export interface ListenerSpec {
  /** ingress: from Gateway servers; mesh: one per service port, routed by Host. */
  readonly kind: 'ingress' | 'mesh';
  /** The declared port: matching uses it even where the socket is moved elsewhere (`--map`). */
  readonly port: number;
  /** Address to bind; undefined: both loopbacks. */
  readonly bind: string | undefined;
  /** The servers to choose from by the name that a client asks for (SNI); undefined: no TLS. */
  readonly tls?: readonly TlsServer[];
}

/** Compiled routes of one moment; immutable. */
export interface RouteTable {
  readonly listeners: readonly ListenerSpec[];
  /** `random` in [0, 1) is drawn once per request, for weights. */
  select(kind: 'ingress' | 'mesh', port: number, bind: string | undefined, request: RequestHead, random: number): Selection;
  /** Every cluster, for probes and pools. */
  readonly clusters: readonly Cluster[];
}
