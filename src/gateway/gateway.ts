import { randomUUID } from 'node:crypto';
import type { RequestObserver } from '../core/evidence/request-event.ts';
import type { ClusterEjections } from '../core/routing/cluster-ejections.ts';
import type { Endpoint, RouteTable } from '../core/routing/selection.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Listener } from './incoming-request.ts';
import { type GatewayLimits, SWEEP_MS, withDefaults } from './limits.ts';
import { Listeners } from './listeners.ts';
import type { ListeningAddress } from './listening-address.ts';
import { ProxiedRequest } from './proxied-request.ts';
import { RequestReporter } from './request-report.ts';
import { RequestTracing } from './request-tracing.ts';
import { Credentials } from './tls/credentials.ts';
import type { CredentialLog } from './tls/kept-credential.ts';
import type { TransportHandler } from './transport.ts';
import { UpstreamPools } from './upstream-pools.ts';

export type { ListeningAddress } from './listening-address.ts';

/** What a gateway is started with. */
export interface GatewayOptions {
  /** Declared port -> port to listen on (0: any free one), as `--map`. */
  readonly map?: ReadonlyMap<number, number>;
  /** Port of the HTTP-proxy listener (absolute-form requests go through the mesh table of the URL's port); undefined: none. */
  readonly proxyPort?: number;
  /** Limits other than the defaults (limits.ts); one out of its bounds is a RangeError. */
  readonly limits?: Partial<GatewayLimits>;
  /** Told of every request at its end, local replies included. */
  readonly observe?: RequestObserver;
  /** One line of JSON per request. */
  readonly accessLog?: (line: string) => void;
  /**
   * Where several gateways, each in a process of its own, share their ports (SO_REUSEPORT): the ports that others have open, by listener
   * (`PreparedTable.ports`). It is read with each change. Undefined: this gateway's ports are its own.
   */
  readonly sharedPorts?: ReadonlyMap<string, number>;
  /** Folder of the credentials that HTTPS servers name: NAME/tls.crt and NAME/tls.key. */
  readonly credentials?: string;
  /** How often certificate files are looked at, in ms; default 5 s. */
  readonly rereadMs?: number;
  /** Told of certificates that are taken or cannot be used; default: nobody. */
  readonly log?: CredentialLog;
  /** Traces requests: of those that begin a trace, this share (0 to 1) is sampled. Undefined: trace headers pass as they are. */
  readonly traceShare?: number;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Draws request ids, which become visitor ids: UUID v4. Default: the system's, from random bytes drawn in batches. */
  readonly uuid?: () => string;
}

/** A table whose sockets are open, and which is not served yet. One of the two is to be called, once: until then no other change begins. */
export interface PreparedTable {
  /** The port of each listener, as it will be. */
  readonly ports: ReadonlyMap<string, number>;
  /** Serves it: requests in flight finish on the former table. */
  commit(): void;
  /** Leaves everything as it was. */
  abandon(): Promise<void>;
}

/** A data plane at work. */
export interface RunningGateway {
  /** Swaps the table: requests in flight finish on the old one. Opens and closes listeners as needed; rejects, changing nothing, if a port is taken. */
  update(table: RouteTable): Promise<void>;
  /** The first half of `update`: opens listeners; rejects, changing nothing, if a port is taken. */
  prepare(table: RouteTable): Promise<PreparedTable>;
  /** Requests that come from now on are not routed until `release`: what several gateways serve can so be changed in all of them at once. */
  hold(): void;
  /** Routes the requests that were held, and all others, as the table of this moment says. */
  release(): void;
  /** From now on these endpoints, and no others, get no requests while their cluster has another one: health checks find them unhealthy. */
  avoid(unhealthy: readonly Endpoint[]): void;
  /** The sockets that are open now. */
  addresses(): readonly ListeningAddress[];
  /** What outlier detection did so far. */
  ejections(): readonly ClusterEjections[];
  /** Stops accepting, lets requests in flight finish for at most `graceMs` (default: the limit `closeGraceMs`), then cuts. */
  close(graceMs?: number): Promise<void>;
}

const REREAD_MS = 5000;
const SILENT: CredentialLog = { info: () => undefined, warn: () => undefined };

const NO_ROUTES: RouteTable = { listeners: [], clusters: [], select: () => ({ kind: 'none' }) };

/**
 * Starts a data plane without routes: only the proxy listener, if any, is open until `update` brings a table; where ports are shared, nothing is.
 * Rejects with `PortInUseError` where the proxy's port cannot be had.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  if (options.sharedPorts !== undefined) return gateway;
  try {
    await gateway.update(NO_ROUTES);
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return gateway;
}

class Gateway implements RunningGateway {
  private readonly listeners: Listeners;
  private readonly limits: GatewayLimits;
  private readonly pools: UpstreamPools;
  private readonly sweeper: NodeJS.Timeout;
  private table = NO_ROUTES;
  /** Requests whose routing waits; undefined: none does. */
  private held: ProxiedRequest[] | undefined;
  /** Changes come one after the other. */
  private change: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    this.limits = withDefaults(options.limits ?? {});
    this.pools = new UpstreamPools(this.limits);
    const reporter = new RequestReporter(options.observe, options.accessLog);
    const { traceShare, random = Math.random } = options;
    const context: ForwardingContext = {
      table: () => this.table,
      limits: this.limits,
      pools: this.pools,
      reporter,
      tracing: traceShare === undefined ? undefined : new RequestTracing(traceShare, Math.random),
      random,
      uuid: options.uuid ?? randomUUID,
    };
    const credentials = new Credentials({
      folder: options.credentials,
      rereadMs: options.rereadMs ?? REREAD_MS,
      log: options.log ?? SILENT,
    });
    const handlerFor = (listener: Listener): TransportHandler => ({
      exchange: (exchange) => {
        const request = new ProxiedRequest(context, listener, exchange);
        if (this.held === undefined) request.start();
        else this.held.push(request);
      },
      refused: (status, connection) => reporter.reportRefused(status, connection),
    });
    this.listeners = new Listeners({
      map: options.map ?? new Map(),
      proxyPort: options.proxyPort,
      limits: this.limits,
      credentials,
      handlerFor,
      shared: options.sharedPorts,
    });
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.sweeper.unref();
  }

  async update(table: RouteTable): Promise<void> {
    (await this.prepare(table)).commit();
  }

  async prepare(table: RouteTable): Promise<PreparedTable> {
    if (this.closing !== undefined) throw new Error('The gateway is closed');
    const former = this.change;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.change = promise;
    try {
      await former;
      const prepared = await this.listeners.prepare(table.listeners);
      return {
        ports: prepared.ports,
        commit: () => {
          prepared.commit(() => {
            this.table = table;
            this.pools.retain(table.clusters);
          });
          done();
        },
        abandon: () => prepared.abandon().finally(done),
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const request of held) request.start();
  }

  avoid(unhealthy: readonly Endpoint[]): void {
    this.pools.health.mark(unhealthy);
  }

  addresses(): readonly ListeningAddress[] {
    return this.listeners.addresses();
  }

  ejections(): readonly ClusterEjections[] {
    return this.pools.health.ejections();
  }

  close(graceMs: number = this.limits.closeGraceMs): Promise<void> {
    this.closing ??= this.change.then(async () => {
      this.release();
      await this.listeners.close(graceMs);
      clearInterval(this.sweeper);
      this.pools.close();
    });
    return this.closing;
  }

  private sweep(): void {
    const now = performance.now();
    this.listeners.sweep(now);
    this.pools.sweep(now);
  }
}
