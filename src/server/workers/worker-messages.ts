import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { ClusterEjections } from '../../core/routing/cluster-ejections.ts';
import type { Endpoint } from '../../core/routing/selection.ts';
import type { ListeningAddress } from '../../gateway/gateway.ts';
import type { GatewayLimits } from '../../gateway/limits.ts';
import type { VisitorIdNames } from '../visitor-id-names.ts';
import type { EventBatch } from './event-batch.ts';
import type { ListChanges } from './object-changes.ts';

/** What a worker's gateway is started with, as JSON. */
export interface WorkerOptions {
  readonly map: readonly (readonly [declared: number, actual: number])[];
  readonly proxyPort: number | undefined;
  readonly limits: Partial<GatewayLimits>;
  readonly credentials: string | undefined;
  /** Whether lines of the access log are wanted. */
  readonly accessLog: boolean;
  /** As `GatewayOptions.traceShare`. */
  readonly traceShare: number | undefined;
}

/** The ports that workers have open, by listener. */
export type OpenPorts = readonly (readonly [listener: string, port: number])[];

/** What workers are asked, and what they answer. A change of routes is `compile`, `open`, `hold`, `serve`, or ends with `abandon`. */
export interface WorkerCalls {
  start: { readonly ask: WorkerOptions; readonly answer: null };
  /** Makes a table of the objects as they are after the changes. */
  compile: {
    readonly ask: {
      readonly changes: ListChanges<KubeObject>;
      readonly delegates: readonly string[];
      readonly idNames: VisitorIdNames;
    };
    readonly answer: { readonly diagnostics: readonly Diagnostic[] };
  };
  /** Opens the listeners of that table: at these ports where other workers have them open. */
  open: { readonly ask: { readonly ports: OpenPorts }; readonly answer: { readonly ports: OpenPorts } };
  /** Routes no request until `serve`. Everything that was told of before has been sent. */
  hold: { readonly ask: null; readonly answer: null };
  /** As `RunningGateway.avoid`. */
  avoid: { readonly ask: readonly Endpoint[]; readonly answer: null };
  serve: { readonly ask: null; readonly answer: { readonly addresses: readonly ListeningAddress[] } };
  abandon: { readonly ask: null; readonly answer: null };
  /** Drains, answers and ends. */
  close: { readonly ask: { readonly graceMs: number | undefined }; readonly answer: null };
}

/** Why a call failed: what happened, and, where it was a port, which. */
export interface CallFailure {
  readonly message: string;
  readonly port?: { readonly code: string; readonly address: string; readonly port: number };
}

/** What the control process tells a worker. */
export type ToWorker =
  | { readonly type: 'call'; readonly id: number; readonly name: keyof WorkerCalls; readonly ask: unknown }
  /** So many events or lines have been taken: the worker may send as many again. */
  | { readonly type: 'taken'; readonly count: number };

/** A line of a worker’s log. */
export interface WorkerNote {
  readonly level: 'info' | 'warn';
  readonly line: string;
}

/** What a worker tells the control process. */
export type FromWorker =
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly failure: CallFailure }
  | { readonly type: 'told'; readonly batch: EventBatch }
  | { readonly type: 'said'; readonly note: WorkerNote }
  /** What outlier detection did so far, whenever that has changed. */
  | { readonly type: 'ejected'; readonly ejections: readonly ClusterEjections[] };
