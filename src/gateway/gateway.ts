import { randomUUID } from 'node:crypto';
import type { RequestObserver } from '../core/evidence/request-event.ts';
import type { Endpoint, RouteTable } from '../core/routing/selection.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { type GatewayLimits, SWEEP_MS, withDefaults } from './limits.ts';
import { Listeners } from './listeners.ts';
import type { ListeningAddress } from './listening-address.ts';
import { ProxiedRequest } from './proxied-request.ts';
import { RequestReporter } from './request-report.ts';
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
  /** In [0, 1). */
  readonly random?: () => number;
  /** Draws request ids, which become visitor ids: UUID v4. Default: the system's, from random bytes drawn in batches. */
  readonly uuid?: () => string;
}

/** A data plane at work. */
export interface RunningGateway {
  /** Swaps the table: requests in flight finish on the old one. Opens and closes listeners as needed; rejects, changing nothing, if a port is taken. */
  update(table: RouteTable): Promise<void>;
  /** From now on these endpoints, and no others, get no requests while their cluster has another one: health checks find them unhealthy. */
  avoid(unhealthy: readonly Endpoint[]): void;
  /** The sockets that are open now. */
  addresses(): readonly ListeningAddress[];
  /** Stops accepting, lets requests in flight finish for at most `graceMs` (default: the limit `closeGraceMs`), then cuts. */
  close(graceMs?: number): Promise<void>;
}

const NO_ROUTES: RouteTable = { listeners: [], clusters: [], select: () => ({ kind: 'none' }) };

/**
 * Starts a data plane without routes: only the proxy listener, if any, is open until `update` brings a table.
 * Rejects with `PortInUseError` where the proxy's port cannot be had.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const gateway = new Gateway(options);
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
  /** Changes come one after the other. */
  private change: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    this.limits = withDefaults(options.limits ?? {});
    this.pools = new UpstreamPools(this.limits);
    const reporter = new RequestReporter(options.observe, options.accessLog);
    const context: ForwardingContext = {
      table: () => this.table,
      limits: this.limits,
      pools: this.pools,
      reporter,
      random: options.random ?? Math.random,
      uuid: options.uuid ?? randomUUID,
    };
    this.listeners = new Listeners(options.map ?? new Map(), options.proxyPort, this.limits, (listener) => ({
      exchange: (exchange) => new ProxiedRequest(context, listener, exchange).start(),
      refused: (status, connection) => reporter.reportRefused(status, connection),
    }));
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.sweeper.unref();
  }

  update(table: RouteTable): Promise<void> {
    if (this.closing !== undefined) return Promise.reject(new Error('The gateway is closed'));
    const done = this.change.then(() =>
      this.listeners.change(table.listeners, () => {
        this.table = table;
        this.pools.retain(table.clusters);
      }),
    );
    this.change = done.catch(() => undefined);
    return done;
  }

  avoid(unhealthy: readonly Endpoint[]): void {
    this.pools.health.mark(unhealthy);
  }

  addresses(): readonly ListeningAddress[] {
    return this.listeners.addresses();
  }

  close(graceMs: number = this.limits.closeGraceMs): Promise<void> {
    this.closing ??= this.change.then(async () => {
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
