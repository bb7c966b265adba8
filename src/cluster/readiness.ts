import type { Version } from '../core/release/canary-release.ts';

/** Whether a version of a service can take traffic now; `undefined`: not known yet. */
export interface Readiness {
  /**
   * `host` is resolved (FQDN), and so is the host of a version that is one. `reason` says what is missing, for people. A version that was
   * asked for is watched for at least two minutes: who wants to hear of its changes asks again within that time.
   */
  check(host: string, port: number, version: Version): { readonly ready: boolean | undefined; readonly reason: string };
  /** Called when any answer may have changed; returns the way to stop. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
