import type { Version } from '../core/release/canary-release.ts';
import { describeVersion } from '../core/release/version.ts';
import type { VersionAddress } from '../core/routing/missing-endpoints.ts';
import type { Cluster } from '../core/routing/selection.ts';

/** A version of a service that somebody asks for; the host is resolved. */
interface AskedVersion {
  readonly host: string;
  readonly port: number;
  readonly version: Version;
}

/** Where the version is found: as a subset of the service, or at a host of its own. */
export function addressOf({ host, port, version }: AskedVersion): VersionAddress {
  return 'subset' in version ? { host, port, subset: version.subset } : { host: version.host, port: version.port ?? port };
}

/** How messages name it. */
export function addressName({ host, port, version }: AskedVersion): string {
  return 'subset' in version ? `subset ${version.subset} of ${host}:${port}` : describeVersion(version);
}

/** Clusters by address; of several of one address (clients may see other DestinationRules) the first. */
export function clustersByAddress(clusters: readonly Cluster[]): ReadonlyMap<string, Cluster> {
  return new Map(clusters.toReversed().map((cluster) => [addressKey(cluster), cluster]));
}

/** The key of an address in `clustersByAddress`. */
export function addressKey({ host, port, subset }: VersionAddress): string {
  return JSON.stringify([host, port, subset]);
}
