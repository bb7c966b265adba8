import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { ClusterEjections } from '../core/routing/cluster-ejections.ts';
import { RoutingCompiler } from '../core/routing/compile.ts';
import type { ExplainedTable } from '../core/routing/explanation.ts';
import type { Endpoint } from '../core/routing/selection.ts';
import type { ListeningAddress, RunningGateway } from '../gateway/gateway.ts';
import type { RoutedObjects } from './routed-objects.ts';

/** The worker processes of a gateway. */
export interface WorkerCounts {
  /** How many there are to be. */
  readonly wanted: number;
  /** How many serve. */
  readonly serving: number;
  /** Started so far in the place of one that had ended. */
  readonly restarts: number;
}

/** Whatever serves the routes of a runtime: a gateway in this process, or several in processes of their own. */
export interface DataPlane {
  /**
   * Compiles and serves the objects; gives back what in them does not fit together. Resolves once every gateway serves them, and from then on
   * no request is routed as before; rejects, with the former routes served, where that cannot be (a port is taken).
   */
  publish(routed: RoutedObjects): Promise<readonly Diagnostic[]>;
  /** From now on these endpoints, and no others, get no requests while their cluster has another one. */
  avoid(unhealthy: readonly Endpoint[]): void;
  /** Where it listens now. */
  addresses(): readonly ListeningAddress[];
  /** What outlier detection did so far, in all gateways together. */
  ejections(): readonly ClusterEjections[];
  /** The processes that do the work; absent where this one does it. */
  readonly workers?: () => WorkerCounts;
  /** Why nothing is served; undefined where something is. */
  failure(): string | undefined;
  /** What this process itself routes by; undefined where it serves nothing yet, absent where others do. */
  readonly table?: () => ExplainedTable | undefined;
  /** Stops accepting, lets requests in flight finish for at most `graceMs` (default: the limit `closeGraceMs`), then cuts. */
  close(graceMs?: number): Promise<void>;
}

/** A data plane of one gateway, in this process. */
export function ownDataPlane(gateway: RunningGateway): DataPlane {
  const compiler = new RoutingCompiler();
  let served: ExplainedTable | undefined;
  return {
    publish: async ({ objects, delegates }) => {
      const { table, diagnostics } = compiler.compile(objects, delegates);
      await gateway.update(table);
      served = table;
      return diagnostics;
    },
    table: () => served,
    avoid: (unhealthy) => gateway.avoid(unhealthy),
    addresses: () => gateway.addresses(),
    ejections: () => gateway.ejections(),
    failure: () => undefined,
    close: (graceMs) => gateway.close(graceMs),
  };
}
