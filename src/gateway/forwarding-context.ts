import type { RouteTable } from '../core/routing/selection.ts';
import type { GatewayLimits } from './limits.ts';
import type { RequestReporter } from './request-report.ts';
import type { RequestTracing } from './request-tracing.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** What every request of a gateway shares. */
export interface ForwardingContext {
  /** The table of this moment. */
  table(): RouteTable;
  readonly limits: GatewayLimits;
  readonly pools: UpstreamPools;
  readonly reporter: RequestReporter;
  /** Undefined: trace headers pass as they are. */
  readonly tracing?: RequestTracing | undefined;
  readonly random: () => number;
  readonly uuid: () => string;
}
