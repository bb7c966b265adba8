/** Ports of the two versions behind the proxies. */
export interface Origins {
  readonly stable: number;
  readonly canary: number;
}

/** The visitor scheme as rivals are told it: where the release stands, and the Set-Cookie with Envoy's `%REQ(x-request-id)%` for the id. */
export interface Scheme {
  readonly cutoff: number;
  readonly setCookie: string;
}

/** A proxy that runs. */
export interface RunningProxy {
  readonly port: number;
  /** The same over TLS. */
  readonly tlsPort: number;
  /** The process whose CPU time and memory, with those of its children, are counted. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** The proxies compared, in the order of the tables. */
export const PROXIES = ['nginx', 'HAProxy', 'Envoy', 'Perch'] as const;

/** One of `PROXIES`. */
export type ProxyName = (typeof PROXIES)[number];

/** One proxy in one configuration. */
export interface Candidate {
  readonly name: string;
  readonly proxy: ProxyName;
  /** Whether it tells visitors apart, routes by bucket and issues ids; else it only forwards to stable. */
  readonly scheme: boolean;
  /** Whether it counts every visitor. */
  readonly evidence?: true;
  start(): Promise<RunningProxy>;
}
