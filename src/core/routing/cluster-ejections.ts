/** What outlier detection did in a cluster. */
export interface ClusterEjections {
  /** As Istio's Envoys call it: `outbound|PORT|SUBSET|HOST`. */
  readonly cluster: string;
  /** Endpoints that are ejected now. */
  readonly active: number;
  /** Ejections so far. */
  readonly enforced: number;
  /** Those that were left out, since too many endpoints were ejected already. */
  readonly overflowed: number;
}

/** The sums by cluster, in order of their names. */
export function addedEjections(all: readonly ClusterEjections[]): readonly ClusterEjections[] {
  const groups = [...Map.groupBy(all, ({ cluster }) => cluster)].sort(([one], [other]) => (one < other ? -1 : 1));
  return groups.map(([cluster, members]) => {
    const sum = (of: (each: ClusterEjections) => number): number => members.reduce((total, each) => total + of(each), 0);
    return {
      cluster,
      active: sum(({ active }) => active),
      enforced: sum(({ enforced }) => enforced),
      overflowed: sum(({ overflowed }) => overflowed),
    };
  });
}
