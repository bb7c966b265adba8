import type { RouteTable } from '../core/routing/selection.ts';
import type { ListenerKind } from './incoming-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { RequestReporter } from './request-report.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** What every request of a gateway shares. */
export interface ForwardingContext {
  /** The table of this moment. */
  table(): RouteTable;
  readonly limits: GatewayLimits;
  readonly pools: UpstreamPools;
  readonly reporter: RequestReporter;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** The socket that a request came in by. */
export interface Listener {
  readonly kind: ListenerKind;
  /** Declared port. */
  readonly port: number;
  readonly bind: string | undefined;
}
