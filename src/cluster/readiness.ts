import type { Version } from '../core/release/canary-release.ts';
import type { HealthCheck } from '../core/release/health-check.ts';
import type { VersionReadiness } from '../core/release/observed.ts';

/** A service that versions were asked for of; the host is resolved. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** Whether a version of a service can take traffic now. */
export interface Readiness {
  /**
   * `host` is resolved (FQDN), and so is the host of a version that is one. A version that was asked for is watched for at least two minutes:
   * who wants to hear of its changes asks again within that time. `healthCheck`: how a release wants endpoints to be checked, where this is
   * who checks them.
   */
  check(host: string, port: number, version: Version, healthCheck?: HealthCheck): VersionReadiness;
  /** Called with the services whose answers may have changed; returns the way to stop. */
  onChange(listener: (services: readonly ServiceAddress[]) => void): () => void;
  close(): Promise<void>;
}
