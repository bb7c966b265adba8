import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
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
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds from the last connection's choice to the response's head. */
  readonly upstreamMs: number | undefined;
  readonly upstreamHost: string | undefined;
  readonly rule: string | undefined;
  readonly destination: RequestEvent['destination'];
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
  reportRefused(status: number, remoteAddress: string): void {
    this.accessLog?.(
      JSON.stringify({
        start_time: new Date().toISOString(),
        method: null,
        path: null,
        protocol: null,
        response_code: status,
        response_flags: 'DPE',
        downstream_remote_address: remoteAddress,
      }),
    );
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

/**
 * One line of JSON with the names of Istio's default JSON access log. No cookies and no other header values than those
 * listed: logs are read by more people than requests are.
 */
function accessLogLine(outcome: Outcome, at: number, durationMs: number): string {
  const { request, exchange, destination } = outcome;
  return JSON.stringify({
    start_time: new Date(at - durationMs).toISOString(),
    method: exchange.method,
    path: exchange.target,
    protocol: `HTTP/${exchange.version}`,
    response_code: outcome.status,
    response_flags: outcome.flag,
    bytes_received: outcome.bytesReceived,
    bytes_sent: outcome.bytesSent,
    duration: Math.round(durationMs),
    upstream_service_time: outcome.upstreamMs === undefined ? null : Math.round(outcome.upstreamMs),
    x_forwarded_for: request?.forwardedFor ?? null,
    user_agent: request?.userAgent ?? null,
    request_id: outcome.requestId ?? null,
    authority: request?.authority ?? null,
    upstream_host: outcome.upstreamHost ?? null,
    upstream_cluster: destination === undefined ? null : `outbound|${destination.port}|${destination.subset ?? ''}|${destination.host}`,
    route_name: outcome.rule ?? null,
    downstream_remote_address: exchange.remoteAddress,
  });
}
