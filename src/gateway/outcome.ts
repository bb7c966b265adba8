import type { RequestEvent } from '../core/evidence/request-event.ts';
import type { Cluster } from '../core/routing/selection.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { IncomingRequest, Listener } from './incoming-request.ts';

/** What is known about a request at its end. */
export interface Outcome {
  readonly listener: Listener;
  readonly exchange: ClientExchange;
  /** Undefined where its head was refused. */
  readonly request: IncomingRequest | undefined;
  /** As the upstream saw it; undefined as `request` is. */
  readonly requestId: string | undefined;
  /** On `performance.now()`'s clock. */
  readonly startedAt: number;
  /** 0 where the client left before there was one. */
  readonly status: number;
  /** Envoy's response flag, `-` for none. */
  readonly flag: string;
  /** Envoy's response code details; undefined where there is no answer. */
  readonly details: string | undefined;
  /** The system's error code where no connection to an upstream could be opened. */
  readonly failureReason: string | undefined;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds from the last connection's choice to the response's head. */
  readonly upstreamMs: number | undefined;
  readonly upstreamHost: string | undefined;
  /** Our end of the connection to it. */
  readonly upstreamLocalAddress: string | undefined;
  readonly rule: string | undefined;
  readonly destination: RequestEvent['destination'];
  readonly endpoint: RequestEvent['endpoint'];
  readonly trace: RequestEvent['trace'];
  /** The destination's endpoints; undefined where it does not exist, or none was chosen. */
  readonly cluster: Cluster | undefined;
}
