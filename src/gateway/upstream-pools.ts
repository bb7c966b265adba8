import type { Cluster, Endpoint } from '../core/routing/selection.ts';
import { EndpointHealth, endpointKey } from './endpoint-health.ts';
import type { GatewayLimits } from './limits.ts';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';

/** The connections to one address and port. Unused ones are taken last in, first out, so that the surplus grows old and goes. */
export class EndpointPool implements ConnectionOwner {
  readonly endpoint: Endpoint;
  /** Requests at work, for the choice among endpoints. */
  active = 0;
  /** No route leads here any more: connections close when they become free. */
  retired = false;

  readonly limits: GatewayLimits;

  private readonly idle: UpstreamConnection[] = [];
  private readonly connections = new Set<UpstreamConnection>();

  constructor(endpoint: Endpoint, limits: GatewayLimits) {
    this.endpoint = endpoint;
    this.limits = limits;
  }

  /** A free connection, or a new one that may not have connected yet. `now`: `performance.now()`. */
  acquire(now: number): UpstreamConnection {
    this.active++;
    for (;;) {
      const connection = this.idle.pop();
      if (connection === undefined) break;
      if (now - connection.idleSince < connection.idleMs) return connection;
      // Counted down again by `closed`.
      this.active++;
      connection.abandon();
    }
    return this.open(now);
  }

  /** A connection that no request has used. `now`: `performance.now()`. */
  acquireNew(now: number): UpstreamConnection {
    this.active++;
    return this.open(now);
  }

  released(connection: UpstreamConnection, reusable: boolean): void {
    if (!reusable || this.retired || this.idle.length >= this.limits.idlePerEndpoint) {
      connection.abandon();
      return;
    }
    this.active--;
    connection.idleSince = performance.now();
    this.idle.push(connection);
  }

  closed(connection: UpstreamConnection): void {
    this.connections.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
    else this.active--;
  }

  /** Drops connections unused for too long, and attempts to connect that take too long. */
  sweep(now: number): void {
    for (const connection of this.connections) {
      if (!connection.connected && now - connection.openedAt > this.limits.connectMs) connection.abandonConnect();
    }
    const expired = this.idle.filter((connection) => now - connection.idleSince >= connection.idleMs);
    for (const connection of expired) connection.abandon();
  }

  retire(): void {
    this.retired = true;
    for (const connection of [...this.idle]) connection.abandon();
  }

  get idleCount(): number {
    return this.idle.length;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  private open(now: number): UpstreamConnection {
    const opened = new UpstreamConnection(this, this.endpoint, now);
    this.connections.add(opened);
    return opened;
  }
}

/** All pools, by address and port: two clusters with the same endpoint share its connections, and so do successive tables. */
export class UpstreamPools {
  readonly health = new EndpointHealth<EndpointPool>((endpoint) => this.of(endpoint));

  private readonly limits: GatewayLimits;
  private readonly pools = new Map<string, EndpointPool>();
  /** Endpoints are immutable objects of a table: finding their pool by identity spares a string per request. */
  private readonly byIdentity = new WeakMap<Endpoint, EndpointPool>();
  /** Those whose pools were kept last; successive tables may have the same. */
  private retained: readonly Cluster[] = [];

  constructor(limits: GatewayLimits) {
    this.limits = limits;
  }

  /** The pool of an endpoint, made at its first use. */
  of(endpoint: Endpoint): EndpointPool {
    const known = this.byIdentity.get(endpoint);
    if (known !== undefined && !known.retired) return known;
    const key = endpointKey(endpoint);
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, this.limits);
      this.pools.set(key, pool);
    }
    this.byIdentity.set(endpoint, pool);
    return pool;
  }

  /** Keeps the pools of these clusters' endpoints and drains the others. */
  retain(clusters: readonly Cluster[]): void {
    if (clusters === this.retained) return;
    this.retained = clusters;
    const wanted = new Set(clusters.flatMap((cluster) => cluster.endpoints.map(endpointKey)));
    for (const [key, pool] of this.pools) {
      if (wanted.has(key)) continue;
      this.pools.delete(key);
      pool.retire();
    }
    this.health.retain(clusters);
  }

  sweep(now: number): void {
    for (const pool of this.pools.values()) pool.sweep(now);
    this.health.sweep(now);
  }

  /** Closes what is unused, and the rest as it becomes free. */
  close(): void {
    this.retain([]);
  }
}
