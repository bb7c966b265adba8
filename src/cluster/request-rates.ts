import type { RequestRate } from '../core/release/observed.ts';

/** How much a service is asked for, by whoever sees its requests: the gateway, or the mesh. */
export interface RequestRateSource {
  /** Of a host (resolved) and port, whatever the subset. */
  perSecond(host: string, port: number): RequestRate;
}
