import type { Version } from '../core/release/canary-release.ts';

/** Whether a version of a service can take traffic now; `undefined`: not known yet. */
export interface Readiness {
  /** `host` is resolved (FQDN). `reason` says what is missing, for people. */
  check(host: string, port: number, version: Version): { readonly ready: boolean | undefined; readonly reason: string };
  /** Called when any answer may have changed; returns the way to stop. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
