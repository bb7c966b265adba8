import type { OutlierPolicy } from './outlier-policy.ts';

/** What is known of one endpoint; times are those that the detector was told. */
interface Monitor {
  fiveXx: number;
  gatewayErrors: number;
  ejectedAt: number | undefined;
  returnedAt: number | undefined;
  /** How many times `baseEjectionMs` the present, or next to last, ejection lasts. */
  backoff: number;
}

/**
 * Passive health of a cluster's endpoints, as Envoy's outlier detection has it (source/common/upstream/outlier_detection_impl.cc): whoever
 * fails so often in a row is ejected for a while, longer each time, unless too many are already. `Host` is whatever stands for an endpoint.
 * Times are milliseconds of any clock that only goes forward.
 */
export class OutlierDetector<Host> {
  /** Rises whenever other endpoints are ejected than before. */
  changes = 0;
  /** Ejections so far. */
  enforced = 0;
  /** Those that were left out, since too many endpoints were ejected already. */
  overflowed = 0;

  readonly #policy: OutlierPolicy;
  readonly #monitors = new Map<Host, Monitor>();
  #ejected = 0;
  #sweptAt: number;

  constructor(policy: OutlierPolicy, now: number) {
    this.#policy = policy;
    this.#sweptAt = now;
  }

  /** How many are ejected. */
  get ejectedCount(): number {
    return this.#ejected;
  }

  isEjected(host: Host): boolean {
    return this.#monitors.get(host)?.ejectedAt !== undefined;
  }

  /** The endpoints of the cluster from now on: what is known of those that stay is kept. */
  setHosts(hosts: Iterable<Host>): void {
    const wanted = new Set(hosts);
    for (const [host, { ejectedAt }] of this.#monitors) {
      if (wanted.has(host)) continue;
      this.#monitors.delete(host);
      if (ejectedAt !== undefined) this.#ejected--;
    }
    for (const host of wanted) {
      if (!this.#monitors.has(host)) {
        this.#monitors.set(host, { fiveXx: 0, gatewayErrors: 0, ejectedAt: undefined, returnedAt: undefined, backoff: 0 });
      }
    }
    this.changes++;
  }

  /** What an endpoint answered to one request: 503 where it could not be connected to or broke off, 504 where it gave no answer in time. */
  report(host: Host, status: number, now: number): void {
    const monitor = this.#monitors.get(host);
    if (monitor === undefined) return;
    if (status < 500 || status > 599) {
      monitor.fiveXx = 0;
      monitor.gatewayErrors = 0;
      return;
    }
    if (status < 502 || status > 504) {
      monitor.gatewayErrors = 0;
    } else if (++monitor.gatewayErrors === this.#policy.consecutiveGatewayErrors && monitor.ejectedAt === undefined) {
      this.#tryToEject(monitor, now);
      monitor.gatewayErrors = 0;
    }
    if (++monitor.fiveXx === this.#policy.consecutive5xxErrors && monitor.ejectedAt === undefined) {
      this.#tryToEject(monitor, now);
      monitor.fiveXx = 0;
    }
  }

  /** Has to be called now and then: looks every `intervalMs` at who may return. */
  sweep(now: number): void {
    const { intervalMs, baseEjectionMs, maxEjectionMs } = this.#policy;
    if (now - this.#sweptAt < intervalMs) return;
    this.#sweptAt = now;
    for (const monitor of this.#monitors.values()) {
      if (monitor.ejectedAt !== undefined) {
        if (now - monitor.ejectedAt >= Math.min(baseEjectionMs * monitor.backoff, maxEjectionMs)) this.#return(monitor, now);
      } else if (monitor.returnedAt !== undefined && now - monitor.returnedAt >= intervalMs && monitor.backoff > 0) {
        monitor.backoff--;
      }
    }
  }

  #tryToEject(monitor: Monitor, now: number): void {
    const { maxEjectionPercent, baseEjectionMs, maxEjectionMs } = this.#policy;
    if ((100 * (this.#ejected + 1)) / this.#monitors.size > maxEjectionPercent) {
      this.overflowed++;
      return;
    }
    this.enforced++;
    monitor.ejectedAt = now;
    if (monitor.backoff * baseEjectionMs < maxEjectionMs + baseEjectionMs) monitor.backoff++;
    this.#ejected++;
    this.changes++;
  }

  #return(monitor: Monitor, now: number): void {
    monitor.ejectedAt = undefined;
    monitor.returnedAt = now;
    monitor.fiveXx = 0;
    monitor.gatewayErrors = 0;
    this.#ejected--;
    this.changes++;
  }
}
