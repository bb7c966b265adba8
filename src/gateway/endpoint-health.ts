import { addedEjections, type ClusterEjections } from '../core/routing/cluster-ejections.ts';
import { clusterName } from '../core/routing/cluster-name.ts';
import { OutlierDetector } from '../core/routing/outlier-detector.ts';
import type { Cluster, Endpoint } from '../core/routing/selection.ts';

/** The usable endpoints of a cluster, until something changes. */
interface Known {
  readonly marks: number;
  readonly changes: number;
  readonly endpoints: readonly Endpoint[];
}

/** The same endpoint for all clusters. */
export function endpointKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

/** Two clusters of one name with other policies, of the edge and inside, are two. */
function clusterKey({ host, port, subset, outlier }: Cluster): string {
  return JSON.stringify([host, port, subset, outlier]);
}

/**
 * Which endpoints of a cluster requests go to: not those that outlier detection has ejected, and not those that health checks find unhealthy
 * while another one is healthy. Costs nothing where a cluster has no outlier detection and no endpoint is marked. `Pool` stands for
 * an endpoint of any cluster.
 */
export class EndpointHealth<Pool> {
  private readonly poolOf: (endpoint: Endpoint) => Pool;
  /** By cluster, for successive tables. */
  private readonly detectors = new Map<string, OutlierDetector<Pool>>();
  private readonly names = new WeakMap<OutlierDetector<Pool>, string>();
  private readonly byIdentity = new WeakMap<Cluster, OutlierDetector<Pool>>();
  private readonly known = new WeakMap<Cluster, Known>();
  private unhealthy: ReadonlySet<string> = new Set();
  /** Rises whenever others are marked. */
  private marks = 0;

  constructor(poolOf: (endpoint: Endpoint) => Pool) {
    this.poolOf = poolOf;
  }

  /** The endpoints that health checks find unhealthy, from now on. */
  mark(unhealthy: readonly Endpoint[]): void {
    this.unhealthy = new Set(unhealthy.map(endpointKey));
    this.marks++;
  }

  /** Those that a request may go to; empty: 503 UH. */
  usable(cluster: Cluster): readonly Endpoint[] {
    if (cluster.outlier === undefined && this.unhealthy.size === 0) return cluster.endpoints;
    const detector = this.detectorOf(cluster);
    const changes = detector?.changes ?? 0;
    const before = this.known.get(cluster);
    if (before !== undefined && before.marks === this.marks && before.changes === changes) return before.endpoints;
    const endpoints = this.choose(cluster, detector);
    this.known.set(cluster, { marks: this.marks, changes, endpoints });
    return endpoints;
  }

  /** An endpoint's answer to a request, as `OutlierDetector.report` wants it. */
  report(cluster: Cluster, pool: Pool, status: number): void {
    this.detectorOf(cluster)?.report(pool, status, performance.now());
  }

  /** The clusters of a new table: what is known of endpoints that they still have is kept. */
  retain(clusters: readonly Cluster[]): void {
    const wanted = new Map(clusters.filter(({ outlier }) => outlier !== undefined).map((cluster) => [clusterKey(cluster), cluster]));
    for (const key of this.detectors.keys()) if (!wanted.has(key)) this.detectors.delete(key);
    for (const [key, cluster] of wanted) {
      // By identity, too: a cluster that comes back would otherwise go on with a detector that nobody sweeps.
      const detector = this.detectors.get(key) ?? this.byIdentity.get(cluster);
      if (detector === undefined) continue;
      this.detectors.set(key, detector);
      this.watch(cluster, detector);
    }
  }

  /** What outlier detection did in the clusters that are served and have it, as far as requests came to them. */
  ejections(): readonly ClusterEjections[] {
    return addedEjections(
      [...this.detectors.values()].map((detector) => {
        const { ejectedCount: active, enforced, overflowed } = detector;
        return { cluster: this.names.get(detector) ?? '', active, enforced, overflowed };
      }),
    );
  }

  sweep(now: number): void {
    for (const detector of this.detectors.values()) detector.sweep(now);
  }

  /**
   * Envoy in panic uses all endpoints, where a smaller share is healthy than `minHealthPercent`; Istio's default is never. Health checks are
   * Perch's own: where they find nobody healthy they may be what is wrong, and everybody is tried.
   */
  private choose({ endpoints, outlier }: Cluster, detector: OutlierDetector<Pool> | undefined): readonly Endpoint[] {
    const kept = detector === undefined ? endpoints : endpoints.filter((endpoint) => !detector.isEjected(this.poolOf(endpoint)));
    const healthy = kept.filter((endpoint) => !this.unhealthy.has(endpointKey(endpoint)));
    if (healthy.length * 100 < endpoints.length * (outlier?.minHealthPercent ?? 0)) return endpoints;
    return healthy.length > 0 ? healthy : kept;
  }

  private detectorOf(cluster: Cluster): OutlierDetector<Pool> | undefined {
    const { outlier } = cluster;
    if (outlier === undefined) return undefined;
    const known = this.byIdentity.get(cluster);
    if (known !== undefined) return known;
    const key = clusterKey(cluster);
    const detector = this.detectors.get(key) ?? new OutlierDetector<Pool>(outlier, performance.now());
    this.detectors.set(key, detector);
    this.watch(cluster, detector);
    return detector;
  }

  private watch(cluster: Cluster, detector: OutlierDetector<Pool>): void {
    this.byIdentity.set(cluster, detector);
    this.names.set(detector, clusterName(cluster));
    detector.setHosts(cluster.endpoints.map(this.poolOf));
  }
}
