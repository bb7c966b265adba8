import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import type { Cluster } from '../core/routing/selection.ts';
import { accessLogLine, refusedLine } from './access-log-line.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { IncomingRequest, Listener } from './incoming-request.ts';
import { unreadable } from './local-reply.ts';

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
  /** The destination's endpoints; undefined where it does not exist, or none was chosen. */
  readonly cluster: Cluster | undefined;
}

const NO_LINES: readonly string[] = [];

/** Tells the observer and writes the access log, where there are any. */
export class RequestReporter {
  private readonly observe: RequestObserver | undefined;
  private readonly accessLog: ((line: string) => void) | undefined;

  constructor(observe: RequestObserver | undefined, accessLog: ((line: string) => void) | undefined) {
    this.observe = observe;
    this.accessLog = accessLog;
  }

  report(outcome: Outcome): void {
    if (this.observe === undefined && this.accessLog === undefined) return;
    const at = Date.now();
    const durationMs = performance.now() - outcome.startedAt;
    this.observe?.(requestEvent(outcome, at, durationMs));
    this.accessLog?.(accessLogLine(outcome, at, durationMs));
  }

  /** A request so malformed that there is no head to report. */
  reportRefused(status: number, connection: { readonly peer: string | undefined; readonly local: string | undefined }): void {
    this.accessLog?.(refusedLine(status, unreadable(status), connection));
  }
}

function requestEvent(outcome: Outcome, at: number, durationMs: number): RequestEvent {
  const { request, exchange } = outcome;
  return {
    at,
    listener: outcome.listener.kind,
    method: exchange.method,
    path: request?.path ?? exchange.target,
    authority: request?.authority ?? '',
    requestId: outcome.requestId ?? '',
    cookies: request?.lines('cookie') ?? NO_LINES,
    lines: (name) => request?.lines(name) ?? NO_LINES,
    userAgent: request?.userAgent,
    accept: request?.lines('accept')[0],
    fetchMode: request?.lines('sec-fetch-mode')[0],
    fetchSite: request?.lines('sec-fetch-site')[0],
    rule: outcome.rule,
    destination: outcome.destination,
    status: outcome.status,
    flag: outcome.flag,
    durationMs,
  };
}
