/** Ports of the two versions behind the proxies. */
export interface Origins {
  readonly stable: number;
  readonly canary: number;
}

/** A proxy that runs. */
export interface RunningProxy {
  readonly port: number;
  /** The process whose CPU time, with that of its children, is counted. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** One proxy in one configuration. */
export interface Candidate {
  readonly name: string;
  readonly proxy: 'Perch' | 'nginx' | 'Envoy';
  /** Whether it tells visitors apart, routes by bucket and issues ids; else it only forwards to stable. */
  readonly scheme: boolean;
  start(): Promise<RunningProxy>;
}
